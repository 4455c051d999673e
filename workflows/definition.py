"""What a workflow may say, and whether it says it right.

A definition is JSON: {"trigger": {…}, "steps": [{…}, …], "settings": [{…}], "concurrency": {…}}. Steps nest: a
condition has "then" and "else", a fan out has "steps". A step's `id` is its name in expressions, {{id.key}}.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from integrations.models import Integration
from integrations.providers.base import Provider, Trigger
from workflows import expressions
from workflows.expressions import ExpressionError, Path
from workflows.shapes import shape

ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
RESERVED = frozenset({"trigger", "settings", "user", "connection", "secrets", "item", "index", "true", "false", "null"})
TRIGGERS = {
    "integration": "Integration",
    "event": "App event",
    "request": "Request",
    "schedule": "Schedule",
    "connected": "Integration enabled",
}
SETTING_TYPES = {
    "text": "Text",
    "number": "Number",
    "switch": "Switch",
    "select": "Choice",
    "dynamic": "Choice from the user's account",
    "mapping": "Field mapping",
}
MOST_STEPS = 100
MOST_DEPTH = 5
MOST_SETTINGS = 40
EMPTY: dict[str, Any] = {"trigger": {"type": "event", "name": ""}, "steps": [], "settings": [], "concurrency": {}}


@dataclass(frozen=True)
class Problem:
    """Something to mend before a deploy: where (a step's id, "trigger" or "settings"), at which field, and what."""

    where: str
    field: str
    message: str


NOT_JSON = "This is not valid JSON. It is kept as it is, and not used before it is mended."


@dataclass
class Known:
    """What an expression at some place may look up: samples of the values, by root. `None` means: anything goes."""

    roots: dict[str, Any] = field(default_factory=dict)

    def with_root(self, name: str, sample: Any) -> "Known":
        return Known(self.roots | {name: sample})


def steps_of(definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = definition.get("steps")
    return found if isinstance(found, list) else []


def branches(step: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the lists of steps that a step holds, by name."""
    for name in ("then", "else", "steps"):
        if isinstance(step.get(name), list):
            yield name, step[name]


def walk(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield every step, those inside others after the one that holds them."""
    for step in steps:
        yield step
        for _, inner in branches(step):
            yield from walk(inner)


def holds(step: Mapping[str, Any], step_id: str) -> bool:
    """Does the step hold another of this name, at any depth?"""
    return any(inner.get("id") == step_id for _, nested in branches(step) for inner in walk(nested))


def find_step(definition: Mapping[str, Any], step_id: str) -> dict[str, Any] | None:
    return next((step for step in walk(steps_of(definition)) if step.get("id") == step_id), None)


def trigger_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    found = definition.get("trigger")
    return found if isinstance(found, dict) else {}


def start_words(definition: Mapping[str, Any], integration: Integration) -> str:
    """Return what a definition begins with, in words."""
    given = trigger_of(definition)
    kind = str(given.get("type") or "")
    found = integration.provider.trigger(str(given.get("name"))) if kind == "integration" else None
    return f"{integration.provider.name}: {found.title}" if found else TRIGGERS.get(kind, "–")


def title_of(step: Mapping[str, Any], integration: Integration) -> str:
    """Return what a step is called: its own name, else what it does."""
    from workflows import steps

    if step.get("name"):
        return str(step["name"])
    if step.get("type") == "action":
        action = integration.provider.action(str(step.get("action")))
        return action.title if action else "Action"
    kind = steps.TYPES.get(str(step.get("type")))
    return kind.title if kind else "Step"


# Checking -----------------------------------------------------------------------------------------------------------


def problems(
    definition: Any, integration: Integration, *, secrets: list[str], samples: Mapping[str, Any]
) -> list[Problem]:
    """Return everything that keeps a definition from being deployed.

    `samples` are the values of the last test, by root: a path that neither they nor the declared outputs know is
    reported.
    """
    if not isinstance(definition, dict):
        return [Problem("trigger", "", "The definition must be an object.")]
    return _Checker(definition, integration, secrets, samples).check()


class _Checker:
    def __init__(
        self, definition: dict[str, Any], integration: Integration, secrets: list[str], samples: Mapping[str, Any]
    ) -> None:
        self.definition, self.integration, self.samples = definition, integration, samples
        self.found: list[Problem] = []
        self.seen: set[str] = set()
        self.count = 0
        settings = definition.get("settings")
        self.settings: list[Any] = settings if isinstance(settings, list) else []
        keys = {str(item.get("key")): _setting_sample(item) for item in self.settings if isinstance(item, dict)}
        self.known = Known(
            {
                "trigger": self._trigger_sample(),
                "settings": keys,
                "secrets": dict.fromkeys(secrets, ""),
                "user": {"id": "", "meta": None},
                "connection": {
                    "id": "",
                    "account": {"id": "", "name": "", "email": ""},
                    "site": {"id": "", "name": "", "url": ""},
                },
            }
        )

    def check(self) -> list[Problem]:
        self._check_trigger()
        self._check_settings()
        self._check_concurrency()
        if not steps_of(self.definition):
            self._add("trigger", "", "Add at least one step.")
        self._check_steps(steps_of(self.definition), self.known, 0)
        return self.found

    def _add(self, where: str, key: str, message: str) -> None:
        self.found.append(Problem(where, key, message))

    def _trigger_sample(self) -> Any:
        """Return what the last test sent, and beside it what the written example has."""
        trigger, tested = trigger_of(self.definition), self.samples.get("trigger")
        written = trigger.get("sample")
        declared = (written if not isinstance(written, str) else None) or _declared_trigger(str(trigger.get("type")))
        if trigger.get("type") == "integration":
            found = self.integration.provider.trigger(str(trigger.get("name")))
            declared = shape(found.output) if found else None
        if isinstance(declared, dict) and isinstance(tested, dict):
            return declared | tested
        return declared if tested is None else tested

    def _check_trigger(self) -> None:
        trigger = trigger_of(self.definition)
        kind = trigger.get("type")
        if kind not in TRIGGERS:
            self._add("trigger", "type", "Choose what starts the workflow.")
        if kind == "event" and not str(trigger.get("name") or "").strip():
            self._add("trigger", "name", "Name the event, as your product sends it: task.created")
        if isinstance(trigger.get("sample"), str) and kind in ("event", "request"):
            self._add("trigger", "sample", NOT_JSON)
        if kind == "schedule":
            words = schedule_problem(trigger)
            if words:
                self._add("trigger", "cron", words)
        if kind == "integration":
            self._check_integration_trigger(trigger)

    def _check_integration_trigger(self, trigger: Mapping[str, Any]) -> None:
        provider = self.integration.provider
        found = provider.trigger(str(trigger.get("name")))
        if found is None:
            self._add("trigger", "name", f"{provider.name} has no such trigger.")
            return
        given = trigger.get("input") or {}
        known = Known({name: value for name, value in self.known.roots.items() if name in ("settings", "user")})
        for key, value in given.items():
            if found.field(key) is None:
                self._add("trigger", key, f"{found.title} has no filter “{key}”.")
            self._check_paths("trigger", key, value, known)
        chosen = self.integration.chosen_scopes()
        missing = [scope for scope in hard_scopes(provider, found, given) if scope not in chosen]
        if missing:
            words = f"{found.title} needs the scope {', '.join(missing)}. Add it in Settings."
            self._add("trigger", "name", words)

    def _check_settings(self) -> None:
        if len(self.settings) > MOST_SETTINGS:
            self._add("settings", "", f"A workflow can have {MOST_SETTINGS} settings at most.")
        seen: set[str] = set()
        for item in self.settings:
            if not isinstance(item, dict) or item.get("type") not in SETTING_TYPES:
                self._add("settings", "", "Every setting needs a type.")
                continue
            key = str(item.get("key") or "")
            if not ID.fullmatch(key):
                self._add("settings", key, f"“{key}” is no key: lower-case letters, digits and _ only.")
            if key in seen:
                self._add("settings", key, f"There are two settings “{key}”.")
            if not str(item.get("label") or "").strip():
                self._add("settings", key, f"The setting “{key}” needs a label for your users.")
            if item["type"] in ("dynamic", "mapping") and item.get("source") not in self.integration.provider.sources:
                self._add("settings", key, f"Choose what “{key}” offers from the account.")
            if item["type"] == "select" and not item.get("options"):
                self._add("settings", key, f"“{key}” has nothing to choose from.")
            seen.add(key)

    def _check_concurrency(self) -> None:
        found = self.definition.get("concurrency") or {}
        if found.get("mode") == "in_order":
            if not str(found.get("key") or "").strip():
                self._add("trigger", "order_key", "Say what keeps the order, such as {{trigger.id}}.")
            self._check_paths("trigger", "order_key", found.get("key"), Known({"trigger": self.known.roots["trigger"]}))

    def _check_steps(self, todo: list[Any], known: Known, depth: int) -> Known:
        """Check steps in turn; each knows what stands before it. Return what is known after them."""
        if depth > MOST_DEPTH:
            self._add("trigger", "", f"Steps can be nested {MOST_DEPTH} deep at most.")
            return known
        for step in todo:
            self.count += 1
            if not isinstance(step, dict) or self.count > MOST_STEPS:
                self._add("trigger", "", f"A workflow can have {MOST_STEPS} steps at most.")
                return known
            known = self._check_step(step, known, depth)
        return known

    def _check_step(self, step: dict[str, Any], known: Known, depth: int) -> Known:
        from workflows.steps import TYPES

        step_id, kind = str(step.get("id") or ""), TYPES.get(str(step.get("type")))
        self._check_id(step_id)
        if kind is None:
            self._add(step_id, "type", "This kind of step does not exist.")
            return known
        for key, message in kind.problems(step, self.integration):
            self._add(step_id, key, message)
        for key, value in kind.texts(step):
            self._check_paths(step_id, key, value, known)
        inner = known.with_root("item", None).with_root("index", 0) if step["type"] == "fan_out" else known
        after = known.with_root(step_id, self._sample_of(step, kind))
        for _, nested in branches(step):
            seen = self._check_steps(nested, inner, depth + 1)
            if step["type"] == "condition":
                # What stands in a branch may not have run, but may be looked up with a default.
                after = Known(seen.roots | after.roots)
        return after

    def _check_id(self, step_id: str) -> None:
        if not ID.fullmatch(step_id) or step_id in RESERVED:
            self._add(step_id, "id", f"“{step_id}” cannot be a step's name in expressions.")
        if step_id in self.seen:
            self._add(step_id, "id", f"Two steps are called “{step_id}”.")
        self.seen.add(step_id)

    def _sample_of(self, step: dict[str, Any], kind: Any) -> Any:
        tested = self.samples.get(str(step.get("id")))
        found = kind.sample(step, self.integration) if tested is None else tested
        # A step that may fail without ending the run says so in its output.
        return (
            found | {"error": {"message": ""}} if step.get("continue_on_error") and isinstance(found, dict) else found
        )

    def _check_paths(self, where: str, key: str, value: Any, known: Known) -> None:
        try:
            for path, may_miss in expressions.references(value):
                words = unknown_path(path, known)
                if words and not (may_miss and path.root in known.roots):
                    self._add(where, key, words)
        except ExpressionError as error:
            self._add(where, key, str(error))


def hard_scopes(provider: Provider, trigger: Trigger, filters: Mapping[str, Any]) -> list[str]:
    """Return the scopes without which a trigger is not heard at all. Without others it is, later, by polling."""
    feed = provider.feed_of(trigger.slug)
    can_do_without = feed.registering.scopes if feed and feed.registering else ()
    return [scope for scope in trigger.needs(filters) if scope not in can_do_without]


def unknown_path(path: Path, known: Known) -> str:
    """Return why a path cannot be right, "" when it is or may be."""
    if path.root not in known.roots:
        return f"There is no “{path.root}” before this step."
    value = known.roots[path.root]
    if path.root == "secrets" and path.keys and path.keys[0] not in value:
        # All that there are is known, also where there is none.
        return f"There is no secret “{path.keys[0]}”. Set it in Settings › Secrets."
    for depth, key in enumerate(path.keys):
        if value is None or value == {}:
            return ""  # Nothing is known of what lies below.
        here = Path(path.root, path.keys[:depth])
        if isinstance(value, list) and isinstance(key, int):
            value = value[key] if key < len(value) else (value[0] if value else None)
        elif isinstance(value, dict) and isinstance(key, str) and key in value:
            value = value[key]
        else:
            return _why_not(value, key, here)
    return ""


def _why_not(value: Any, key: str | int, here: Path) -> str:
    if isinstance(value, list):
        return f"{here} is a list: write [0] for its first item."
    if isinstance(value, dict):
        return f"{here} has no “{key}”."
    return f"{here} is {expressions.kind_of(value)}, so nothing lies below it."


def _declared_trigger(kind: str) -> Any:
    if kind == "request":
        return {"body": None, "query": {}, "headers": {}}
    if kind == "schedule":
        return {"at": "2026-11-23T09:00:00+00:00"}
    return {"account": "", "site": ""} if kind == "connected" else None


def _setting_sample(item: Mapping[str, Any]) -> Any:
    samples: dict[str, Any] = {"number": 0, "switch": False, "mapping": None}
    return samples.get(str(item.get("type")), "")


CRON_FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")


def schedule_problem(trigger: Mapping[str, Any]) -> str:
    """Return what is wrong with a schedule, "" for a good one. Not more often than every five minutes."""
    try:
        zone = ZoneInfo(str(trigger.get("zone") or "UTC"))
    except (KeyError, ValueError, OSError):
        return f"There is no time zone “{trigger.get('zone')}”. Write it as Europe/Berlin."
    cron = str(trigger.get("cron") or "")
    example = "Write the schedule as five cron fields, such as 0 9 * * 1-5 for weekdays at nine."
    try:
        fires = CronSim(cron, datetime.now(zone))
    except CronSimError as error:
        wrong = str(error).removeprefix("Bad ")
        return f"The {wrong} of “{cron}” cannot be. {example}" if wrong in CRON_FIELDS else example
    try:
        first = next(fires)
        gaps = []
        for _ in range(20):
            second = next(fires)
            gaps.append((second - first).total_seconds())
            first = second
    except StopIteration:
        return f"“{cron}” never comes: there is no such day."
    return "A schedule can fire every five minutes at most." if min(gaps) < 300 else ""


@lru_cache(maxsize=512)
def _key_template(text: str) -> Any:
    return expressions.compile_text(text)


def order_key(definition: Mapping[str, Any], payload: Any) -> str:
    """Return the key that a run with this payload keeps its order by, "" where runs go in parallel."""
    found = definition.get("concurrency") or {}
    if found.get("mode") != "in_order":
        return ""
    try:
        value = _key_template(str(found.get("key") or "")).render({"trigger": payload})
    except ExpressionError:
        value = ""
    # Whatever has no key of its own shares one, so that it too goes in order.
    return (expressions.as_text(value) or "-")[:200]
