"""A crew replaces the dead, counts what its workers say, and gives up when none of them gets anywhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from statemachine.binding.fleet import FleetError, Stop
from statemachine.processes.crew import FRUITLESS, Crew, turn
from tests.processes.scripted import OBEDIENT, ScriptedFleet, logging_at_once
from tests.support.waiting import until

CRASH = "raise SystemExit(7)"


@contextmanager
def crew_of(program: str, size: int = 1) -> Iterator[Crew]:
    crew = Crew(ScriptedFleet(program), size)
    try:
        yield crew
    finally:
        crew.stop()


def turns(crew: Crew, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for _ in turn([crew]):
            pass


def test_ended_workers_are_replaced_and_only_unasked_exits_are_noted() -> None:
    with crew_of(OBEDIENT, 3) as crew:
        until(lambda: list(turn([crew])) and all(worker.last for worker in crew.workers))
        killed, stopped, _ = crew.workers
        crew.kill(killed, "while RUNNING")
        stopped.stop(Stop.TERM)
        until(lambda: list(turn([crew])) and len(crew.workers) == 3 and all(w.last for w in crew.workers))
        assert [worker.name for worker in crew.gone] == ["scripted-1", "scripted-2"]
        assert [worker.name for worker in crew.workers] == ["scripted-3", "scripted-4", "scripted-5"]
        assert crew.unasked_exits == []
    assert not any(worker.alive for worker in crew.workers)


def test_workers_that_receive_nothing_end_the_run_with_command_and_exit_code() -> None:
    with crew_of(CRASH, 2) as crew:
        with pytest.raises(FleetError) as raised:
            turns(crew, 20)
        assert len(crew.gone) == FRUITLESS
    told = str(raised.value)
    assert told.startswith(
        f"{FRUITLESS} workers of scripted in a row ended by themselves and received nothing"
    )
    assert "the last with exit code 7" in told
    assert told.endswith("-S -c 'raise SystemExit(7)'")


@pytest.mark.parametrize("excused", [False, True])
def test_workers_that_receive_or_are_excused_may_end_as_often_as_they_like(excused: bool) -> None:
    received = logging_at_once("message.received", then=CRASH)
    with crew_of(CRASH if excused else received) as crew:
        crew.excused = excused
        until(lambda: (turns(crew, 0.1), len(crew.gone) > FRUITLESS)[1], 30)
        assert crew.unasked_exits[0] == "scripted-1 ended with exit code 7"


def test_a_job_has_ended_when_its_worker_logs_it_or_another_finds_it_ended() -> None:
    crew = Crew(ScriptedFleet(), 0)
    accepted = {"event": "finish.accepted", "operation": "complete", "job_id": "j1"}
    crew.note(accepted)
    crew.note(accepted | {"operation": "release", "job_id": "j2"})
    crew.note({"event": "prepare.refused", "reason": "ended", "job_id": "j3"})
    crew.note({"event": "prepare.refused", "reason": "lease live", "job_id": "j4"})
    assert crew.ended == {"j1", "j3"}
