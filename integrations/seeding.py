"""Made-up users, calls and what belongs to them, many at once: to see and to measure long lists.

The spread is that of real ones: a few users make most of the calls, most calls are quick, some routes never fail, and
some accounts need a reconnect.
"""

import json
import math
import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Trunc

from integrations import audit
from integrations.calls import route_of
from integrations.models import (
    AuditEntry,
    Call,
    CallHour,
    ConnectedUser,
    Connection,
    Grant,
    Integration,
    OAuthApp,
    Project,
)
from integrations.models.call import CallQuerySet
from integrations.providers import catalog

FIRST = "Ada Ben Chloé Dmitri Emeka Fatima Grace Haruto Ines João Karla Liam Mei Noor Olga Priya Quinn Rosa Sven Zoë"
LAST = "Adeyemi Bauer Chen Dubois Eriksson Fernández Gupta Haddad Ito Jansen Kowalski Lopez Müller Nguyen O’Brien Park"
COMPANIES = ["acme", "globex", "initech", "umbrella", "hooli", "stark", "wayne", "wonka", "tyrell", "cyberdyne"]
# What a route answers when it does not answer 200, and how often; routes take turns.
MOODS: Sequence[tuple[float, Sequence[int]]] = (
    (0.0, (200,)),
    (0.02, (404, 404, 401, 302)),
    (0.08, (429, 429, 400, 403, 502, 503)),
    (0.01, (500, 502, 504)),
)
DEEPER = ("", "/10001", "/10001/comment", "/10001/history", "/10001/watchers")
DONE = ("connected", "disconnected", "workflow deployed", "integration settings changed", "signing key generated")
STAFF = ("ada@example.com", "ben@example.com", "chen@example.com", "dubois@example.com")
CHUNK = 20_000


