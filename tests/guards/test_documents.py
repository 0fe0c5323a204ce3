"""The documents speak of what is there: links lead somewhere, files and functions that they name exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
GUIDE = ROOT / "CONTRIBUTING.md"

CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:[\w.-]+/)*(?:[\w-]+\.[a-z]+|[\w.-]+/))`")
FUNCTION = re.compile(r"`((?:[\w-]+/)+\w+\.py)` `(\w+)\(\)`")


def prose(document: Path) -> str:
    return CODE_BLOCK.sub("", document.read_text(encoding="utf-8"))


def dead_links(document: Path) -> list[str]:
    """Relative links whose file is not there; an address with a scheme is not followed."""
    targets = [target for target in LINK.findall(prose(document)) if not re.match(r"[a-z]+:|#", target)]
    return [target for target in targets if not (document.parent / target.partition("#")[0]).exists()]


def missing_paths(document: Path) -> list[str]:
    """Paths in backticks, from the project's root: `a/b.py`, `a/b/`. A bare file name is none."""
    return [name for name in PATH.findall(prose(document)) if "/" in name and not (ROOT / name).exists()]


def missing_functions(document: Path) -> list[str]:
    """Functions and methods named as `a/b.py` `function()`."""
    named = [(name, function) for name, function in FUNCTION.findall(prose(document)) if (ROOT / name).is_file()]
    return [
        f"{name} {function}"
        for name, function in named
        if not re.search(rf"^\s*(async )?def {function}\(", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    ]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(document: Path) -> None:
    assert dead_links(document) == []


@pytest.mark.parametrize("document", [ROOT / "README.md", GUIDE], ids=lambda path: path.name)
def test_every_path_that_is_named_exists(document: Path) -> None:
    assert missing_paths(document) == []


def test_every_function_that_the_guide_walks_through_exists() -> None:
    assert missing_functions(GUIDE) == []


def test_the_guide_names_both_walks_file_by_file() -> None:
    """Enough to find something in: an empty guide would pass every test above."""
    walked = {name for name, _ in FUNCTION.findall(prose(GUIDE))}
    assert {"doorstep/app.py", "field_api/http/papers.py", "sync/door/ops.py", "sync/office/apply.py"} <= walked


def test_what_does_not_exist_is_found(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text(
        "[there](a.md) [gone](b.md) [out](https://example.org/c.md)\n"
        "`doorstep/app.py` `office_app()` `doorstep/app.py` `no_such()` `doorstep/gone.py` `doorstep/` `gone/`\n"
        "```\n[in code](d.md)\n```\n"
    )
    assert dead_links(document) == ["b.md"]
    assert missing_paths(document) == ["doorstep/gone.py", "gone/"]
    assert missing_functions(document) == ["doorstep/app.py no_such"]


def test_every_dependency_has_its_reason() -> None:
    """docs/adr/0005-dependencies.md has a row for each package of pyproject.toml, and for none that went."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    wanted = {_package(line) for group in groups for line in group}
    text = (ROOT / "docs" / "adr" / "0005-dependencies.md").read_text(encoding="utf-8").partition("## Left out")[0]
    first_cells = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    reasoned = {_package(name) for cell in first_cells for name in cell.split(", ")} - {"package"}
    assert wanted ^ reasoned == set()


def _package(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9_.-]+", requirement)
    assert found is not None, requirement
    return found[0].lower()
