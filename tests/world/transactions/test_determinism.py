"""The same steps, and the same seed, have the same outcome each time, in each process, on each server.

A small version of what is measured on hundreds of pairs of runs.  It plays defects and correct code alike:
what breaks must break at the same step.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from statemachine.search.triage.script import Step, play
from tests.support.commandline import REPO, environment
from tests.support.interleaved_scripts import KILLS, OFFICES, TWO_LEASES, TWO_PREPARES
from tests.support.postgresql import OpenTransactions
from tests.support.unlocked import UNLOCKED
from tests.world.transactions import systems
from tests.world.transactions.scripts import EXPIRED

SCRIPTS = {"two_prepares": TWO_PREPARES, "two_leases": TWO_LEASES, "kills": KILLS, "offices": OFFICES}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_the_same_fifty_times(name: str, open_transactions: OpenTransactions) -> None:
    path = UNLOCKED if name == "two_leases" else systems.path_of(systems.Rough)
    with open_transactions(path) as lane:
        seen = set()
        for _ in range(50):
            played = play(lane, SCRIPTS[name], drained=True)
            assert played.left_out == {}
            seen.add(str(played.example.events))
        assert len(seen) == 1


def test_a_deadlock_in_a_script_is_the_same_on_a_second_database(
    open_transactions: OpenTransactions,
) -> None:
    turns = [
        *EXPIRED,
        ("complete", {"worker": "A", "stepwise": True}),
        ("prepare", {"worker": "B", "stepwise": True}),
        ("proceed", {"by": "A", "statement": "SELECT tenant FOR UPDATE"}),
        ("proceed", {"by": "B", "statement": "SELECT ai_job FOR UPDATE"}),
        ("proceed", {"by": "B", "statement": "UPDATE ai_job"}),
        ("proceed", {"by": "A", "statement": "SELECT ai_job FOR UPDATE"}),
        ("proceed", {"by": "B", "statement": "SELECT tenant FOR UPDATE"}),
    ]
    steps = [Step(number, *turn) for number, turn in enumerate(turns, start=1)]
    seen = set()
    for _ in range(2):
        with open_transactions(systems.path_of(systems.Deadlocks)) as lane:
            played = play(lane, steps, drained=True)
            assert played.left_out == {}
            assert "deadlock" in str(played.example.events)
            seen.add(str(played.example.events))
    assert len(seen) == 1


SEARCH = """
import json, os, sys
from hashlib import sha256
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "models_under_test.settings"
django.setup()
from statemachine.binding import load
from statemachine.search.control import SearchControl
from statemachine.search.engine import play, sized
from statemachine.history.ndjson import Header, dumps
from statemachine.search.lanes import TRANSACTIONS
from statemachine.world.databases.postgresql import database
from statemachine.search.run import Run
from statemachine.world.transactions.lane import open_on

binding = "models_under_test.binding:AIJobsBinding"
told = {}
with database(sys.argv[1]) as made:
    with open_on(made.django_settings(), load(binding, None), binding) as lane:
        for seed in map(int, sys.argv[2:]):
            lines = []

            class Noted(Run):
                def end_example(self, example):
                    header = Header(binding, lane.binding.lifecycle, seed, lane="transactions")
                    lines.append(dumps(header, example.events))
                    super().end_example(example)

            run = Noted(lane, reach_of=TRANSACTIONS.reach_of)
            play(SearchControl(run), seed, TRANSACTIONS.machine, sized(20, profile=None, steps=40))
            told[seed] = [len(lines), sha256("".join(lines).encode()).hexdigest()]
print(json.dumps(told))
"""

SEEDS = ("1", "2", "3", "4", "5")


def histories(server: str) -> dict[str, tuple[int, str]]:
    """For each seed how many histories a process of its own plays, and a hash of them all."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SEARCH, server, *SEEDS],
        cwd=REPO,
        env=environment({"PYTHONHASHSEED": "random"}),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, tuple[int, str]] = json.loads(done.stdout)
    return told


def test_a_seed_plays_the_same_histories_in_every_process(postgresql_server: str) -> None:
    first = histories(postgresql_server)
    assert first == histories(postgresql_server)
    assert all(count >= 20 for count, _ in first.values())
    assert len({digest for _, digest in first.values()}) == len(SEEDS)
