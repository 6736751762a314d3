"""Work side by side: results as they come, no more at a time than asked for, and an end at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from statemachine.search.pool import WorkFailed, run_tasks
from tests.support.commandline import REPO


def square(number: int) -> int:
    """The task of these tests: a negative number fails, 0 kills its process, 99 takes for ever."""
    if number < 0:
        raise ValueError(f"{number} is negative")
    if number == 0:
        os._exit(7)
    if number == 99:
        time.sleep(600)
    return number * number


def dealing(*numbers: int) -> Callable[[], int | None]:
    waiting = iter(numbers)
    return lambda: next(waiting, None)


def test_all_results_come() -> None:
    assert sorted(run_tasks(square, dealing(1, 2, 3, 4, 5), jobs=2)) == [1, 4, 9, 16, 25]


def test_nothing_to_do_starts_nothing() -> None:
    assert list(run_tasks(square, dealing(), jobs=2)) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (-3, r"^-3: ValueError: -3 is negative \(.*test_pool.py:\d+\)$"),
        (0, "^0: its process ended with exit code 7"),
    ],
)
def test_a_failed_task_is_raised_with_its_reason(number: int, words: str) -> None:
    with pytest.raises(WorkFailed, match=words):
        list(run_tasks(square, dealing(number), jobs=1))


ABANDONED = """
import os, sys, time
from statemachine.search.pool import run_tasks

def stay(task):
    print(os.getpid(), flush=True)
    time.sleep(600)

if __name__ == "__main__":
    tasks = iter([1])
    for _ in run_tasks(stay, lambda: next(tasks, None), jobs=1, patience=0.2):
        pass
"""


def test_a_worker_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "abandoned.py"
    script.write_text(ABANDONED, encoding="utf-8")
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, cwd=REPO)
    assert parent.stdout is not None
    assert int(parent.stdout.readline()) != parent.pid, "the worker is at work"
    parent.kill()
    # The worker holds the other end of this pipe: it ends when the worker does, which would sleep on.
    began = time.monotonic()
    assert parent.stdout.read() == b""
    assert time.monotonic() - began < 60
    parent.stdout.close()
    parent.wait()


def test_none_is_yielded_while_no_result_comes_and_closing_ends_all_work() -> None:
    began = time.monotonic()
    with closing(run_tasks(square, dealing(99), jobs=1, patience=0.01)) as results:
        assert next(results) is None
    assert time.monotonic() - began < 30


def test_a_lost_task_is_turned_into_a_result_and_the_others_go_on() -> None:
    lost: list[str] = []

    def note(task: int, reason: str) -> int:
        lost.append(reason)
        return -task

    done = list(run_tasks(square, dealing(2, -3, 0, 4, 5), jobs=2, lost=note))
    assert sorted(done) == [0, 3, 4, 16, 25]
    assert len(lost) == 2
    assert any(reason.startswith("0: its process ended with exit code 7") for reason in lost)
    assert any(reason.startswith("-3: ValueError: -3 is negative") for reason in lost)
