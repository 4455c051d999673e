"""Why a call failed and what to do about it, in words, from what the log keeps of it."""

from dataclasses import dataclass

from integrations import providers
from integrations.models import Call


@dataclass(frozen=True)
class Advice:
    reason: str
    action: str


# Answers of our own, by their code.
OURS = {
    "not_connected": Advice(
        "The user has not connected this integration.",
        "Show them the Connect button. If they connected another account, check which connection the call names.",
    ),
    "needs_reconnect": Advice(
        "The connection is no longer accepted: the consent was withdrawn, has expired, or the account lost its site.",
        "Let the user press Reconnect. The connection’s page says what happened.",
    ),
    "integration_inactive": Advice("The integration is not active in this project.", "Activate it on its page."),
    "user_disabled": Advice("Somebody disabled this user.", "Enable them on the user’s page, if that was not meant."),
    "wrong_keys": Advice(
        "The provider refuses the client ID or secret of the app.",
        "Enter the present secret in the integration’s Settings. No user has to reconnect for that.",
    ),
    "provider_unreachable": Advice(
        "The provider could not be reached, or broke the connection off.",
        "Try again later, with growing pauses. If it is always so, check what this server may connect to.",
    ),
    "try_again": Advice(
        "The access token could not be renewed at that moment.", "Send it again after Retry-After seconds."
    ),
    "timed_out": Advice(
        "The provider took longer than the time that a call may take.",
        "Look whether it was done before you send it again. Ask for less at once: fewer fields, smaller pages.",
    ),
    "token_renewed": Advice(
        "The token was renewed while a large body was under way, which can be read only once.", "Send it again."
    ),
    "too_large": Advice(
        "The body or the answer is larger than this server takes.",
        "Use the raw address for large files, or have PROXY_MAX_BYTES raised.",
    ),
    "bad_path": Advice(
        "The path has a part that is never forwarded.", "Encode each part of the path once, and only once."
    ),
    "bad_query": Advice("The query has characters that are not encoded.", "Percent-encode the values of the query."),
    "other_host": Advice(
        "The address is not of this connection’s site.", "Call addresses below the provider’s API only."
    ),
    "length_required": Advice("The body came without its length.", "Send a Content-Length."),
    "cut_off": Advice(
        "The body ended before its announced length.", "Look at the network between you and this server."
    ),
    "method_not_allowed": Advice("This method is not forwarded.", "Use GET, POST, PUT, PATCH, DELETE or HEAD."),
    "no_integration": Advice("This project has no such integration.", "Add it from the catalog, or correct its name."),
}
# Answers of the provider, by their status.
THEIRS = {
    400: Advice("{name} did not understand the call.", "Correct what its answer names."),
    401: Advice("{name} did not accept the access token for this.", "A permission is missing, most likely."),
    403: Advice(
        "The account is not allowed to do this, or the app lacks the permission.",
        "Check the permissions in Settings against what this endpoint needs, then what the account may do there.",
    ),
    404: Advice(
        "{name} has nothing there, or does not show it to this account.",
        "Check the path, the id, and the account’s access.",
    ),
    405: Advice("{name} does not take this method there.", "Check the method in its documentation."),
    409: Advice("It was changed by somebody else at the same time.", "Read it again, then repeat the change."),
    410: Advice("{name} has removed this endpoint.", "Its documentation names the one to use instead."),
    413: Advice("The body is larger than {name} takes.", "Send less at once."),
    415: Advice("{name} does not take this kind of body.", "Set the Content-Type that its documentation names."),
    422: Advice("{name} understood the call and refuses what it asks.", "Correct what its answer names."),
    429: Advice(
        "{name} asks for patience: too many calls in a short time.",
        "Wait for Retry-After seconds. Calls of workflows wait by themselves.",
    ),
}
REFUSED = Advice("{name} refused the call.", "Correct what its answer names.")
FAILED = Advice(
    "{name} had trouble of its own.", "Try again later. Its status page may know more; nothing here has to be changed."
)


def advise(call: Call) -> Advice | None:
    """Return what there is to say about a failed call; None for one that went well."""
    if call.status < 400:
        return None
    if call.code:
        return OURS.get(call.code, Advice(f"Patchbay answered {call.code}.", "The documentation lists what it means."))
    provider = providers.get(call.provider_slug) if call.provider_slug in providers.SLUGS else None
    known = THEIRS.get(call.status, FAILED if call.status >= 500 else REFUSED)
    name = provider.name if provider else call.provider_slug
    hint = provider.api.hint(call.method, call.path, call.status) if provider else ""
    return Advice(known.reason.format(name=name), hint or known.action)
