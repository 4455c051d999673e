"""Accent colours: whatever one is chosen, what is written in it and on it can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.portal.colours import DARK_PANEL, LIGHT_PANEL, READABLE, contrast, palette

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21), ("#777777", "#ffffff", 4.48), ("#1868db", "#1868db", 1), ("#ff0000", "#0000ff", 2.15)],
)
def test_the_ratio_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert contrast(one, other) == contrast(other, one)


@given(COLOURS)
def test_every_colour_can_be_read_everywhere(color: str) -> None:
    found = palette(color)

    assert contrast(found.text.color, found.accent) >= READABLE
    assert contrast(found.on_light.color, LIGHT_PANEL) >= READABLE
    assert contrast(found.on_dark.color, DARK_PANEL) >= READABLE


def test_a_pale_colour_is_darkened_on_white_and_says_so() -> None:
    found = palette("#FFCC00")

    assert (found.text.color, found.on_dark.is_changed) == ("#000000", False)
    assert found.on_light.is_changed
    assert found.on_light.was == pytest.approx(1.36, abs=0.01)


def test_a_readable_colour_stays_as_it_is() -> None:
    assert palette("#0f6b66").on_light.color == "#0f6b66"


def test_the_panels_are_those_of_the_stylesheet() -> None:
    from django.conf import settings

    theme = (settings.BASE_DIR / "static/css/theme.css").read_text()

    assert f"--pb-sunken: light-dark({LIGHT_PANEL}," in theme
    assert f"--pb-panel: light-dark(#ffffff, {DARK_PANEL});" in theme
