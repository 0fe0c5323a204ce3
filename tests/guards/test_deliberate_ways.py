"""The ways to a secret that no language can close are used where they are meant to be, and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("doorstep", "field_api", "sync", "media")

AROUND_REVEAL = {"field_api/domain/confidential.py", "field_api/platform/columns.py"}
"""The value itself, and its way into the database."""

SHOWS_LOCALS = {
    "capture_locals", "show_locals", "dict_tracebacks", "ExceptionDictTransformer", "cgitb", "DebuggedApplication",
    "use_debugger", "use_evalex", "RichHandler",
}  # fmt: skip
"""Names by which a traceback gets the values of a frame: what was revealed there would be printed."""


def trees() -> Iterator[tuple[str, ast.AST]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def names(tree: ast.AST) -> Iterator[str]:
    """Every name that is read, imported, accessed or given as a keyword."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (part for alias in node.names for part in alias.name.split("."))


def test_nothing_goes_around_reveal_but_the_columns() -> None:
    around = {path for path, tree in trees() if _goes_around(tree)}
    assert around == AROUND_REVEAL


def _goes_around(tree: ast.AST) -> bool:
    slots = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}  # getattr(secret, "_value")
    return "_value" in slots | texts or "sealed_value_of" in set(names(tree))


def test_no_traceback_is_made_with_the_values_of_its_frames() -> None:
    assert not {(path, name) for path, tree in trees() for name in SHOWS_LOCALS & set(names(tree))}


def test_no_server_runs_with_a_debugger() -> None:
    found = {
        path
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "debug" and getattr(node.value, "value", True)
    }
    assert not found


def test_the_search_finds_what_it_looks_for() -> None:
    planted = ast.parse("import cgitb\nx = secret._value\nf(capture_locals=True)\nfrom a import sealed_value_of")
    assert {"cgitb", "_value", "capture_locals", "sealed_value_of"} <= set(names(planted))
    for way in ("x = secret._value", 'x = getattr(secret, "_value")', "from a import sealed_value_of as of"):
        assert _goes_around(ast.parse(way))
    assert not _goes_around(ast.parse("def _value(): return _value()"))
