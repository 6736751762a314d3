"""The shape of statemachine/: its entries and their floors, who imports whom, and where the tests stand.

Imports are read from the syntax trees of all modules.  The judging half must stay usable without Django
and Hypothesis: logs of real workers and saved histories are judged by it years later.  The rules are data
(``layers.py``); the checkers are held against planted mistakes, since one that sees nothing would pass
for ever.
"""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

import pytest

from tests.project.layers import MAY_IMPORT, OUTSIDE, PURE
from tests.support.commandline import REPO

US = "statemachine"
FORWARDS = "regression.py"
"""An entry that only imports: what it names is tested where it stands."""
MAX_LINES = 400
NO_ENTRIES = ("__init__.py", "__pycache__", "py.typed")
"""What stands in statemachine/ besides its entries."""


class Import(NamedTuple):
    """``module`` imports ``name``, at its own import or, ``lazy``, when a function is called."""

    module: str
    name: str
    lazy: bool


@functools.cache
def read_sources() -> dict[str, str]:
    """Source by dotted name below statemachine/ (a package's __init__ under the package's name)."""
    return {
        ".".join(path.relative_to(REPO / US).with_suffix("").parts)
        .removesuffix("__init__")
        .strip("."): path.read_text(encoding="utf-8")
        for path in (REPO / US).rglob("*.py")
    }


parsed = functools.cache(ast.parse)


class Written(NamedTuple):
    """An import as the source has it; ``name`` is what is taken ``of`` a module, "" for the module itself."""

    of: str
    name: str
    lazy: bool


