"""A campaign ends although its workers do not do their part: jobs that never end, moments that never come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from statemachine.binding import ObservedRow
from statemachine.binding.fleet import Work
from statemachine.invariants import Verdict
from statemachine.processes import campaign
from statemachine.processes.campaign import KillCampaign, PlayedPlan
from statemachine.processes.databases import private_database
from statemachine.processes.plan import Deed, KillPlan, PlannedStrike
from statemachine.processes.report import verdict_on
from statemachine.processes.servers import Operator, SQSServer
from tests.processes.scripted import ScriptedFleet

BUSY = """
import json, time
while True:
    print(json.dumps({"event": "message.received", "job_id": "some"}), flush=True)
    time.sleep(0.01)
"""
"""Receives without end and never ends a job."""

ENDS_EVERYTHING = """
import json, time
for number in range(1, 100_000):
    job = {"job_id": f"scripted-1.1-{number}"}
    for event in ("prepare.called", "finish.accepted"):
        print(json.dumps({"event": event, **job}), flush=True)
    time.sleep(0.02)
"""
"""Ends job after job, and opens no transaction."""


class JobsFleet(ScriptedFleet):
    """Its jobs are all PENDING, or all DONE."""

    def __init__(self, program: str, status: str) -> None:
        super().__init__(program)
        self.status = status

    def enqueue(self, job: str, tenant: str, work: Work) -> Sequence[str]:
        return [json.dumps({"event": "message.sent", "job_id": job})]

    def observe(self, jobs: Sequence[str]) -> Iterable[ObservedRow]:
        return [ObservedRow(job, "t1", self.status, 0, None, None, None, 0, None) for job in jobs]


@pytest.fixture
def queues(sqs: SQSServer) -> Iterator[SQSServer]:
    operator = Operator(sqs.endpoint)
    for queue in ScriptedFleet.queues:
        operator._sqs.create_queue(QueueName=queue)
    yield sqs
    for queue in ScriptedFleet.queues:
        operator._sqs.delete_queue(QueueUrl=operator._url(queue))


def played(fleet: JobsFleet, sqs: SQSServer, folder: Path, *strikes: PlannedStrike) -> PlayedPlan:
    with private_database(folder) as database:
        running = KillCampaign(KillPlan(1, 3, 0.1, strikes), [fleet], 1, database, sqs)
        try:
            return running.run()
        finally:
            running.stop()
            assert not any(worker.alive for crew in running.crews.values() for worker in crew.workers)


def test_jobs_that_never_end_are_given_up_and_named(
    queues: SQSServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = JobsFleet(BUSY, "PENDING")
    fleet.lifecycle = fleet.lifecycle.__class__(visibility_seconds=2, lease_seconds=1)
    # With twice the visibility timeout of 2 s that makes half a second.
    monkeypatch.setattr(campaign, "QUIET_SECONDS", -3.5)
    strike = PlannedStrike("scripted", Deed.KILL, "while RUNNING", gap=0)
    came = played(fleet, queues, tmp_path, strike, strike)
    assert came.stuck == {"scripted": ["scripted-1.1-1", "scripted-1.1-2", "scripted-1.1-3"]}
    assert came.missed == {("scripted", Deed.KILL, "while RUNNING"): 2}
    assert verdict_on(came, []) is Verdict.FAIL
    [proof] = [json.loads(line) for line in came.crews[0].lines if '"drain.ended"' in line]
    assert proof["text"] == "nothing moves any more"
    assert proof["stuck"].startswith(
        "3 jobs not ended, 0 messages in queue, 0 in queue-dlq, and no job ended for"
    )


def test_a_moment_that_never_comes_is_given_up_and_the_run_is_unknown(
    queues: SQSServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "CHANCES", 3)
    strike = PlannedStrike("scripted", Deed.KILL, "inside prepare's transaction", gap=0)
    came = played(JobsFleet(ENDS_EVERYTHING, "DONE"), queues, tmp_path, strike, strike)
    assert came.missed == {("scripted", Deed.KILL, "inside prepare's transaction"): 2}
    assert came.stuck == {}
    assert verdict_on(came, []) is Verdict.UNKNOWN
