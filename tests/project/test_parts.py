"""The parts of the suite: together they are all tests, and a bare pytest plays the quick one on all cores."""

from __future__ import annotations

import re
from argparse import Namespace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from tests.conftest import pytest_cmdline_main
from tests.parts import BY_PLACE, LONGEST_FIRST, OF_A_SEARCH, PARTS, QUICK, part_of, place_in_order
from tests.support.commandline import REPO, Ran, at_once, run
from tests.support.marks import SHOWN

FROM = pytest.Config.ArgsSource


def listed(ran: Ran) -> list[str]:
    """The ids of the tests that ``pytest --collect-only -q`` lists."""
    assert ran.code == 0, ran
    return [line for line in ran.lines if "::" in line and not line.startswith(SHOWN)]


@pytest.fixture(scope="module")
def collected() -> dict[str, Ran]:
    """What ``pytest --collect-only`` says with ``--everything``, with its marks, and of a bare run."""
    ways = {"everything": ("--everything", "-p", "tests.support.marks"), QUICK: ()}
    runs = at_once(partial(run, "--collect-only", "-q", *way, cwd=REPO) for way in ways.values())
    return dict(zip(ways, runs, strict=True))


def test_each_test_is_in_exactly_one_part(collected: dict[str, Ran]) -> None:
    everything = listed(collected["everything"])
    marked = [line.split(maxsplit=2) for line in collected["everything"].lines if line.startswith(SHOWN)]
    parts: dict[str, list[str]] = {}
    for _, part, test in marked:
        parts.setdefault(part, []).append(test)
    assert set(parts) == {QUICK, *PARTS}
    assert sorted(test for part in parts.values() for test in part) == sorted(everything)
    assert parts[QUICK] == listed(collected[QUICK])


def test_a_run_that_names_files_plays_all_that_they_hold() -> None:
    ran = run("--collect-only", "-q", "tests/plugin/test_options.py", cwd=REPO)
    assert {part_of(test, ()) for test in listed(ran)} == {"programs"}
    assert "--everything" not in ran.output


def test_a_run_that_asks_something_of_the_lanes_has_them() -> None:
    source = (REPO / "statemachine" / "plugin" / "__init__.py").read_text(encoding="utf-8")
    assert sorted(re.findall(r'^ +"(--[a-z-]+)",', source, re.M)) == sorted(OF_A_SEARCH)
    ran = run("--collect-only", "-q", "--defect=completion_without_token", cwd=REPO)
    assert "statemachine/plugin/test_embedded.py::test_leased_jobs_survive" in listed(ran)


def test_a_bare_run_says_what_it_leaves_out(collected: dict[str, Ran]) -> None:
    (line,) = (line for line in collected[QUICK].lines if "--everything" in line)
    assert all(part in line for part in PARTS)


def test_ci_plays_each_part() -> None:
    script = (REPO / ".ci" / "run").read_text(encoding="utf-8")
    (parts,) = re.findall(r"^parts=\((.*)\)$", script, re.M)
    assert parts.split() == [QUICK, *PARTS, "lint"]
    assert f'set -- {QUICK} "{" or ".join(PARTS)}" lint' in script
    workflow = yaml.safe_load((REPO / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8"))
    jobs = workflow["jobs"]["everything"]["strategy"]["matrix"]["parts"]
    assert sorted(" ".join(jobs).split()) == sorted(parts.split())


@pytest.mark.parametrize("row", [*BY_PLACE, *LONGEST_FIRST])
def test_each_row_names_what_is_there(row: str) -> None:
    file, _, function = row.partition("::")
    assert (REPO / file).exists()
    assert not function or f"def {function}(" in (REPO / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("test", "fixtures", "part"),
    [
        ("statemachine/plugin/test_embedded.py::test_leased_jobs_survive", (), "searches"),
        ("tests/history/test_ledger.py::test_one", ("tmp_path",), QUICK),
        ("tests/world/test_clock.py::test_one[tests/plugin/]", (), QUICK),
        ("tests/plugin/test_options.py::test_one[a-b]", (), "programs"),
        ("tests/plugin_of_another/test_options.py::test_one", (), QUICK),
        ("tests/search/test_contention.py::test_one", ("lane", "postgresql_server"), "servers"),
        ("tests/processes/test_campaign.py::test_one", ("postgresql_server",), "workers"),
        ("tests/processes/test_plan.py::test_one", (), QUICK),
        ("tests/processes/test_databases.py::test_one", ("postgresql_server",), "servers"),
        ("tests/end_to_end/test_shared_corpus.py::test_one", (), "servers"),
        ("tests/defects/test_planted.py::test_every_defect_has_a_script", (), QUICK),
    ],
)
def test_a_test_is_in_the_part_of_its_longest_row_or_of_its_fixture(
    test: str, fixtures: tuple[str, ...], part: str
) -> None:
    assert part_of(test, fixtures) == part


def test_the_longest_files_come_first_and_the_others_stay_as_they_were() -> None:
    tests = [
        "tests/a.py::test_a",
        f"{LONGEST_FIRST[1]}::test_b[x]",
        "tests/b.py::test_c",
        f"{LONGEST_FIRST[0]}::test_d",
    ]
    assert sorted(tests, key=place_in_order) == [tests[3], tests[1], tests[0], tests[2]]


def started(
    args_source: Any = FROM.TESTPATHS, worker: dict[str, Any] | None = None, **options: Any
) -> tuple[Any, str]:
    """In how many processes, and dealt out by what, a run with these options plays."""
    usual = {
        "markexpr": "",
        "keyword": "",
        "everything": False,
        "usepdb": False,
        "trace": False,
        "capture": "fd",
        "collectonly": False,
        "fuzz_for": None,
        "numprocesses": None,
        "dist": "no",
        "tx": [],
    }
    config: Any = SimpleNamespace(option=Namespace(**(usual | options)), args_source=args_source)
    if worker is not None:
        config.workerinput = worker
    pytest_cmdline_main(config)
    return config.option.numprocesses, config.option.dist


@pytest.mark.parametrize("everything", [False, True])
def test_a_bare_run_is_played_on_all_cores_a_file_at_a_time(everything: bool) -> None:
    assert started(everything=everything) == ("auto", "loadfile")


@pytest.mark.parametrize(
    "options",
    [
        {"args_source": FROM.ARGS},
        {"args_source": FROM.INVOCATION_DIR},
        {"markexpr": "servers"},
        {"keyword": "lease"},
        {"usepdb": True},
        {"trace": True},
        {"capture": "no"},
        {"collectonly": True},
        {"fuzz_for": 60},
        {"worker": {"workerid": "gw0"}},
    ],
    ids=str,
)
def test_any_other_run_is_played_in_one_process(options: dict[str, Any]) -> None:
    assert started(**options) == (None, "no")


@pytest.mark.parametrize("options", [{"numprocesses": 0}, {"numprocesses": 3, "dist": "load"}])
def test_what_was_asked_of_xdist_is_kept(options: dict[str, Any]) -> None:
    assert started(**options) == (options["numprocesses"], options.get("dist", "no"))
