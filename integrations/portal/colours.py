"""Colours that can be read: contrast after WCAG 2.2, and the shades of a colour that have enough of it."""

import re
from dataclasses import dataclass

HEX = re.compile(r"#[0-9a-f]{6}")
WHITE, BLACK = "#ffffff", "#000000"
# What is hardest to read on, in light and in dark: --pb-sunken and --pb-panel of theme.css.
LIGHT_PANEL, DARK_PANEL = "#f1f3f4", "#191f22"
READABLE = 4.5
STEPS = 50


@dataclass(frozen=True)
class Shade:
    """A colour as it is used somewhere. `was` is the contrast of the colour it was made from, where it is another."""

    color: str
    contrast: float
    was: float = 0

    @property
    def is_changed(self) -> bool:
        return bool(self.was)


@dataclass(frozen=True)
class Palette:
    """One accent colour, and what follows from it: the text on it, and its shades for links, focus and switches."""

    accent: str
    text: Shade
    on_light: Shade
    on_dark: Shade


def palette(accent: str) -> Palette:
    """Return the palette of "#rrggbb"."""
    accent = accent.lower()
    text = max((WHITE, BLACK), key=lambda color: contrast(color, accent))
    return Palette(
        accent,
        Shade(text, contrast(text, accent)),
        _readable(accent, LIGHT_PANEL, towards=BLACK),
        _readable(accent, DARK_PANEL, towards=WHITE),
    )


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, between 1 and 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _readable(color: str, panel: str, *, towards: str) -> Shade:
    """Return the colour, or the nearest mixture that can be read on the panel. The furthest one always can."""
    own = contrast(color, panel)
    if own >= READABLE:
        return Shade(color, own)
    shades = (_mixed(color, towards, step / STEPS) for step in range(1, STEPS + 1))
    found = next(shade for shade in shades if contrast(shade, panel) >= READABLE)
    return Shade(found, contrast(found, panel), was=own)


def _luminance(color: str) -> float:
    """Source: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    red, green, blue = (_linear(value / 255) for value in _parts(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _mixed(color: str, other: str, share: float) -> str:
    pairs = zip(_parts(color), _parts(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def _parts(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
