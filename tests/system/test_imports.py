"""The modules of the bundled system import one another in one direction, hints and lazy imports included.

Tests below ``tests/project`` hold the same of statemachine/, where an import for a type hint alone is free.
A system that others read as an example has no need of that.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.support.commandline import REPO

SYSTEM = "models_under_test"


def sources() -> dict[str, str]:
    """Source by dotted name, a package's ``__init__`` under the name of the package."""
    return {
        ".".join(path.relative_to(REPO).with_suffix("").parts).removesuffix(".__init__"): path.read_text(
            "utf-8"
        )
        for path in (REPO / SYSTEM).rglob("*.py")
    }


def imported(module: str, source: str, modules: Mapping[str, str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in modules else node.module for name in inner]
        yield from (name for name in names if name in modules and name != module)


def circle_in(modules: Mapping[str, str]) -> list[str]:
    """A circle of modules, each imported by the next one; empty when there is none."""
    graph = {module: set(imported(module, source, modules)) for module, source in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_the_bundled_system_has_no_circle_of_imports() -> None:
    modules = sources()
    assert f"{SYSTEM}.fleets" in imported(f"{SYSTEM}.binding", modules[f"{SYSTEM}.binding"], modules)
    assert circle_in(modules) == []


@pytest.mark.parametrize(
    "line",
    [
        f"from {SYSTEM}.binding import AIJobsBinding",
        f"if TYPE_CHECKING:\n    from {SYSTEM} import binding",
        f"def later() -> None:\n    import {SYSTEM}.binding",
    ],
    ids=["at import", "for a type hint", "in a function"],
)
def test_a_circle_is_seen(line: str) -> None:
    modules = sources()
    modules[f"{SYSTEM}.fleets"] += f"\n{line}\n"
    assert set(circle_in(modules)) >= {f"{SYSTEM}.binding", f"{SYSTEM}.fleets"}