@functools.cache
def written_in(module: str, source: str, is_package: bool) -> Sequence[Written]:
    """All imports but those under ``if TYPE_CHECKING``, which never happen."""

    def walk(node: ast.AST, lazy: bool) -> Iterator[Written]:
        if isinstance(node, ast.Import):
            yield from (Written(alias.name, "", lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = [US, *filter(None, module.split("."))]
                up = here[: len(here) - node.level + is_package]
                base = ".".join([*up, *filter(None, [base])])
            yield from (Written(base, alias.name, lazy) for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                yield from walk(child, lazy)
        else:
            inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for child in ast.iter_child_nodes(node):
                yield from walk(child, inside)

    return list(walk(parsed(source), lazy=False))


def imports_of(module: str, source: str, modules: Mapping[str, str]) -> Iterator[Import]:
    """What ``module`` imports, a submodule by its own name."""
    is_package = any(other.startswith(f"{module}.") for other in modules) or not module
    for base, name, lazy in written_in(module, source, is_package):
        inner = f"{base}.{name}"
        yield Import(module, inner if name and inner.removeprefix(f"{US}.") in modules else base, lazy)


def ours(name: str) -> str | None:
    """The name below statemachine/, None for a foreign one."""
    return name.removeprefix(US).removeprefix(".") if name.split(".")[0] == US else None


def problems(sources: Mapping[str, str]) -> list[str]:
    """What breaks a rule, a line each."""
    found = [found for module, source in sources.items() for found in imports_of(module, source, sources)]
    seen = [
        *_unlisted(sources),
        *_forbidden_edges(found),
        *_foreign_packages(found),
        *_impure(found, sources),
        *_cycle(found),
        *(f"{module} has more than {MAX_LINES} lines" for module in _long(sources)),
        *_namesakes(sources),
    ]
    return list(dict.fromkeys(seen))


def _unit(module: str) -> str:
    return module.split(".")[0]


def _unlisted(sources: Mapping[str, str]) -> Iterator[str]:
    for unit in sorted({_unit(module) for module in sources} - {""}):
        if unit not in MAY_IMPORT:
            yield f"{unit} is not in MAY_IMPORT: decide whom it may import"


def _forbidden_edges(found: list[Import]) -> Iterator[str]:
    for one in found:
        target, unit = ours(one.name), _unit(one.module)
        if target and unit in MAY_IMPORT and _unit(target) not in {unit, *MAY_IMPORT[unit]}:
            yield f"{one.module} imports {target}"


def _foreign_packages(found: list[Import]) -> Iterator[str]:
    for one in found:
        rule = OUTSIDE.get(one.name.split(".")[0])
        if rule is None or one.module in rule["anywhere"]:
            continue
        if not (one.lazy and one.module in rule["in functions"]):
            yield f"{one.module} imports {one.name}"


def _impure(found: list[Import], sources: Mapping[str, str]) -> Iterator[str]:
    """Pure modules from which a chain of imports, lazy or not, leads to a package of OUTSIDE."""
    edges: dict[str, set[str]] = {module: set() for module in sources}
    for one in found:
        edges[one.module].add(one.name)
    for start in (module for module in sources if _unit(module) in PURE):
        seen, todo = {start}, [start]
        while todo:
            for name in edges.get(todo.pop(), ()):
                if name.split(".")[0] in OUTSIDE:
                    yield f"{start} leads to {name}"
                parts = (ours(name) or "").split(".")
                # To import a.b is to import a as well.
                for target in {".".join(parts[:length]) for length in range(1, len(parts) + 1)} - seen - {""}:
                    seen.add(target)
                    todo.append(target)


def _cycle(found: list[Import]) -> Iterator[str]:
    graph: TopologicalSorter[str] = TopologicalSorter()
    for one in found:
        target = ours(one.name)
        if target and not one.lazy and target != one.module:
            graph.add(one.module, target)
    try:
        graph.prepare()
    except CycleError as error:
        yield f"cycle: {' ← '.join(error.args[1])}"


def _long(sources: Mapping[str, str]) -> Iterator[str]:
    return (module for module, source in sources.items() if len(source.splitlines()) > MAX_LINES)


@functools.cache
def classes_in(source: str) -> Sequence[str]:
    return [node.name for node in ast.walk(parsed(source)) if isinstance(node, ast.ClassDef)]


def _namesakes(sources: Mapping[str, str]) -> Iterator[str]:
    """Classes that share a name: a reader who meets it must not have to ask which one is meant."""
    named: dict[str, list[str]] = {}
    for module, source in sources.items():
        for name in classes_in(source):
            named.setdefault(name, []).append(module)
    for name, modules in named.items():
        if len(modules) > 1:
            yield f"class {name} is in {' and '.join(sorted(modules))}"


def test_every_module_keeps_to_the_rules() -> None:
    assert problems(read_sources()) == []


def misshapen(entries: Collection[str], table: Mapping[str, Set[str]], tests: Collection[str]) -> list[str]:
    """Where ``entries`` and the table of floors differ, rows that look upwards, and entries without tests.

    ``entries`` and ``tests`` are names of files and folders in statemachine/ and in tests/.
    """
    names = {name.removesuffix(".py") for name in entries if name not in NO_ENTRIES}
    found = [f"{name} has no row" for name in sorted(names - set(table))]
    found += [f"{name} has a row and is not there" for name in table if name not in names]
    for place, (name, may) in enumerate(table.items()):
        above = may - set(list(table)[:place])
        found += [f"{name} names {other}, which is not below it" for other in sorted(above)]
    for entry in sorted(set(entries) - {*NO_ENTRIES, FORWARDS}):
        wanted = f"test_{entry.replace('_', '')}" if entry.endswith(".py") else entry
        if wanted not in tests:
            found.append(f"{entry} has no tests/{wanted}")
    return found


def names_in(folder: str) -> list[str]:
    return [path.name for path in (REPO / folder).iterdir()]


def test_the_entries_are_the_rows_of_the_table_and_each_has_its_tests() -> None:
    assert misshapen(names_in(US), MAY_IMPORT, names_in("tests")) == []


def test_every_package_of_tests_has_a_test() -> None:
    for name in MAY_IMPORT:
        if (REPO / US / name).is_dir():
            assert list((REPO / "tests" / name).rglob("test_*.py")), name


@pytest.mark.parametrize(
    ("entries", "table", "tests", "expected"),
    [
        (["a.py", "b"], {"a": set(), "b": {"a"}}, ["test_a.py", "b"], []),
        (["a.py", "b", "c"], {"a": set(), "b": {"a"}}, ["test_a.py", "b", "c"], ["c has no row"]),
        (["b"], {"a": set(), "b": {"a"}}, ["b"], ["a has a row and is not there"]),
        (["a", "b"], {"b": {"a"}, "a": set()}, ["a", "b"], ["b names a, which is not below it"]),
        (["a"], {"a": {"a"}}, ["a"], ["a names a, which is not below it"]),
        (["a.py"], {"a": set()}, ["a"], ["a.py has no tests/test_a.py"]),
        (["a"], {"a": set()}, ["test_a.py"], ["a has no tests/a"]),
    ],
)
def test_another_shape_is_seen(
    entries: list[str], table: dict[str, set[str]], tests: list[str], expected: list[str]
) -> None:
    assert misshapen(entries, table, tests) == expected


def test_no_rule_speaks_of_modules_that_are_gone() -> None:
    sources = read_sources()
    named = {module for rule in OUTSIDE.values() for modules in rule.values() for module in modules}
    assert named <= set(sources)


BAD: dict[str, tuple[str, str, list[str]]] = {
    "Django in a pure module": (
        "lifecycle",
        "import django",
        ["lifecycle imports django", "history.ledger leads to django", "invariants.rows leads to django"],
    ),
    "Hypothesis in a function of one": (
        "history.ledger",
        "def f():\n    from hypothesis import given",
        ["history.ledger imports hypothesis", "history.reach leads to hypothesis"],
    ),
    "freezegun by a detour": (
        "history.reach",
        "from statemachine.world import clock",
        ["history.reach imports world.clock", "history.reach leads to freezegun"],
    ),
    "upwards": (
        "history.events",
        "import statemachine.invariants",
        ["history.events imports invariants", "cycle: "],
    ),
    "in a circle": ("history.legality", "import statemachine.history.ledger", ["cycle: "]),
    "upwards in a function": (
        "world.queue",
        "def f(): import statemachine.search.run",
        ["world.queue imports search.run"],
    ),
    "upwards by a relative import": (
        "world.example",
        "from ..search import run",
        ["world.example imports search.run"],
    ),
    "from two packages up": (
        "world.operations.drain",
        "from ...report import asked",
        ["world.operations.drain imports report.asked"],
    ),
    "what its row does not name": (
        "search.run",
        "import statemachine.binding",
        ["search.run imports binding"],
    ),
    "under a condition": (
        "history.events",
        "try:\n    import django\nexcept ImportError: pass",
        ["history.events imports django"],
    ),
    "Django at import": ("world.example", "from django.db import connection", ["world.example imports"]),
    "Django beside its module": ("world.clock", "from django.utils import timezone", ["world.clock imports"]),
    "the system under test": (
        "search.triage.replay",
        "def f():\n    from models_under_test.models import AIJob",
        ["search.triage.replay imports models_under_test.models"],
    ),
    "a module without a rule": ("telepathy", "", ["telepathy is not in MAY_IMPORT"]),
    "a module that is too long": (
        "world.databases.safety",
        "#\n" * MAX_LINES,
        [f"world.databases.safety has more than {MAX_LINES} lines"],
    ),
    "a second class of one name": (
        "world.queue",
        "class Lifecycle: ...",
        ["class Lifecycle is in lifecycle and world.queue"],
    ),
    "a cycle inside of a package": (
        "world.operations.named",
        "from statemachine.world.operations.creation import create",
        ["cycle: "],
    ),
}


@pytest.mark.parametrize(("module", "line", "expected"), BAD.values(), ids=BAD)
def test_the_checker_catches(module: str, line: str, expected: list[str]) -> None:
    good = read_sources()
    already = set(problems(good))
    new = [
        problem
        for problem in problems(good | {module: f"{good.get(module, '')}\n{line}\n"})
        if problem not in already
    ]
    for words in expected:
        assert any(problem.startswith(words) for problem in new), (words, new)


@pytest.mark.parametrize(
    "line",
    [
        "if TYPE_CHECKING:\n    from statemachine.search.run import Example\n    import django",
        "import json",
        "from statemachine import lifecycle",
        "from .faults import Fault",
    ],
)
def test_the_checker_lets_pass(line: str) -> None:
    good = read_sources()
    assert problems(good | {"world.queue": f"{good['world.queue']}\n{line}\n"}) == problems(good)


def test_the_judging_half_runs_without_what_it_must_not_import() -> None:
    names = ", ".join(f"{US}.{name}" for name in PURE)
    code = f"import sys, {names}; print(*sorted({set(OUTSIDE)} & set(sys.modules)))"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.split() == []
