"""What a provider is: plain data and a few functions. Handshake, refresh and storing are written once, outside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from integrations.provider_api import ProviderApi


@dataclass(frozen=True)
class Keys:
    """What the provider knows an OAuthApp by. Its secret never shows in a traceback."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Tokens:
    """What a token endpoint gave. `expires_in` is in seconds; `refresh` is "" where the provider kept the old one."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_in: int
    scopes: list[str]


@dataclass(frozen=True)
class Account:
    """Whose account consented, in the provider's own words."""

    id: str
    name: str = ""
    email: str = ""


@dataclass(frozen=True)
class Site:
    """A place that the account may be used at; a provider without such places has one with id ""."""

    id: str
    name: str = ""
    url: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scope:
    """A permission to ask for: what it is for, and which of our features do not work without it."""

    name: str
    purpose: str
    needed_for: str = ""
    is_recommended: bool = True
    is_required: bool = False


@dataclass(frozen=True)
class OAuth2:
    """How to get and keep tokens. Addresses are functions, because an operator may point them elsewhere.

    `refusal(status, body)` sorts an error of the token endpoint: "grant" (the consent is gone), "keys" (our client id
    or secret is wrong) or "" (neither: try again later).
    """

    authorize_url: Callable[[], str]
    token_url: Callable[[], str]
    authorize_params: Mapping[str, str]
    refusal: Callable[[int, Mapping[str, object]], str]
    account: Callable[[str, Site], Account]
    sites: Callable[[str], list[Site]]
    manage_url: str


@dataclass(frozen=True)
class Api:
    """How to call the provider. `base_url(site_id)` ends in a path prefix that no call may leave.

    `means_expired(status, body)` is true for an answer that a fresh access token can cure; `hint(method, path, status)`
    gives our words for a well-known mistake, "" for none; `message(body)` finds the error text in a decoded answer, and
    `field_errors(body)` what it says of single fields, by the provider's names for them.
    """

    base_url: Callable[[str], str]
    means_expired: Callable[[int, bytes], bool]
    message: Callable[[object], str]
    hint: Callable[[str, str, int], str] = lambda method, path, status: ""
    field_errors: Callable[[object], dict[str, str]] = lambda body: {}
    request_headers: frozenset[str] = frozenset()


# What can be done ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Option:
    """One value to choose, and what people call it."""

    value: str
    label: str


@dataclass(frozen=True)
class Options:
    """A page of choices. `cursor` asks for the next page, "" when this is the last."""

    options: list[Option]
    cursor: str = ""


# (api, what was typed to search, cursor, the values that the source depends on) -> a page of choices
Source = Callable[["ProviderApi", str, str, Mapping[str, Any]], Options]


@dataclass(frozen=True)
class Field:
    """One input of an action.

    `kind`: text, long_text, rich_text, number, switch, date, select, list (texts), conditions, query or object.
    `options` are fixed choices; `source` names the provider's source of choices, which needs the values of
    `depends_on`. Where `quote` is set, what an expression yields is quoted by it on its way into the text:
    `quote(value, the quote sign that is open around it or "")`. `vocabulary` is what the conditions of a filter may
    say: {"fields": [{"value", "label", "operators"}], "operators": [{"value", "label"}], "without_value": [...]}.
    """

    key: str
    label: str
    kind: str = "text"
    help: str = ""
    placeholder: str = ""
    is_required: bool = False
    default: Any = None
    options: tuple[Option, ...] = ()
    source: str = ""
    depends_on: tuple[str, ...] = ()
    quote: Callable[[Any, str], str] | None = None
    vocabulary: Mapping[str, Any] = field(default_factory=dict)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of this input."""
        kinds: dict[str, dict[str, Any]] = {
            "number": {"type": "number"},
            "switch": {"type": "boolean"},
            "date": {"type": "string", "format": "date"},
            "list": {"type": "array", "items": {"type": "string"}},
            "object": {"type": "object"},
            "conditions": {"type": "object"},
            "rich_text": {"type": ["string", "object"]},
        }
        schema = {"title": self.label, **kinds.get(self.kind, {"type": "string"})}
        if self.help:
            schema["description"] = self.help
        if self.options:
            schema["enum"] = [option.value for option in self.options]
        if self.default is not None:
            schema["default"] = self.default
        return schema


@dataclass(frozen=True)
class Action:
    """Something to do in a user's name: `run(api, input, op_key)` returns its output, JSON data.

    `effect` says what a repetition would do: "none" (it only reads), "idempotent" (the same again) or "once" (it would
    happen twice). An action of effect "once" marks what it makes with `op_key`, and `find(api, input, op_key)` looks
    for it when an answer was lost: the output that `run` would have returned, None when it is not to be found (yet).
    Where `find` reads what is there at once, and not an index that lags, `is_find_sure`: what it has not found after a
    while has not happened.
    `more_fields(api, input)` returns further inputs that the account's own set-up asks for; their keys begin with
    "fields.".
    """

    slug: str
    title: str
    description: str
    fields: tuple[Field, ...]
    run: "Callable[[ProviderApi, Mapping[str, Any], str], Any]"
    output: Mapping[str, Any]
    sample: Any
    scopes: tuple[str, ...]
    effect: str = "none"
    find: "Callable[[ProviderApi, Mapping[str, Any], str], Any] | None" = None
    is_find_sure: bool = False
    more_fields: "Callable[[ProviderApi, Mapping[str, Any]], list[Field]] | None" = None

    def input(self) -> dict[str, Any]:
        """Return the JSON Schema of the whole input."""
        return {
            "type": "object",
            "properties": {item.key: item.schema() for item in self.fields},
            "required": [item.key for item in self.fields if item.is_required],
            "additionalProperties": False,
        }

    def field(self, key: str) -> Field | None:
        return next((item for item in self.fields if item.key == key), None)


@dataclass(frozen=True)
class Provider:
    slug: str
    name: str
    tagline: str
    categories: tuple[str, ...]
    docs_url: str
    brand_color: str
    scopes: tuple[Scope, ...]
    oauth: OAuth2
    api: Api
    # What can be done with it, for the catalog: (title, text) pairs.
    offers: tuple[tuple[str, str], ...] = ()
    example_path: str = "/"
    actions: tuple[Action, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)

    def action(self, slug: str) -> Action | None:
        return next((action for action in self.actions if action.slug == slug), None)

    @property
    def logo(self) -> str:
        return f"integrations/{self.slug}.svg"

    @property
    def setup_template(self) -> str:
        return f"integrations/{self.slug}/setup.html"

    def recommended_scopes(self) -> list[str]:
        return [scope.name for scope in self.scopes if scope.is_recommended or scope.is_required]

    def required_scopes(self) -> list[str]:
        return [scope.name for scope in self.scopes if scope.is_required]


def provider_setting(slug: str, name: str, default: str) -> str:
    """Return the operator's value for a provider: provider_setting("acme", "API_URL", …) reads ACME_API_URL."""
    return str(settings.PROVIDER_SETTINGS.get(slug, {}).get(name) or default)
