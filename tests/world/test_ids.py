"""What a process remembers of one example says nothing of the next: no id occurs in two of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from models_under_test.binding import AIJobsBinding
from statemachine.binding import Delivery, Message, ObservedRow
from statemachine.history import events as history
from statemachine.search.control import SearchControl
from statemachine.search.engine import play, sized
from statemachine.search.lanes import EMBEDDED
from statemachine.search.run import Verdict
from statemachine.world.ids import Ids
from statemachine.world.lane import BYSTANDERS, Lane
from statemachine.world.operations import perform

pytestmark = pytest.mark.django_db(transaction=True)


def test_names_and_ids_are_each_others_reverse() -> None:
    ids, others = Ids(), Ids()
    assert ids.of("j4") != others.of("j4")
    assert ids.named(f"no job {ids.of('j4')} of {ids.of('m2#1')}") == "no job j4 of m2#1"
    assert ids.named(others.of("j4")) == others.of("j4"), "an id of another example is no name"
    assert sorted(map(ids.of, ("j10", "j2", "j1"))) == list(map(ids.of, ("j1", "j10", "j2")))


class Remembering(AIJobsBinding):
    """A correct system whose process remembers what never changes: the tenant of each job, by its id."""

    tenant_of: dict[str, str]
    receipts: set[str]

    def __init__(self) -> None:
        super().__init__()
        self.tenant_of, self.receipts, self.met_again = {}, set(), 0

    def create(self, job: str, tenant: str) -> None:
        super().create(job, tenant)
        self.tenant_of.setdefault(job, tenant)

    def mark_running(self, job: str, tenant: str) -> int | None:
        if self.tenant_of.get(job, tenant) != tenant:
            return None
        return super().mark_running(job, tenant)

    def deliver(self, worker: str, queue: Any) -> Delivery:
        return super().deliver(worker, Noting(queue, self))


class Noting:
    """A worker's queue; a receipt handle that was seen before is counted."""

    def __init__(self, queue: Any, memory: Remembering) -> None:
        self._queue, self._memory = queue, memory

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    def receive(self) -> Message | None:
        message: Message | None = self._queue.receive()
        if message is not None:
            self._memory.met_again += message.receipt_handle in self._memory.receipts
            self._memory.receipts.add(message.receipt_handle)
        return message


class ShowingIds(AIJobsBinding):
    """A system whose errors and results name the job by its id."""

    def create(self, job: str, tenant: str) -> None:
        super().create(job, tenant)
        if job not in BYSTANDERS:
            raise ValueError(f"{job} was created, and the answer is lost")

    def observe(self, jobs: Sequence[str]) -> Iterable[ObservedRow]:
        return [row._replace(result=f"result of {row.job}") for row in super().observe(jobs)]


def test_a_correct_system_that_remembers_ids_stays_clean() -> None:
    system = Remembering()
    lane = Lane(system)
    with lane.open():
        control = SearchControl(EMBEDDED.new_run(lane))
        play(control, 5, EMBEDDED.machine, sized(40))
    assert control.run.verdict is not Verdict.FAIL
    assert system.receipts
    assert not system.met_again


def test_the_history_calls_a_job_by_its_name_whatever_the_system_shows() -> None:
    lane = Lane(ShowingIds())
    with lane.open():
        example = lane.begin()
        perform(example, "create", {"job": "j1", "tenant": "t1"})
    (raised,) = [event for event in example.events if isinstance(event, history.Raised)]
    assert raised.error == "ValueError: j1 was created, and the answer is lost"
    (seen,) = [event for event in example.events if isinstance(event, history.Observed)]
    assert [(row.job, row.result) for row in seen.rows] == [("j1", "result of j1")]
