"""Rich text for Jira: Markdown, plain text or ADF in, valid Atlassian Document Format out.

Source: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
"""

import json
import re
from typing import Any

import md_adf

from integrations.errors import PermanentError

FORMATS = ("markdown", "text", "adf")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
PARAGRAPHS = re.compile(r"\n\s*\n")


def document(value: Any, form: str, key: str) -> dict[str, Any]:
    """Return an ADF document. Raises PermanentError at the field `key` for ADF that is none."""
    if isinstance(value, dict) or form == "adf":
        return _given(value, key)
    text = CONTROL.sub("", str(value)).replace("\r\n", "\n").replace("\r", "\n")
    return from_markdown(text) if form == "markdown" else from_text(text)


def from_markdown(text: str) -> dict[str, Any]:
    """Return Markdown as a document; what the converter cannot say validly is kept as plain text."""
    try:
        found: Any = md_adf.markdown_to_adf(text).value
    except Exception:  # noqa: BLE001 (any text must become a document, whatever a young converter makes of it)
        return from_text(text)
    return found if isinstance(found, dict) and not _is_empty_text(found) else from_text(text)


def from_text(text: str) -> dict[str, Any]:
    """Return plain text as a document: a paragraph for each blank line, a hard break for each line."""
    blocks = [block.strip("\n") for block in PARAGRAPHS.split(text)]
    paragraphs = [{"type": "paragraph", "content": _lines(block)} for block in blocks if block.strip()]
    return {"type": "doc", "version": 1, "content": paragraphs or [{"type": "paragraph", "content": []}]}


def _lines(block: str) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = []
    for number, line in enumerate(block.split("\n")):
        if number:
            nodes.append({"type": "hardBreak"})
        if line:
            nodes.append({"type": "text", "text": line})
    return nodes


def _given(value: Any, key: str) -> dict[str, Any]:
    words = "This is not an Atlassian document: {“type”: “doc”, “version”: 1, “content”: […]}."
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("type") != "doc" or not isinstance(found.get("content"), list):
        raise PermanentError(words, fields={key: words})
    return {**found, "version": found.get("version", 1)}


def _is_empty_text(node: Any) -> bool:
    """Does the document hold a text node without text? Jira refuses the whole document then."""
    if not isinstance(node, dict):
        return False
    if node.get("type") == "text":
        return not node.get("text")
    return any(_is_empty_text(child) for child in node.get("content", []))
