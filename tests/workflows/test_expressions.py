"""{{ }} looks data up, and does nothing else: no attribute, no code, no second reading, in bounded time."""

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows import expressions
from workflows.expressions import Cut, ExpressionError, MissingError, compile_text, references, render, render_quoted

SCOPE: dict[str, Any] = {
    "trigger": {"title": "Disk is full", "labels": ["a", "b"], "n": 3, "none": None, "a b": {"x": 1}, "yes": True},
    "create_issue": {"key": "OPS-4"},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{trigger.title}}", "Disk is full"),
        ("{{ trigger.n }}", 3),
        ("{{trigger.labels}}", ["a", "b"]),
        ("{{trigger.labels[1]}}", "b"),
        ('{{trigger["a b"].x}}', 1),
        ("{{trigger.none}}", None),
        ("No. {{trigger.n}}: {{trigger.none}}!", "No. 3: !"),
        ("{{trigger.labels}} {{trigger.yes}}", '["a", "b"] true'),
        ('{{trigger.nothing | default("none")}}', "none"),
        ("{{trigger.nothing | default(trigger.title) | upper}}", "DISK IS FULL"),
        ('{{trigger.labels | join(" + ")}}', "a + b"),
        ('{{trigger.title | split(" ") | first}}', "Disk"),
        ("{{trigger.title | truncate(5)}}", "Disk…"),
        ('{{trigger.title | replace("full", "empty")}}', "Disk is empty"),
        ("{{trigger.labels | length}}", 2),
        ('{{"12.5" | number}}', 12.5),
        ('{{"2026-11-23T14:05:00.000+0200" | date("DD.MM.YYYY HH:mm")}}', "23.11.2026 12:05"),
        ('{{ "{{" }}', "{{"),
        ("a { b } {% c %} ${d}", "a { b } {% c %} ${d}"),
    ],
)
def test_what_it_says(text: str, value: Any) -> None:
    assert compile_text(text).render(SCOPE) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{trigger.nope}}", "trigger has no “nope”."),
        ("{{nobody.x}}", "There is no “nobody” here."),
        ("{{trigger.labels[7]}}", "trigger.labels has 2 items, so there is no [7]."),
        ("{{trigger.none.x}}", "trigger.none is null, so it has no x."),
        ("{{trigger.title.x}}", "trigger.title is a text, so it has no x."),
        ("{{trigger.n | upper}}", "“upper()” cannot be used on a number."),
        ("{{trigger.title | explode}}", "there is no filter “explode”"),
        ("{{trigger.title", "it is not closed by }}"),
        ("{{}}", "it is empty"),
        ("{{trigger.}}", "a name is missing"),
        ("{{trigger[-1]}}", "a whole number from 0"),
        ("{{trigger.title | truncate}}", "“truncate” takes 1 argument"),
        ("{{1 + 1}}", "“+ 1}}” cannot be read"),
    ],
)
def test_what_it_says_of_a_mistake(text: str, words: str) -> None:
    with pytest.raises(ExpressionError) as error:
        compile_text(text).render(SCOPE)

    assert words in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "{{trigger.__class__}}",
        "{{trigger.title.__class__.__mro__}}",
        "{{trigger.labels.append}}",
        "{{trigger.title.format}}",
        '{{trigger["__class__"]}}',
        "{{__import__('os')}}",
        "{{trigger.title()}}",
        "{{self}}",
        "{{constructor.constructor}}",
        "{{ {{trigger.title}} }}",
        "{{trigger.title | attr('x')}}",
        "{{lambda: 1}}",
        "{{[].x}}",
        "{{trigger.labels | map('upper')}}",
    ],
)
def test_no_attribute_and_no_code_is_ever_reached(text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_text(text).render(SCOPE)


@pytest.mark.parametrize(
    "value", ['","admin":true,"x":"', "{{trigger.title}}", "a\r\nb", '" OR 1=1', "}}{{secrets.X}}"]
)
def test_a_value_stays_one_value(value: str) -> None:
    rendered = render({"a": "{{v}}", "b": "<{{v}}>", "c": ["{{v}}"]}, {"v": value})

    assert rendered == {"a": value, "b": f"<{value}>", "c": [value]}


@given(JSON)
def test_one_expression_keeps_any_value_as_it_is(value: Any) -> None:
    assert render("{{v}}", {"v": value}) == value


@given(JSON)
def test_in_a_longer_text_any_value_becomes_text(value: Any) -> None:
    assert render("<{{v}}>", {"v": value}) == f"<{expressions.as_text(value)}>"


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    with suppress(ExpressionError):
        compile_text(text).render(SCOPE)


@given(st.text(alphabet="{}[]().|\"' abtrigger01_-,", max_size=40))
def test_anything_between_the_braces_is_read_or_refused_in_words(inner: str) -> None:
    with suppress(ExpressionError):
        compile_text("{{" + inner + "}}").render(SCOPE)


@given(st.text(), st.text())
def test_text_without_braces_is_left_alone(before: str, after: str) -> None:
    text = f"{before}{after}"
    if "{{" not in text:
        assert render(text, {}) == text


@pytest.mark.parametrize(
    "text",
    [
        "{{" * 50_000,
        "{{a" + ".b" * 40_000 + "}}",
        "{{a" + "|upper" * 10_000 + "}}",
        '{{"' + "\\" * 90_001 + '"}}',
        "{{ " + " " * 90_000 + "x",
        "{{x}}" * 300,
        "x" * 100_001 + "{{x}}",
    ],
    ids=["open braces", "deep path", "many filters", "backslashes", "spaces", "many expressions", "long text"],
)
def test_a_monster_is_refused_quickly(text: str) -> None:
    began = time.process_time()

    with pytest.raises(ExpressionError):
        compile_text(text)

    assert time.process_time() - began < 2


def test_a_result_has_an_end() -> None:
    with pytest.raises(ExpressionError, match="longer than 1,000,000"):
        render("{{v}}{{v}}", {"v": "x" * 600_000})


def test_a_deep_value_has_an_end() -> None:
    deep: Any = "{{v}}"
    for _ in range(100):
        deep = [deep]

    with pytest.raises(ExpressionError, match="nested too deeply"):
        render(deep, {"v": 1})


def test_an_output_that_was_cut_says_so() -> None:
    with pytest.raises(ExpressionError, match="search was 2,000,000 bytes, too large to keep"):
        render("{{search.issues}}", {"search": Cut(2_000_000)})


def test_default_does_not_hide_other_mistakes() -> None:
    with pytest.raises(ExpressionError, match="cannot be used on a number"):
        render("{{trigger.n | upper | default(1)}}", SCOPE)


def test_a_missing_path_is_an_error_of_its_own_kind() -> None:
    with pytest.raises(MissingError) as error:
        render("{{trigger.a.b}}", SCOPE)

    assert error.value.path == "trigger.a.b"


def test_what_a_text_looks_up() -> None:
    found = list(references({"a": "{{x.y[0]}}", "b": ['{{z | default(w["k k"])}}']}))

    assert [(str(path), may_miss) for path, may_miss in found] == [("x.y[0]", False), ("z", True), ('w["k k"]', False)]


def test_a_query_takes_values_quoted_as_it_says() -> None:
    def quote(value: Any, open_quote: str) -> str:
        return f"<{value}{open_quote}>"

    assert render_quoted('a = {{v}} and b ~ "x {{v}}"', {"v": 1}, quote) == 'a = <1> and b ~ "x <1">"'
    assert render_quoted("{{v}}", {"v": "project = OPS"}, quote) == "project = OPS"


@given(st.dictionaries(st.text(alphabet=st.characters(exclude_characters="{}"), min_size=1, max_size=6), st.integers()))
def test_any_key_can_be_named(found: dict[str, int]) -> None:
    for key, value in found.items():
        assert render("{{v[" + json.dumps(key, ensure_ascii=False) + "]}}", {"v": found}) == value
