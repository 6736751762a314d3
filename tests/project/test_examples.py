"""The example is a project of its own: small to bind, and it imports nothing of ours.

That it runs, and what is found in it, is shown by ``tests/project/test_wheel.py``.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.commandline import REPO

EXAMPLES = REPO / "examples"
PROJECT = EXAMPLES / "mapmill"
BINDING = PROJECT / "mapmill" / "binding.py"
README = (EXAMPLES / "README.md").read_text(encoding="utf-8")
LIMIT = 80
"""A stranger binds a system in fewer lines than this, blank ones not counted."""


def lines_of(source: str) -> int:
    return sum(bool(line.strip()) for line in source.splitlines())


def of_ours(source: str) -> set[str]:
    """Which of our packages ``source`` imports, anywhere."""
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [
        node.module or "" if isinstance(node, ast.ImportFrom) else alias.name
        for node in imports
        for alias in node.names
    ]
    return {name.split(".")[0] for name in names} & {"statemachine", "models_under_test", "tests"}


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_the_binding_is_short() -> None:
    assert lines_of(read(BINDING)) < LIMIT


def test_only_the_binding_knows_the_verifier() -> None:
    modules = [
        path for path in PROJECT.rglob("*.py") if path.relative_to(PROJECT).parts[0] != ".statemachine"
    ]
    importing = {path: of_ours(read(path)) for path in modules}
    assert len(importing) > 8
    assert importing.pop(BINDING) == {"statemachine"}
    assert {path for path, names in importing.items() if names} == set()


@pytest.mark.parametrize(
    "line",
    [
        "import statemachine",
        "import os, models_under_test.domain as d",
        "def f():\n    from models_under_test.models import AIJob",
    ],
)
def test_an_import_of_ours_is_seen(line: str) -> None:
    assert of_ours(f"import json\n{line}\n")


def test_blank_lines_are_not_counted() -> None:
    assert lines_of("a = 1\n\n   \n# why\nb = 2\n") == 3


def changed(diff: str) -> list[str]:
    """The lines that a diff takes away and puts in, without its header."""
    return [line for line in diff.splitlines() if re.match(r"[-+] ", line)]


def test_the_mend_is_one_line_and_the_one_that_the_readme_shows() -> None:
    patch = changed(read(PROJECT / "heartbeat.patch"))
    assert [line[0] for line in patch] == ["-", "+"]
    assert patch[0][1:] in read(PROJECT / "renders" / "claims.py").splitlines()
    shown = re.search(r"```diff\n(.*?)```", README, re.S)
    assert shown
    assert changed(shown[1]) == patch
