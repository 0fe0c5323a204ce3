"""Every setting that a process reads from its environment stands in .env.example, and nothing else does."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("doorstep", "field_api", "sync", "media", "migrations")
ENVIRONMENTS = {"env", "environment"}
DOCUMENTED = re.compile(r"^(?:# )?([A-Z][A-Z0-9_]+)=", re.MULTILINE)
OURS = re.compile(r"DOORSTEP_[A-Z0-9_]*[A-Z0-9]")


def _is_environment(node: ast.expr) -> bool:
    """`os.environ`, or a mapping that goes by such a name. What WSGI calls `environ` is none."""
    if isinstance(node, ast.Attribute):
        return node.attr == "environ" and isinstance(node.value, ast.Name) and node.value.id == "os"
    return isinstance(node, ast.Name) and node.id in ENVIRONMENTS


def _key_of(node: ast.AST) -> ast.expr | None:
    """What is looked up, where this is a look-up in an environment."""
    if isinstance(node, ast.keyword) and node.arg == "envvar":  # click's
        return node.value
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _is_environment(node.value):
        return node.slice
    if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Attribute):
        if node.func.attr in {"get", "pop", "setdefault"} and _is_environment(node.func.value):
            return node.args[0]
        if node.func.attr == "getenv":
            return node.args[0]
    return None


def settings_read(source: str) -> set[str]:
    """Names looked up in an environment, and every literal that is a name of ours, wherever it stands.

    Raises ValueError where a name is put together at run time, or where `environ` is imported by itself: neither would
    be seen here.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "os" and any(a.name == "environ" for a in node.names):
            raise ValueError(f"line {node.lineno}: say os.environ")
        key = _key_of(node)
        if key is not None:
            if not isinstance(key, ast.Constant):
                raise ValueError(f"line {key.lineno}: a setting's name is written out")
            names.add(str(key.value))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and OURS.fullmatch(node.value):
            names.add(node.value)
    return names


def test_the_example_lists_exactly_the_settings_that_are_read() -> None:
    read = set().union(
        *(settings_read(path.read_text(encoding="utf-8")) for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
    )
    documented = set(DOCUMENTED.findall((ROOT / ".env.example").read_text(encoding="utf-8")))
    assert "DOORSTEP_HOME" in read
    assert read - documented == set(), "read from the environment, not in .env.example"
    assert documented - read == set(), "in .env.example, read by nobody"


def test_every_way_of_reading_is_seen() -> None:
    source = (
        "import os\n"
        "a = os.environ['A1'], os.environ.get('A2', ''), os.getenv('A3')\n"
        "def f(environment, env):\n"
        "    return environment['A4'], env.get('A5')\n"
        "b = {'DOORSTEP_A6': 1}\n"
        "click.option('--a', envvar='A7')\n"
        "os.environ['WRITTEN'] = request.environ.get('REQUEST_URI')\n"
    )
    assert settings_read(source) == {"A1", "A2", "A3", "A4", "A5", "DOORSTEP_A6", "A7"}
    for unseen in ("import os\nos.environ['A' + b]", "from os import environ"):
        with pytest.raises(ValueError):
            settings_read(unseen)
