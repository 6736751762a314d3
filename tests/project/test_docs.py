"""What the pages name exists: files, sections, modules, commands, options, claims and words."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from statemachine import plugin
from statemachine.__main__ import COMMANDS
from statemachine.invariants import ALL
from statemachine.search.engine import PROFILES

ROOT = next(path for path in Path(__file__).parents if (path / "pyproject.toml").exists())
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("README.md")])
TOP = "statemachine|tests|docs|models_under_test|benchmarks|examples"
WORDS_OF_THE_PROJECT = (
    *("lane", "claim", "reach", "stray", "drain", "receive", "sweep", "tenant", "fencing token", "attempt"),
    *("holder", "takeover", "lease", "visibility timeout", "receipt handle", "redelivery", "dlq", "redrive"),
    *("delivery", "binding", "defect", "corpus", "signature", "situation", "interleaving", "shrink"),
    *("replay", "certificate", "soak"),
)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose(page: str) -> str:
    """The page without its blocks of code and output."""
    return re.sub(r"^( *)```.*?^\1```", "", page, flags=re.S | re.M)


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading.

    >>> slug("## What it cannot show, and `why`")
    'what-it-cannot-show-and-why'
    """
    return re.sub(r"[^\w\- ]", "", heading.lstrip("#").strip().lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    return {slug(line) for line in prose(read(path)).splitlines() if line.startswith("#")}


def lacking_links(path: Path) -> list[str]:
    """The relative links of a page that lead to no file, or to no section of it."""
    lacking = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(read(path))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lacking.append(link)
    return lacking


def lacking_paths(page: str, *folders: str) -> list[str]:
    """The paths below the root, or one of ``folders``, that a page names and that do not exist."""
    named = re.findall(rf"(?<![\w./-])((?:{TOP}|\.ci|\.github)/[\w./*-]*\w[\w*]*/?)", page)
    if folders:
        named += re.findall(r"`([\w./*]+/[\w./*]*|\w+\.(?:py|md|toml))`", page)
    places = [ROOT, *(ROOT / folder for folder in folders)]
    return [
        name
        for name in dict.fromkeys(named)
        if not name.startswith(".statemachine/")
        and "NAME" not in name
        and not any(list(p.glob(name)) for p in places)
    ]


def lacking_modules(page: str) -> list[str]:
    """The ``package.module:Name`` of this repository that a page names and that cannot be imported."""
    named = re.findall(rf"(?<![\w./-])((?:{TOP})(?:\.\w+)+):\w+", page)
    return [name for name in dict.fromkeys(named) if find_spec(name) is None]


def options() -> set[str]:
    """The options that a run adds to those of pytest."""

    class Group:
        names: set[str] = set()  # noqa: RUF012  one for all

        def addoption(self, *names: str, **settings: Any) -> None:
            self.names.update(names)

    class Parser:
        def getgroup(self, *names: str) -> Group:
            return Group()

    plugin.pytest_addoption(Parser())  # type: ignore[arg-type]
    return Group.names


def first_cells(page: str) -> list[str]:
    return re.findall(r"^\| (`[^|]+) \|", page, re.M)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    assert lacking_links(path) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_of_the_repository_that_is_named_exists(path: Path) -> None:
    assert lacking_paths(read(path), *(["statemachine"] if path.name == "ARCHITECTURE.md" else [])) == []
    assert lacking_modules(read(path)) == []


def test_a_path_or_a_link_that_is_wrong_is_found(tmp_path: Path) -> None:
    page = (
        "`statemachine/gone.py`, `tests/conftest.py`, `statemachine/history/`, `docs/no/`, `history/gone.py`"
    )
    assert lacking_paths(page) == ["statemachine/gone.py", "docs/no/"]
    assert lacking_paths(page, "statemachine") == ["statemachine/gone.py", "docs/no/", "history/gone.py"]
    assert lacking_modules("`models_under_test.gone:Binding`, `theirs.binding:Binding`") == [
        "models_under_test.gone"
    ]
    (tmp_path / "page.md").write_text(
        "# One, two\n\n[a](#one-two) [b](#three) [c](gone.md) [d](https://e.f)\n"
    )
    assert lacking_links(tmp_path / "page.md") == ["#three", "gone.md"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_named_exists(path: Path) -> None:
    named = set(re.findall(r"python -m statemachine ([a-z][a-z-]+)", read(path)))
    assert named <= {command.name for command in COMMANDS}


def test_the_page_of_options_lists_all_of_them_and_all_commands() -> None:
    of_a_run, of_others, commands = re.split(
        r"^Of Hypothesis|^## Other commands", read(ROOT / "docs" / "options.md"), flags=re.M
    )
    assert {cell.strip("`").split()[0] for cell in first_cells(of_a_run)} == options()
    assert {cell.strip("`").split()[0] for cell in first_cells(commands)} == {
        command.name for command in COMMANDS
    }
    assert f"{PROFILES['ci']:,} examples in place of {PROFILES['dev']:,}" in of_others


def test_the_page_of_claims_lists_them_in_the_order_of_blame() -> None:
    assert first_cells(read(ROOT / "docs" / "claims.md")) == [f"`{claim.name}`" for claim in ALL]


def test_the_page_of_the_gate_says_of_each_claim_where_it_comes_from() -> None:
    page = read(ROOT / "docs" / "gate.md")
    table = page.partition("### Which claim comes from which section\n")[2].partition("\n### ")[0]
    assert re.findall(r"^\| `(\w+)` \| (.+) \|$", table, re.M) == [
        (claim.name, claim.section) for claim in ALL
    ]


def test_the_glossary_has_the_words_of_the_project_in_order() -> None:
    headings = re.findall(r"^### (.+)$", read(ROOT / "docs" / "glossary.md"), re.M)
    words = [heading.lower() for heading in headings]
    assert words == sorted(words)
    assert set(WORDS_OF_THE_PROJECT) <= set(words)


def test_the_index_names_every_page() -> None:
    index = read(ROOT / "docs" / "README.md")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert {name for name in pages if f"]({name})" not in index} == set()
