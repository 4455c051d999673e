"""Charts as plain SVG: what is drawn is worked out here, the template only writes it down."""

from collections.abc import Sequence
from dataclasses import dataclass

from integrations.call_stats import Slot

Point = tuple[float, float]

WIDTH, HEIGHT, AXIS, BOTTOM, TOP = 720, 180, 62, 22, 10
PLOT = WIDTH - AXIS


@dataclass(frozen=True)
class Bar:
    """A slot's column, in three parts from the bottom: went well, refused, failed. All in pixels."""

    x: float
    width: float
    parts: list[tuple[str, float, float]]
    title: str


@dataclass(frozen=True)
class Chart:
    """`lines` are (name, points), each point (x, y); `labels` (x, text) below, `ticks` (y, text) at the newest."""

    bars: list[Bar]
    lines: list[tuple[str, list[Point]]]
    ticks: list[tuple[float, str]]
    labels: list[tuple[float, str]]
    width: int = WIDTH
    height: int = HEIGHT
    plot: int = PLOT
    base: int = HEIGHT - BOTTOM


def calls_chart(slots: Sequence[Slot], step: str) -> Chart:
    peak = _ceiling(max((slot.figures.calls for slot in slots), default=0))
    place = PLOT / max(len(slots), 1)
    bars = []
    for number, slot in enumerate(slots):
        low, parts = 0, []
        for name, count in (
            ("good", slot.figures.good),
            ("refused", slot.figures.refused),
            ("failed", slot.figures.failed),
        ):
            if count:
                parts.append((name, _y(low + count, peak), _y(low, peak) - _y(low + count, peak)))
            low += count
        counts = slot.figures
        words = f"{_when(slot, step)}: {counts.calls} calls, {counts.refused} refused, {counts.failed} failed"
        bars.append(Bar(round(number * place + place * 0.12, 1), round(place * 0.76, 1), parts, words))
    return Chart(bars, [], _ticks(peak, ""), _labels(slots, step, place))


def latency_chart(slots: Sequence[Slot], step: str) -> Chart:
    peak = _ceiling(max((slot.figures.p95 for slot in slots), default=0))
    place = PLOT / max(len(slots), 1)
    lines = []
    for name in ("p50", "p95"):
        points = [
            (round((number + 0.5) * place, 1), _y(getattr(slot.figures, name), peak))
            for number, slot in enumerate(slots)
            if slot.figures.calls
        ]
        lines.append((name, points))
    return Chart([], lines, _ticks(peak, " ms"), _labels(slots, step, place))


def _y(value: float, peak: int) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / peak, 1)


def _ceiling(value: int) -> int:
    """Return the next round number that can be halved: 2, 4, 6, 8 or 10 times a power of ten."""
    power = 1
    while value > 10 * power:
        power *= 10
    return next(factor * power for factor in (2, 4, 6, 8, 10) if value <= factor * power)


def _ticks(peak: int, unit: str) -> list[tuple[float, str]]:
    return [(_y(value, peak), f"{value:,}{unit}") for value in (0, peak // 2, peak)]


def _labels(slots: Sequence[Slot], step: str, place: float) -> list[tuple[float, str]]:
    every = max(1, len(slots) // 6)
    text = "%H:%M" if step == "hour" else "%-d %b"
    return [
        (round((number + 0.5) * place, 1), slot.at.strftime(text))
        for number, slot in enumerate(slots)
        if number % every == every // 2
    ]


def _when(slot: Slot, step: str) -> str:
    return slot.at.strftime("%-d %b, %H:%M" if step == "hour" else "%-d %b")
