"""How a project's calls went over time: rate of errors, latency, the slowest and the most failing routes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Sum
from django.db.models.functions import Trunc

from integrations import clock
from integrations.models import CallHour, Project

# What may be looked at: its name, how many hours it covers, how it is divided.
PERIODS = {"day": ("24 hours", 24, "hour"), "week": ("7 days", 7 * 24, "day"), "month": ("30 days", 30 * 24, "day")}
MOST_ROUTES = 8
# A route that is seldom called says nothing about what is slow.
FEW = 5


@dataclass(frozen=True)
class Figures:
    """Some calls together. Times are in milliseconds; percentiles are read off a histogram, so they are estimates."""

    calls: int = 0
    refused: int = 0
    failed: int = 0
    milliseconds: int = 0
    spread: tuple[int, ...] = ()

    @property
    def good(self) -> int:
        return self.calls - self.refused - self.failed

    @property
    def error_percent(self) -> float:
        return 100 * (self.refused + self.failed) / self.calls if self.calls else 0.0

    @property
    def p50(self) -> int:
        return self._percentile(0.5)

    @property
    def p95(self) -> int:
        return self._percentile(0.95)

    def _percentile(self, share: float) -> int:
        """Return the time that this share of the calls took at most, as if each column were filled evenly."""
        bounds = (0, *CallHour.BOUNDS)
        wanted, seen = share * sum(self.spread), 0
        for index, count in enumerate(self.spread):
            if count and seen + count >= wanted:
                if index == len(CallHour.BOUNDS):
                    return CallHour.BOUNDS[-1]  # and more: what lies beyond is not known
                low, high = bounds[index], bounds[index + 1]
                return round(low + (high - low) * (wanted - seen) / count)
            seen += count
        return 0


@dataclass(frozen=True)
class Slot:
    """The calls of an hour or a day, which begins `at`."""

    at: datetime
    figures: Figures


@dataclass(frozen=True)
class Route:
    provider_slug: str
    method: str
    route: str
    figures: Figures


@dataclass(frozen=True)
class Report:
    slots: list[Slot]
    total: Figures
    slowest: list[Route]
    failing: list[Route]
    step: str


def report(project: Project, period: str, provider_slug: str = "") -> Report:
    """Return what a project's calls came to in one of PERIODS, of all providers or of one."""
    _, hours, step = PERIODS[period]
    began = _start(clock.now(), hours, step)
    rows = CallHour.objects.filter(project=project, hour__gte=began)
    if provider_slug:
        rows = rows.filter(provider_slug=provider_slug)
    sums = {name: Sum(name) for name in CallHour.COUNTS}
    by_slot = {row["slot"]: _figures(row) for row in rows.order_by().values(slot=Trunc("hour", step)).annotate(**sums)}
    slots = [Slot(at, by_slot.get(at, Figures())) for at in _slots(began, step)]
    by_route = rows.order_by().values("provider_slug", "method", "route").annotate(**sums)
    found = [Route(row["provider_slug"], row["method"], row["route"], _figures(row)) for row in by_route]
    often = [route for route in found if route.figures.calls >= FEW] or found
    slowest = sorted(often, key=lambda route: -route.figures.p95)
    failing = sorted(found, key=lambda route: -(route.figures.refused + route.figures.failed))
    return Report(
        slots,
        together(slot.figures for slot in slots),
        slowest[:MOST_ROUTES],
        [route for route in failing if route.figures.error_percent][:MOST_ROUTES],
        step,
    )


def _start(now: datetime, hours: int, step: str) -> datetime:
    """Return when the first slot began: the one under way is the last."""
    now = now.replace(minute=0, second=0, microsecond=0)
    if step == "day":
        now = now.replace(hour=0)
    return now - timedelta(hours=hours) + (timedelta(hours=1) if step == "hour" else timedelta(days=1))


def _slots(began: datetime, step: str) -> list[datetime]:
    length = timedelta(hours=1) if step == "hour" else timedelta(days=1)
    count = int((clock.now() - began) / length) + 1
    return [began + number * length for number in range(count)]


def _figures(row: Mapping[str, Any]) -> Figures:
    spread = tuple(row[name] for name in CallHour.COLUMNS)
    return Figures(row["calls"], row["refused"], row["failed"], row["milliseconds"], spread)


def together(found: Iterable[Figures]) -> Figures:
    """Add figures up."""
    counts: Counter[str] = Counter()
    spread = [0] * len(CallHour.COLUMNS)
    for each in found:
        counts.update(calls=each.calls, refused=each.refused, failed=each.failed, milliseconds=each.milliseconds)
        spread = [sum(pair) for pair in zip(spread, each.spread or [0] * len(spread), strict=True)]
    return Figures(counts["calls"], counts["refused"], counts["failed"], counts["milliseconds"], tuple(spread))
