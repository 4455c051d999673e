"""What a provider is: plain data and a few functions. Handshake, refresh and storing are written once, outside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
    `field_errors(body)` what it says of single fields, by the provider's names for them. `words(method, path)` tells an
    end user what a call did, in the language that is active; "" where its address says as much.
    """

    base_url: Callable[[str], str]
    means_expired: Callable[[int, bytes], bool]
    message: Callable[[object], str]
    hint: Callable[[str, str, int], str] = lambda method, path, status: ""
    field_errors: Callable[[object], dict[str, str]] = lambda body: {}
    words: Callable[[str, str], str] = lambda method, path: ""
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


# What can be heard ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Happening:
    """One thing that happened at the provider, in our words, by whichever way we came to know of it.

    `key` is the same however often and by whichever way it is told: it counts once a connection. `subject` is what it
    is about; what happens to one subject has its order by `at` (aware, UTC). `payload` is JSON data that always has
    "event", "at", "by" ({"id", "name"}, ids "" where nobody says) and "raw", the provider's own words.
    """

    trigger: str
    key: str
    subject: str
    at: datetime
    payload: Mapping[str, Any]
    # No delivery can tell of it: it is found by reading alone.
    is_only_read: bool = False


class NotHeard(Exception):
    """A delivery tells nothing that a trigger of ours is about; the message says why."""


