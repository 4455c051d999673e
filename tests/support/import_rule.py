"""Check two rules of the house: integrations never imports workflows, and nothing outside its folder names a provider.

Comments and docstrings may give a provider as an example; code, templates and scripts may not.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ["config", "integrations", "workflows", "manage.py"]
PAGES = ["templates", "static"]
# The one line that names providers.
CATALOG = Path("integrations/providers/__init__.py")
SCRIPT_COMMENTS = re.compile(r"/\*.*?\*/|^\s*//.*?$|\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", re.S | re.M)


def problems(root: Path, slugs: list[str]) -> Iterator[str]:
    """Yield a sentence for each breach."""
    for path in _files(root, CODE, {".py"}):
        tree = ast.parse(path.read_text())
        if path.is_relative_to(root / "integrations"):
            yield from _imports_of_workflows(path.relative_to(root), tree)
        if not _may_name(path.relative_to(root), slugs):
            yield from _names_in_code(path.relative_to(root), tree, slugs)
    for path in _files(root, PAGES, {".html", ".txt", ".js", ".css", ".svg"}):
        if not _may_name(path.relative_to(root), slugs):
            yield from _names_in_page(path.relative_to(root), path.read_text(), slugs)


def _files(root: Path, tops: list[str], suffixes: set[str]) -> Iterator[Path]:
    for top in tops:
        start = root / top
        found = [start] if start.is_file() else sorted(start.rglob("*"))
        yield from (path for path in found if path.suffix in suffixes)


def _may_name(path: Path, slugs: list[str]) -> bool:
    own = [Path(top, slug) for slug in slugs for top in ("integrations/providers", "templates/integrations")]
    return path == CATALOG or path.is_relative_to("static/integrations") or any(path.is_relative_to(o) for o in own)


def _imports_of_workflows(path: Path, tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if any(module.split(".")[0] == "workflows" for module in modules):
            yield f"{path}:{node.lineno}: integrations must not import workflows; go through extension.py."


def _names_in_code(path: Path, tree: ast.AST, slugs: list[str]) -> Iterator[str]:
    docstrings = {id(text) for node in ast.walk(tree) if (text := _docstring(node))}
    for node in ast.walk(tree):
        if id(node) not in docstrings and any(_names(slug, _words_of(node)) for slug in slugs):
            yield f"{path}:{getattr(node, 'lineno', 0)}: names a provider; move it into integrations/providers/<slug>/."


def _docstring(node: ast.AST) -> ast.AST | None:
    body = getattr(node, "body", None)
    if isinstance(body, list) and body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        return body[0].value
    return None


def _words_of(node: ast.AST) -> str:
    """Return what a node itself says: a text, a name, an attribute, an imported module; not what it contains."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    fields = (getattr(node, name, None) for name in ("id", "attr", "name", "arg", "module", "asname"))
    return " ".join(value for value in fields if isinstance(value, str))


def _names_in_page(path: Path, text: str, slugs: list[str]) -> Iterator[str]:
    # Comments give way to as many line ends, so that line numbers stay right.
    spoken = SCRIPT_COMMENTS.sub(lambda match: "\n" * match.group().count("\n"), text)
    for number, line in enumerate(spoken.splitlines(), start=1):
        if any(_names(slug, line) for slug in slugs):
            yield f"{path}:{number}: names a provider; take it from the provider's own data or templates."


def _names(slug: str, text: str) -> bool:
    return bool(re.search(rf"(?<![a-z]){re.escape(slug)}(?![a-z])", text, re.IGNORECASE))


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from integrations.providers import SLUGS

    found = list(problems(ROOT, SLUGS))
    print("\n".join(found) or "The import rule holds.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
