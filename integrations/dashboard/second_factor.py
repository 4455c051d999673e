"""Second factors: an app that shows codes, or a passkey. Who has one, who must, and where their secrets lie."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa import app_settings
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from integrations.dashboard import sessions
from integrations.dashboard.names import NameField
from integrations.models import AccountSecret, Member, Project
from integrations.models.user import SECOND_FACTORS
from integrations.vault import VaultError

WANTED = "second_factor_wanted"
GIVEN = "mfa"  # allauth's word for every second factor, and for a passkey alone
# Longer than a code is taken: its own half minute, the one before and the one after.
CODE_SECONDS = 120
NO_RECOVERY_CODE = "This is none of your recovery codes, or it was used: each of them works once."
OF_EVERYBODY = "Everybody needs a second factor here."
OF_STAFF = "The administration shows every project, and at least one of them requires a second factor."


class SecondFactorNeeded(Exception):
    """Whoever asks must give a second factor first, or set one up. The message says who wants that."""


# Who has one, and who must --------------------------------------------------------------------------------------------


def with_factor(members: QuerySet[Member]) -> QuerySet[Member]:
    """Add `has_factor` to members."""
    theirs = Authenticator.objects.filter(user=OuterRef("user"), type__in=SECOND_FACTORS)
    return members.annotate(has_factor=Exists(theirs))


def note(request: HttpRequest) -> None:
    """Note on whoever asks whether a second factor was given in this session. Passkeys and recovery codes count."""
    user: Any = request.user
    user.gave_second_factor = any(each["method"] == GIVEN for each in get_authentication_records(request, user))


def require_of_everybody(user: Any) -> None:
    """Raise SecondFactorNeeded where this deployment asks everybody for one."""
    if settings.REQUIRE_SECOND_FACTOR and not user.has_given_second_factor():
        raise SecondFactorNeeded(OF_EVERYBODY)


def require(user: Any, project: Project) -> None:
    """Raise SecondFactorNeeded where a project, which knows the user's role, asks its owners and admins for one."""
    if project.require_second_factor and project.role.may_administer and not user.has_given_second_factor():
        raise SecondFactorNeeded(f"{project.name} requires a second factor of its owners and admins.")


def may_administrate(request: HttpRequest) -> bool:
    """Has this superuser given the second factor that the administration needs? It shows what every project does.

    The administration asks several times for one page; a user is read anew for each, and remembers the answer.
    """
    user: Any = request.user
    if not hasattr(user, "_may_administrate"):
        is_needed = settings.REQUIRE_SECOND_FACTOR or Project.objects.filter(require_second_factor=True).exists()
        note(request)
        user._may_administrate = not is_needed or user.has_given_second_factor()
    return bool(user._may_administrate)


def lead(request: HttpRequest, why: str) -> HttpResponse:
    """Go to where the second factor is given, or set up first, and remember where somebody wanted to go."""
    is_page = request.method in ("GET", "HEAD")
    request.session[WANTED] = {"url": request.get_full_path() if is_page else reverse("dashboard:home"), "why": why}
    user: Any = request.user
    if not user.has_second_factor():
        return redirect("mfa_index")
    way, *_ = get_adapter().get_reauthentication_methods(user)
    return redirect(f"{way['url']}?{urlencode({'next': reverse('second_factor_done')})}")


def guarding(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A page that changes factors. It takes one of the account, also from who confirmed before there was any."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user: Any = request.user
        if user.is_authenticated:
            note(request)
            if not user.gave_second_factor and user.has_second_factor():
                raise ReauthenticationRequired
        return view(request, *args, **kwargs)

    return asked


def on_added(request: HttpRequest, user: Any, authenticator: Authenticator, **kwargs: Any) -> None:
    """Take a factor that was just set up as given. Whoever is signed in elsewhere has given none, so they are out."""
    if authenticator.type not in SECOND_FACTORS:
        return
    if Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS).count() == 1:
        sessions.end_all(user, but=request.session.session_key)
    record_authentication(request, user, GIVEN, id=authenticator.pk, type=authenticator.type)


# Codes, once only -----------------------------------------------------------------------------------------------------


class OnceOnly:
    """A form with a code. allauth forgets after half a minute which code was used, but takes one for longer."""

    user: Any

    cleaned_data: dict[str, str]

    def clean_code(self) -> str:
        digits = "".join(self.cleaned_data["code"].split())
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except ValidationError as error:
            # Nobody's clock is to blame for a code that comes from a list.
            if error.code == "incorrect_code" and len(digits) == app_settings.RECOVERY_CODE_DIGITS:
                raise ValidationError(NO_RECOVERY_CODE) from error
            raise
        if not cache.add(f"second-factor:{self.user.pk}:{digits}", "used", CODE_SECONDS):
            raise ValidationError("This code was used already. Wait for the next one.")
        return code


class ActivateForm(OnceOnly, ActivateTOTPForm):  # type: ignore[misc]
    pass


class CodeForm(OnceOnly, AuthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs |= {"autofocus": True, "inputmode": "numeric"}
        self.fields["code"].help_text = "From your authenticator app, or one of your recovery codes."


class ConfirmByCodeForm(OnceOnly, ReauthenticateForm):  # type: ignore[misc]
    pass


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    name = NameField(required=False, max_length=60, help_text="Where you keep it, so that you tell it from others.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].initial = True
        self.fields["passwordless"].label = "Sign in with it alone, without a password"
        self.fields[
            "passwordless"
        ].help_text = "It then asks for your fingerprint, face or PIN. Off, it is a second factor after the password."


# Where their secrets lie ----------------------------------------------------------------------------------------------


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets go to the vault; passkeys belong to PUBLIC_URL, whatever Host header asks."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This is not right, or no longer. Check the clock of your device, and try again.",
    }

    def encrypt(self, text: str) -> str:
        secret = AccountSecret()
        secret.seal("secret", text)
        secret.save()
        return str(secret.pk)

    def decrypt(self, encrypted_text: str) -> str:
        secret = AccountSecret.objects.filter(pk=encrypted_text).first()
        if secret is None:
            raise VaultError("The secret of a second factor is not in the vault. Was its row deleted by hand?")
        return secret.open("secret")

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": settings.PUBLIC_HOST, "name": "Patchbay"}

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return f"Passkey {count + 1}" if count else "Passkey"


def on_deleted(instance: Authenticator, **kwargs: Any) -> None:
    """Delete what an authenticator had in the vault."""
    kept = [instance.data.get(name) for name in ("secret", "seed")]
    AccountSecret.objects.filter(pk__in=[pk for pk in kept if pk]).delete()
