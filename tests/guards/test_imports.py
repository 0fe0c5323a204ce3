"""Who may import what: the layer contracts of pyproject.toml, and the few modules that touch the cryptography library."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from click.testing import CliRunner
from importlinter.cli import lint_imports_command

ROOT = Path(__file__).parents[2]
CRYPTOGRAPHERS = {"field_api/platform/sealing.py", "field_api/platform/signatures.py", "sync/phone/crypto.py"}
PACKAGES = ("doorstep", "field_api", "sync", "media")


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def _modules() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]


def test_the_layer_contracts_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(lint_imports_command, ["--no-cache"])
    assert result.exit_code == 0, result.output


def test_only_named_modules_import_cryptography() -> None:
    users = {str(path.relative_to(ROOT)) for path in _modules() if "cryptography" in _imports(path)}
    assert users <= CRYPTOGRAPHERS, users - CRYPTOGRAPHERS


def test_migrations_import_nothing_from_the_application() -> None:
    users = {p.name: _imports(p) & set(PACKAGES) for p in (ROOT / "migrations").rglob("*.py")}
    assert not {name for name, found in users.items() if found}
