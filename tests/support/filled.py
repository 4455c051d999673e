"""A form as a browser that runs no script would send it."""

from html.parser import HTMLParser
from typing import Any


def filled(response: Any, field: str, **typed: Any) -> dict[str, Any]:
    """Return what the form with `field` in it sends, once what is `typed` was typed; None unticks a box."""
    reader = Reader()
    reader.feed(response.content.decode())
    found = next(form for form in reader.forms if field in form)
    return {name: value for name, value in {**found, **typed}.items() if value is not None}


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self._text = ""  # the name of the textarea that is being read
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "form":
            self.forms.append({})
        elif tag == "textarea":
            self._text = name
            self._keep(name, "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            self._keep(self._select, value)
        elif tag == "input" and name and "disabled" not in given and is_sent(given):
            self._keep(name, value or ("on" if given.get("type") == "checkbox" else ""))

    def handle_endtag(self, tag: str) -> None:
        self._text = "" if tag == "textarea" else self._text

    def handle_data(self, data: str) -> None:
        if self._text:
            # The line break after the tag is none of the text, and all others are sent as two characters.
            self.forms[-1][self._text] = data.removeprefix("\n").replace("\n", "\r\n")

    def _keep(self, name: str, value: str) -> None:
        form = self.forms[-1]
        if name in form:
            form[name] = [*(form[name] if isinstance(form[name], list) else [form[name]]), value]
        else:
            form[name] = value


def is_sent(given: dict[str, str | None]) -> bool:
    return given.get("type") not in ("checkbox", "radio") or "checked" in given