@dataclass(frozen=True)
class Trigger:
    """Something to begin a workflow with, told by a feed.

    `fields` is its filter form. `mismatch(happening, filters)` says why a happening does not pass, "" where it does;
    what only the provider can judge is a query: `query(filters, happening)`, "" for none; without a happening it is the
    one that was written. `within(filters)` names the only places
    (projects, say) that can pass, None where all can. `check(api, filters)` returns what the provider finds wrong with
    a filter, by field. `scopes_for(filters)` returns what it needs where the filter form decides that.
    """

    slug: str
    title: str
    description: str
    fields: tuple[Field, ...]
    output: Mapping[str, Any]
    sample: Any
    scopes: tuple[str, ...]
    mismatch: Callable[[Happening, Mapping[str, Any]], str] = lambda happening, filters: ""
    query: Callable[[Mapping[str, Any], Happening | None], str] = lambda filters, happening: ""
    within: Callable[[Mapping[str, Any]], list[str] | None] = lambda filters: None
    check: "Callable[[ProviderApi, Mapping[str, Any]], dict[str, str]]" = lambda api, filters: {}
    scopes_for: Callable[[Mapping[str, Any]], tuple[str, ...]] | None = None
    # By which ids an action's input or output speaks of what a payload tells of.
    names: Callable[[Mapping[str, Any]], set[str]] = lambda payload: {str(payload.get("id"))}

    def needs(self, filters: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the scopes that it needs with these values of its form."""
        return self.scopes_for(filters) if self.scopes_for else self.scopes

    @property
    def has_scopes_by_settings(self) -> bool:
        """Whether its settings can do without some of `scopes`."""
        return self.scopes_for is not None

    def field(self, key: str) -> Field | None:
        return next((item for item in self.fields if item.key == key), None)


@dataclass(frozen=True)
class Wish:
    """A trigger that somebody wants to hear of, with the values of its filter form."""

    trigger: str
    filters: Mapping[str, Any]


@dataclass(frozen=True)
class Hook:
    """What the provider says that it will send: `id` is unique at a site, `filter` is in the provider's words."""

    id: str
    url: str
    events: tuple[str, ...]
    filter: str
    expires_at: datetime | None


@dataclass(frozen=True)
class Registering:
    """How to ask the provider to send what a feed tells. One registration serves all wishes of a connection.

    `plans(wishes)` returns what to ask for, as (events, filter), narrowest first: where the provider refuses one, the
    next is tried. `create` raises PermanentError with the provider's words. `keeps_for` is how long a registration
    lives after it was made or renewed; `most` is how many one account may have at a site.
    """

    scopes: tuple[str, ...]
    plans: Callable[[list[Wish]], list[tuple[tuple[str, ...], str]]]
    hooks: "Callable[[ProviderApi], list[Hook]]"
    create: "Callable[[ProviderApi, str, tuple[str, ...], str], Hook]"
    renew: "Callable[[ProviderApi, list[str]], datetime]"
    delete: "Callable[[ProviderApi, list[str]], None]"
    keeps_for: timedelta
    most: int
    # What to check where it is registered and nothing arrives, in words.
    deaf: str = ""


@dataclass(frozen=True)
class Reading:
    """What reading a feed brought. Everything until `until` was heard, unless `has_more`. `cursor` is the feed's own
    memory; `words` says how it was read where that is not obvious, and `every_seconds` how often it may be read.
    """

    happenings: list[Happening]
    until: datetime
    cursor: Mapping[str, Any] = field(default_factory=dict)
    has_more: bool = False
    words: str = ""
    every_seconds: float = 60


@dataclass(frozen=True)
class Feed:
    """Triggers that are told together.

    `read(api, since, cursor, wishes)` reads what happened since then: to poll, and to fill gaps. `scopes` are
    those without which nothing is heard. `absorb(cursor, happening)` returns the feed's memory after a delivery, None
    where the delivery tells nothing new.
    """

    slug: str
    title: str
    triggers: tuple[Trigger, ...]
    read: "Callable[[ProviderApi, datetime, Mapping[str, Any], list[Wish]], Reading]"
    registering: Registering | None = None
    poll_seconds: float = 60
    absorb: Callable[[Mapping[str, Any], Happening], Mapping[str, Any] | None] = lambda cursor, happening: cursor
    # "set up by hand in the provider's administration": how, in words; "" where that is of no use.
    by_hand: str = ""


@dataclass(frozen=True)
class Delivered:
    """Whose delivery it is: `site` as Connection.site_url has it, `identifier` the same over repetitions, and the ids
    of the registrations that it is for. `repetition` is how many times it was sent before.
    """

    site: str = ""
    identifier: str = ""
    registrations: tuple[str, ...] = ()
    repetition: int = 0


@dataclass(frozen=True)
class Webhooks:
    """How deliveries are verified and read.

    `is_genuine(headers, body, secrets)` is for the address of an OAuthApp, with its client secrets; `is_from_site`
    for the address that was set up by hand, with its own secret. Header names are in lower case. `read` raises
    NotHeard. `matches(api, happening, queries)` has the provider judge queries: for each "" or why not; None where it
    does not know the subject yet.
    """

    is_genuine: Callable[[Mapping[str, str], bytes, tuple[str, ...]], bool]
    is_from_site: Callable[[Mapping[str, str], bytes, str], bool]
    identify: Callable[[Mapping[str, str], Any], Delivered]
    read: Callable[[Any], Happening]
    matches: "Callable[[ProviderApi, Happening, list[str]], list[str] | None]"


@dataclass(frozen=True)
class Example:
    """A call worth trying: `path` with its query, `body` as text."""

    title: str
    path: str
    method: str = "GET"
    body: str = ""


@dataclass(frozen=True)
class Guide:
    """A page of the provider's own that a developer will want."""

    title: str
    url: str


@dataclass(frozen=True)
class Provider:
    """`is_featured` ones come first in the catalog; `prerequisites` says in sentences what to have there first."""

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
    is_featured: bool = False
    prerequisites: tuple[str, ...] = ()
    guides: tuple[Guide, ...] = ()
    # The first one works for every account and changes nothing.
    examples: tuple[Example, ...] = ()
    actions: tuple[Action, ...] = ()
    feeds: tuple[Feed, ...] = ()
    webhooks: Webhooks | None = None
    sources: Mapping[str, Source] = field(default_factory=dict)
    # Some sentences for its page in the catalog.
    description: str = ""

    def action(self, slug: str) -> Action | None:
        return next((action for action in self.actions if action.slug == slug), None)

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        return tuple(trigger for feed in self.feeds for trigger in feed.triggers)

    def trigger(self, slug: str) -> Trigger | None:
        return next((trigger for trigger in self.triggers if trigger.slug == slug), None)

    def feed(self, slug: str) -> Feed | None:
        return next((feed for feed in self.feeds if feed.slug == slug), None)

    def feed_of(self, trigger: str) -> Feed | None:
        """Return the feed that tells a trigger."""
        return next((feed for feed in self.feeds if any(each.slug == trigger for each in feed.triggers)), None)

    @property
    def deeds(self) -> list[str]:
        """Return what it can do and hear, by the titles of its actions and triggers."""
        return [action.title for action in self.actions] + [trigger.title for trigger in self.triggers]

    @property
    def search_text(self) -> str:
        """Return what a search of the catalog reads, in lower case."""
        return " ".join([self.name, self.tagline, *self.categories, *self.deeds]).lower()

    @property
    def example_path(self) -> str:
        return self.examples[0].path

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
