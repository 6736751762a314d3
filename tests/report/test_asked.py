"""The command lines that a report prints play again what was asked for."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from models_under_test.binding import AIJobsBinding
from statemachine.binding import DEFAULT_BINDING
from statemachine.report.asked import Asked
from statemachine.search.lanes import EMBEDDED, TRANSACTIONS
from tests.support.commandline import REPO

ASKED = Asked(DEFAULT_BINDING, AIJobsBinding(), None, seed=7)
SERVER = "postgresql://me:secret@db/postgres"


@pytest.fixture(autouse=True)
def in_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        (ASKED, ""),
        (replace(ASKED, defect="lease_edge_excluded"), "--defect lease_edge_excluded "),
        (replace(ASKED, binding_path="theirs:Binding"), "--binding theirs:Binding "),
        (replace(ASKED, clock_skew_seconds=5), "--clock-skew 5 "),
        (replace(ASKED, fuzz_seconds=600), "--fuzz-for 600s "),
        (ASKED.of_lane(TRANSACTIONS.name), "--lane transactions "),
        (
            replace(ASKED, lane=TRANSACTIONS.name, exhaust=("prepare", "complete")),
            "--lane transactions --exhaust prepare,complete ",
        ),
    ],
)
def test_a_search_is_played_again_with_its_options_and_seed(asked: Asked, options: str) -> None:
    assert asked.same_command() == f"pytest statemachine/ {options}--hypothesis-seed=7"


def test_another_seed_may_be_named() -> None:
    assert ASKED.search_command(12).endswith("--hypothesis-seed=12")


def test_a_replay_is_played_again_and_a_path_with_a_space_is_quoted() -> None:
    asked = replace(ASKED, replay_path="my failures/2vmtg")
    assert asked.same_command() == "pytest statemachine/ --replay='my failures/2vmtg'"


@pytest.mark.parametrize("name", ["$(reboot)", "`reboot`", "a;reboot", "it's", "a&b", "-x"])
def test_a_shell_finds_nothing_to_obey_in_a_path(name: str) -> None:
    assert shlex.split(ASKED.replay_command(name))[-1] == f"--replay={name}"
    assert not re.search(r"[$`;&]", re.sub(r"'[^']*'", "", ASKED.replay_command(name)))


def test_a_server_is_named_without_its_password_where_it_is_used() -> None:
    asked = replace(ASKED, database_server=SERVER)
    assert "--database-server" not in asked.same_command()
    command = asked.of_lane(TRANSACTIONS.name).same_command()
    assert "--database-server" in command
    assert "secret" not in command


def test_real_processes_are_played_again_by_their_own_command() -> None:
    asked = replace(ASKED, kills="12").of_lane("processes")
    assert asked.same_command() == (
        f"python -m statemachine processes --binding {DEFAULT_BINDING} --seed 7 --kills 12"
    )


def test_elsewhere_than_in_a_checkout_the_plugin_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ASKED.same_command() == ("pytest -p statemachine.plugin --pyargs statemachine --hypothesis-seed=7")
    assert ASKED.test_command() == "pytest -p statemachine.plugin PATH"


def test_each_of_two_lanes_writes_a_page_of_its_own() -> None:
    both = replace(ASKED, lanes=(EMBEDDED.name, TRANSACTIONS.name), report=Path("pages/timeline.html"))
    pages = [both.of_lane(lane).report for lane in both.lanes]
    assert pages == [Path("pages/timeline.html"), Path("pages/timeline-transactions.html")]
    alone = replace(both, lanes=(TRANSACTIONS.name,))
    assert alone.of_lane(TRANSACTIONS.name).report == Path("pages/timeline.html")
