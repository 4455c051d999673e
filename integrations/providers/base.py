"""What a provider is: plain data and a few functions. Handshake, refresh and storing are written once, outside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.conf import settings


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
    gives our words for a well-known mistake, "" for none; `message(body)` finds the error text in a decoded answer.
    """

    base_url: Callable[[str], str]
    means_expired: Callable[[int, bytes], bool]
    message: Callable[[object], str]
    hint: Callable[[str, str, int], str] = lambda method, path, status: ""
    request_headers: frozenset[str] = frozenset()


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
