"""The catalogues of what end users read: `make messages` extracts, updates and compiles them; `ADD=it` adds a language.

Django's own tool needs GNU gettext on the machine; Babel is a package. A template is turned into something that looks
like Python first, as Django does it.
"""

import io
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
LOCALE = ROOT / "integrations" / "locale"
SOURCES = ("integrations", "workflows", "templates/portal")
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("_", "gettext", "gettext_noop", "gettext_lazy"), None),
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
# {name} and %(name)s: what is filled in.
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}|</?\w+>")


HEADER_DATE = datetime(2026, 1, 1, tzinfo=UTC)


def extracted() -> Catalog:
    """Return what the sources say now."""
    catalog = Catalog(charset="utf-8")
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*")):
            if path.suffix in (".py", ".html") and "sandbox" not in path.parts:
                for message in _messages(path):
                    catalog.add(message)
    return catalog


def _messages(path: Path) -> Iterator[Any]:
    text = path.read_text()
    if path.suffix == ".html":
        text = "\n".join(line.strip() for line in templatize(text).splitlines())
    elif "django.utils.translation" not in text:
        return
    for _, _, message, _ in extract_python(io.BytesIO(text.encode()), list(KEYWORDS), [], {}):
        if message:  # nothing where a variable is translated
            yield message[:2] if isinstance(message, tuple) else message


def languages() -> list[str]:
    return sorted(folder.name for folder in LOCALE.iterdir() if folder.is_dir())


def po(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    path = po(language)
    with path.open("rb") if path.exists() else io.BytesIO() as file:
        catalog = read_po(file, locale=language)
    # A header that changes with every run would make a difference where there is none.
    catalog.project, catalog.version, catalog.fuzzy = "Patchbay", "", False
    catalog.creation_date = catalog.revision_date = HEADER_DATE
    catalog.last_translator = catalog.language_team = catalog.msgid_bugs_address = ""
    catalog.header_comment = "# What the portal and its windows say."
    return catalog


def compiled(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def placeholders(text: Any) -> list[str]:
    return sorted(PLACEHOLDER.findall(text if isinstance(text, str) else "".join(text)))


def update(language: str, sources: Catalog) -> int:
    """Bring a language in line with the sources; return how many texts it lacks."""
    path = po(language)
    catalog = read(language)
    # No guesses: a text that changed is translated anew.
    catalog.update(sources, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.creation_date, catalog.charset = HEADER_DATE, "utf-8"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=110, no_location=True, sort_output=True)
    path.with_suffix(".mo").write_bytes(compiled(catalog))
    return sum(1 for message in catalog if message.id and not message.string)


def main() -> None:
    sources = extracted()
    wanted = os.environ.get("ADD", "")
    for language in sorted({*languages(), *([wanted] if wanted else [])}):
        missing = update(language, sources)
        print(f"{language}: {missing} to translate" if missing else f"{language}: complete")
    if wanted:
        print(
            f"Translate {po(wanted).relative_to(ROOT)} and run it again; add “{wanted}” to LANGUAGES in the settings."
        )


if __name__ == "__main__":
    sys.exit(main())
