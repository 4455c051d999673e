"""Atlassian Document Format: light checks on the way in, plain text for REST v2 and for search."""

from typing import Any

BLOCKS = {
    "paragraph",
    "heading",
    "bulletList",
    "orderedList",
    "listItem",
    "taskList",
    "taskItem",
    "decisionList",
    "decisionItem",
    "blockquote",
    "codeBlock",
    "panel",
    "rule",
    "table",
    "tableRow",
    "tableHeader",
    "tableCell",
    "expand",
    "nestedExpand",
    "mediaSingle",
    "mediaGroup",
    "media",
}
INLINE = {"text", "hardBreak", "mention", "emoji", "date", "status", "inlineCard"}


def problem(document: Any) -> str:
    """Return what is wrong with a document, "" for a sound one."""
    if not isinstance(document, dict) or document.get("type") != "doc":
        return "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
    if document.get("version") != 1 or not isinstance(document.get("content"), list):
        return "INVALID_INPUT: an Atlassian Document has version 1 and a list of content"
    return next((found for node in document["content"] if (found := _node_problem(node))), "")


def _node_problem(node: Any) -> str:
    if not isinstance(node, dict) or node.get("type") not in BLOCKS | INLINE:
        return f"INVALID_INPUT: unknown node {node.get('type') if isinstance(node, dict) else node!r}"
    if node["type"] == "text" and not node.get("text"):
        return "INVALID_INPUT: a text node must not be empty"
    return next((found for child in node.get("content", []) if (found := _node_problem(child))), "")


def text_of(document: Any) -> str:
    """Return a document as plain text, a line for each block."""
    if not isinstance(document, dict):
        return document or ""
    return "\n".join(_text(node) for node in document.get("content", []))


def _text(node: dict[str, Any]) -> str:
    if node.get("type") == "text":
        return str(node.get("text", ""))
    if node.get("type") == "hardBreak":
        return "\n"
    return "".join(_text(child) for child in node.get("content", []))


def from_text(text: str) -> dict[str, Any]:
    """Return a document with a paragraph for each line, as REST v2 and the pages take plain text."""
    lines = [line for line in text.splitlines() if line.strip()]
    paragraphs = [{"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in lines]
    return {"type": "doc", "version": 1, "content": paragraphs}