def store(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows of these columns, the other columns as their defaults say; JSON comes as text.

    By COPY where the database has it, which is ten times faster than INSERT.
    """
    given: list[Any] = [model._meta.get_field(name) for name in names]
    others: list[Any] = [
        field
        for field in model._meta.concrete_fields
        if field not in given and not field.generated and not isinstance(field, models.AutoField)
    ]
    same = [field.get_db_prep_save(field.get_default(), connection) for field in others]
    columns = ", ".join(f'"{field.column}"' for field in [*given, *others])
    into = f'"{model._meta.db_table}" ({columns})'
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            rows = iter(rows)
            # A part at a time: each must end before the database's time-out for a statement.
            while some := list(islice(rows, CHUNK)):
                with cursor.copy(f"COPY {into} FROM STDIN") as copy:
                    for row in some:
                        copy.write_row([*row, *same])
        else:
            places = ", ".join(["%s"] * (len(given) + len(others)))
            plain: Any = ([*map(_plain, row), *same] for row in rows)
            # Nothing here comes from outside: names of columns only.
            cursor.executemany(f"INSERT INTO {into} VALUES ({places})", plain)  # noqa: S608


def _plain(value: Any) -> Any:
    """Return what SQLite stores: it has neither UUIDs nor times."""
    if isinstance(value, uuid.UUID):
        return value.hex
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def as_they_come(count: int, days: int) -> Iterator[datetime]:
    """Yield moments up to now, the oldest first: more by day than by night."""
    now = datetime.now(UTC)
    for number in range(count):
        day = days * (1 - (number + 1) / count)
        yield now - timedelta(days=max(0.0, day + 0.6 * math.sin(2 * math.pi * day) / (2 * math.pi)))


def chance_of(project: Project, number: int) -> random.Random:
    """Return chances that are the same each time, but others in another project: ids come of them."""
    return random.Random(f"{project.pk} {number}")


def often_the_same(chance: random.Random, most: int) -> int:
    """Return a number below `most`, the low ones far more often."""
    return int(most * chance.random() ** 4)


# Who is connected -----------------------------------------------------------------------------------------------------


def integrations(project: Project) -> list[Integration]:
    """Return an integration of each provider, set up where there is none yet."""
    found = {each.provider_slug: each for each in project.integrations.select_related("oauth_app")}
    for provider in catalog():
        if provider.slug not in found:
            app = OAuthApp.objects.create(project=project, provider=provider.slug, client_id="made-up")
            found[provider.slug] = Integration.objects.create(
                project=project, provider_slug=provider.slug, oauth_app=app, is_active=True
            )
    return list(found.values())


@transaction.atomic
def add_users(project: Project, count: int) -> None:
    """Add users, of whom most are connected, some twice, some need a reconnect and some are disabled."""
    first = project.connected_users.count()
    made = integrations(project)
    for number in range(0, count, CHUNK):
        _users(project, made, first + number, min(CHUNK, count - number))


def _users(project: Project, made: Sequence[Integration], first: int, count: int) -> None:
    chance = chance_of(project, first)
    users, grants, connections = [], [], []
    for number, at in enumerate(as_they_come(count, 365), start=first):
        user, name, email = _uuid(chance), *_person(chance, number)
        meta = chance.choice([{"Name": name, "Email": email}, {"Name": name, "Email": email}, {"Email": email}, {}])
        disabled_at = at if chance.random() < 0.01 else None
        users.append((user, project.pk, f"user-{number}", json.dumps(meta), disabled_at, at))
        for _ in range(chance.choices((0, 1, 2), (5, 85, 10))[0]):
            integration, grant = chance.choice(made), _uuid(chance)
            lost = ("needs_reconnect", "The consent was revoked.") if chance.random() < 0.02 else ("active", "")
            scopes = json.dumps(integration.provider.recommended_scopes())
            grants.append(
                (grant, project.pk, integration.oauth_app_id, grant.hex, name, email, scopes, *lost, at, at, at)
            )
            site, own = chance.choice(COMPANIES), chance.random() < 0.01
            status = ("needs_reconnect", "The site is not among the account’s any more.") if own else ("active", "")
            place = (site, site, f"https://{site}.example.com")
            connections.append((_uuid(chance), project.pk, integration.pk, user, grant, *place, *status, at, at))
    store(ConnectedUser, ("id", "project", "sub", "meta", "disabled_at", "created_at"), users)
    named = ("id", "project", "app", "account_id", "account_name", "account_email", "scopes", "status", "reason")
    store(Grant, (*named, "refreshed_at", "consented_at", "created_at"), grants)
    placed = ("site_id", "site_name", "site_url", "status", "reason", "created_at", "updated_at")
    store(Connection, ("id", "project", "integration", "user", "grant", *placed), connections)


def connected(project: Project) -> list[tuple[str, uuid.UUID]]:
    """Return (user ID, connection) of the project, in one order; somebody nobody knows where there is none."""
    found = list(project.connections.order_by("created_at", "pk").values_list("user__sub", "pk"))
    return found or [("somebody", uuid.UUID(int=0))]


def _person(chance: random.Random, number: int) -> tuple[str, str]:
    first, last = chance.choice(FIRST.split()), chance.choice(LAST.split())
    return f"{first} {last}", f"{last}.{number}@{chance.choice(COMPANIES)}.example.com".lower()


def _uuid(chance: random.Random) -> uuid.UUID:
    return uuid.UUID(int=chance.getrandbits(128), version=4)


# What happened --------------------------------------------------------------------------------------------------------


@transaction.atomic
def add_calls(project: Project, count: int, days: int) -> None:
    """Add calls in the names of the project's users, and count them for the charts."""
    said = ("method", "path", "route", "status", "code", "milliseconds", "at")
    chance, moments = chance_of(project, count), as_they_come(count, days)
    rows = _calls(project, connected(project), _routes(project), moments, chance)
    store(Call, ("project", "sub", "connection_id", "provider_slug", *said), rows)
    _count_calls(project, days)


def _calls(
    project: Project,
    users: Sequence[Any],
    routes: Sequence[Any],
    moments: Iterator[datetime],
    chance: random.Random,
) -> Iterator[tuple[Any, ...]]:
    for at in moments:
        sub, connection_id = users[often_the_same(chance, len(users))]
        slug, method, path, route, often, answers = routes[often_the_same(chance, len(routes))]
        status = chance.choice(answers) if chance.random() < often else 200
        code = "needs_reconnect" if status == 401 else ""
        milliseconds = int(chance.lognormvariate(4.8, 0.8)) + (3000 if status == 504 else 0)
        yield project.pk, sub, connection_id, slug, method, path, route, status, code, milliseconds, at


def _routes(project: Project) -> list[tuple[Any, ...]]:
    """Return (provider, method, path, route, how often it fails, with what) of the routes that are called."""
    paths = [
        (integration.provider_slug, example.method, example.path.split("?")[0] + deeper)
        for integration in integrations(project)
        for example in integration.provider.examples
        for deeper in DEEPER
    ]
    return [(*each, route_of(each[-1]), *MOODS[number % len(MOODS)]) for number, each in enumerate(paths)]


def _count_calls(project: Project, days: int) -> None:
    """Count the project's calls by hour anew, as they would have been counted one by one; a day at a time."""
    CallHour.objects.filter(project=project).delete()
    now = datetime.now(UTC)
    first = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days + 1)
    for day in range(days + 2):
        began = first + timedelta(days=day)
        calls = Call.objects.filter(project=project, at__gte=began, at__lt=began + timedelta(days=1))
        CallHour.objects.bulk_create(CallHour(project=project, **row) for row in _hours(calls))


def _hours(calls: CallQuerySet) -> Iterator[Any]:
    bounds = zip(CallHour.COLUMNS, (-1, *CallHour.BOUNDS), (*CallHour.BOUNDS, 2**31), strict=True)
    # Looked at as another name: a sum called milliseconds would stand for the column in these conditions.
    found: Any = calls.annotate(ms=F("milliseconds"))
    spread = {name: Count("pk", filter=Q(ms__gt=low, ms__lte=high)) for name, low, high in bounds}
    counted = found.order_by().values("provider_slug", "method", "route", hour=Trunc("at", "hour"))
    yield from counted.annotate(
        calls=Count("pk"),
        refused=Count("pk", filter=Q(status__gte=400, status__lt=500)),
        failed=Count("pk", filter=Q(status__gte=500)),
        **spread,
        milliseconds=Sum("milliseconds"),
    )


@transaction.atomic
def add_audit_entries(project: Project, count: int, days: int) -> None:
    chance = chance_of(project, count)
    names = ("project", "actor_name", "action", "detail", "ip", "at", "mark")
    entries = (
        audit.noted(
            project,
            STAFF[often_the_same(chance, len(STAFF))],
            DONE[often_the_same(chance, len(DONE))],
            f"user-{chance.randrange(1000)}",
            at=at,
        )
        for at in as_they_come(count, days)
    )
    store(
        AuditEntry,
        names,
        ((project.pk, each.actor_name, each.action, each.detail, each.ip, each.at, each.mark) for each in entries),
    )
