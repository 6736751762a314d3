"""The seven lines of gate report §1: to the letter when all is well, and NO-GO for each way to break one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import IntegrityError

from models_under_test.binding import AIJobsBinding, PipelineBinding, lifecycle_of
from models_under_test.pipelines import PIPELINES
from statemachine.binding import ObservedRow
from statemachine.binding.gate import LogCounts, Marked
from statemachine.commands.gate.report import GO, NO_GO, opening, verdict
from statemachine.commands.gate.steps import Gate, NullPort, StepLine, StepMark, is_go

pytestmark = pytest.mark.django_db(transaction=True)

REPORTED = """
============================================================
Gate 10 - 7-step runtime verification
============================================================
[1] Tenant(id=1, code=test-tenant), User(id=1), Lecture(id=1)
[1] Step 1 infra: Tenant, User, Lecture [PASS]
[2] Duplicate job_id -> DB IntegrityError (idempotency): IntegrityError [PASS]
[3] create_notification_log -> NotificationLog +1 (before=3, after=4) [PASS]
[3] DjangoVideoRepository.mark_processing(video_id=4) -> status=PROCESSING [PASS]
[4] Lease: now + 3540s = lease_expires_at (delta_sec=3540.0) [PASS]
[5] mark_failed -> job.status=FAILED (job_id=gate10-fail-062528) [PASS]
============================================================
Final verdict: **[GO]** (Big Bang GO)
============================================================
""".strip().splitlines()
"""The output in gate report §1, word for word."""

PLAIN = "No tenant can be made"


def lines_of(binding: PipelineBinding) -> list[StepLine]:
    nowhere = NullPort()
    binding.open(nowhere, nowhere)
    return list(Gate(binding, "062528").lines())


def printed(lines: Sequence[StepLine]) -> list[str]:
    return [*opening(), *map(str, lines), *verdict(lines)]


def without_numbers(lines: Sequence[str]) -> list[str]:
    """Row ids and counts differ from one database to the next; the seconds and the job's name do not."""
    return [re.sub(r"(id|before|after)=\d+", r"\1=N", line) for line in lines]


def test_the_output_is_that_of_the_gate_report_to_the_letter() -> None:
    assert without_numbers(printed(lines_of(AIJobsBinding()))) == without_numbers(REPORTED)


def test_a_second_gate_on_the_same_database_counts_on() -> None:
    first = lines_of(AIJobsBinding())
    binding = AIJobsBinding()
    binding.open(NullPort(), NullPort())
    again = list(Gate(binding, "062529").lines())
    assert is_go(first)
    assert is_go(again)
    assert "(before=1, after=2)" in str(again[3])


class NoInfrastructure(AIJobsBinding):
    def infrastructure(self) -> Sequence[str]:
        return []


class InfrastructureRaises(AIJobsBinding):
    def infrastructure(self) -> Sequence[str]:
        raise RuntimeError(f"{PLAIN}\nDETAIL: more")


class DuplicateAccepted(AIJobsBinding):
    def create(self, job: str, tenant: str) -> None:
        try:
            super().create(job, tenant)
        except IntegrityError:
            return


class DuplicateAnswered(AIJobsBinding):
    def create(self, job: str, tenant: str) -> None:
        try:
            super().create(job, tenant)
        except IntegrityError as error:
            raise ValueError("exists") from error


class DuplicateResets(AIJobsBinding):
    def create(self, job: str, tenant: str) -> None:
        try:
            super().create(job, tenant)
        except IntegrityError:
            self.mark_running(job, tenant)
            raise


class TwoLogs(AIJobsBinding):
    def create_notification_log(self) -> LogCounts:
        return LogCounts(*super().create_notification_log())._replace(before=0, after=2)


class NoLog(AIJobsBinding):
    def create_notification_log(self) -> LogCounts:
        return LogCounts(3, 3)


class VideoStaysUploaded(AIJobsBinding):
    def mark_processing(self) -> Marked:
        return Marked(4, "UPLOADED")


class NeverFails(AIJobsBinding):
    def fail(self, job: str, tenant: str, attempt: int, error: str) -> bool:
        return True


class NeverRuns(AIJobsBinding):
    def mark_running(self, job: str, tenant: str) -> int | None:
        return None


class Blind(AIJobsBinding):
    def observe(self, jobs: Sequence[str]) -> Sequence[ObservedRow]:
        return []


class WithoutPieces(PipelineBinding):
    """A binding that offers nothing for the gate."""

    pipeline = PIPELINES["ai"]
    lifecycle = lifecycle_of(pipeline)
    catalogue = "models_under_test.defects"


BROKEN: dict[str, tuple[type[PipelineBinding], dict[int, str]]] = {
    # What is broken, and the lines that are not as they should be, by their place.
    "no infrastructure": (NoInfrastructure, {0: "[1] Step 1 infra: Tenant, User, Lecture [FAIL]"}),
    "infrastructure raises": (
        InfrastructureRaises,
        {0: f"[1] Step 1 infra: Tenant, User, Lecture: RuntimeError: {PLAIN} [FAIL]"},
    ),
    "duplicate accepted": (
        DuplicateAccepted,
        {1: "[2] Duplicate job_id -> DB IntegrityError (idempotency): no error [FAIL]"},
    ),
    "duplicate answered by another error": (
        DuplicateAnswered,
        {1: "[2] Duplicate job_id -> DB IntegrityError (idempotency): ValueError [FAIL]"},
    ),
    "duplicate changes the row": (
        DuplicateResets,
        {
            1: "[2] Duplicate job_id -> DB IntegrityError (idempotency): IntegrityError, and the row changed "
            "[FAIL]"
        },
    ),
    "two logs": (
        TwoLogs,
        {2: "[3] create_notification_log -> NotificationLog +2 (before=0, after=2) [FAIL]"},
    ),
    "no log": (NoLog, {2: "[3] create_notification_log -> NotificationLog +0 (before=3, after=3) [FAIL]"}),
    "video not PROCESSING": (
        VideoStaysUploaded,
        {3: "[3] DjangoVideoRepository.mark_processing(video_id=4) -> status=UPLOADED [FAIL]"},
    ),
    "never RUNNING": (
        NeverRuns,
        {
            4: "[4] Lease: now + 3540s = lease_expires_at (NULL) [FAIL]",
            5: "[5] mark_failed -> job.status=PENDING (job_id=gate10-fail-062528) [FAIL]",
        },
    ),
    "mark_failed that does not": (
        NeverFails,
        {5: "[5] mark_failed -> job.status=RUNNING (job_id=gate10-fail-062528) [FAIL]"},
    ),
    "no rows": (
        Blind,
        {
            place: f"[{step}] {text}: LookupError: the binding observes no row of gate10-{job}-062528 [FAIL]"
            for place, step, text, job in (
                (1, 2, "Duplicate job_id -> DB IntegrityError (idempotency)", "duplicate"),
                (4, 4, "Lease: now + 3540s = lease_expires_at", "lease"),
                (5, 5, "mark_failed -> job.status=FAILED", "fail"),
            )
        },
    ),
    "no pieces": (
        WithoutPieces,
        {
            0: "[1] Step 1 infra: Tenant, User, Lecture [NOT RUN]",
            2: "[3] create_notification_log -> NotificationLog +1 [NOT RUN]",
            3: "[3] DjangoVideoRepository.mark_processing -> status=PROCESSING [NOT RUN]",
        },
    ),
}


@pytest.mark.parametrize(("kind", "expected"), BROKEN.values(), ids=BROKEN)
def test_each_broken_step_fails_the_others_run_and_the_verdict_is_no_go(
    kind: type[PipelineBinding], expected: dict[int, str]
) -> None:
    lines = lines_of(kind())
    marked = [line for line in lines if line.mark]
    assert len(marked) == 6, "a step that breaks must not end the gate"
    assert {
        place: str(line) for place, line in enumerate(marked) if line.mark is not StepMark.PASS
    } == expected
    assert verdict(lines)[1] == NO_GO == "Final verdict: **[NO-GO]**"


def test_a_lease_of_3600_seconds_is_no_go() -> None:
    binding = AIJobsBinding()
    binding.plant("lease_as_long_as_visibility")
    lines = lines_of(binding)
    assert [str(line) for line in lines if line.mark not in (None, StepMark.PASS)] == [
        "[4] Lease: now + 3540s = lease_expires_at (delta_sec=3600.0) [FAIL]"
    ]
    assert verdict(lines)[1] == NO_GO


def test_a_lease_is_measured_from_the_clock_and_not_from_the_row() -> None:
    # Planted: the lease counts from another time than that of the call, as a row alone could not show.
    binding: Any = AIJobsBinding()
    binding.plant("lease_cut_to_the_minute")
    lines = lines_of(binding)
    [lease_line] = [str(line) for line in lines if line.step == 4]
    # It ends early by the seconds of the minute and their fraction, which are 0 once in 60,000,000 times.
    assert re.fullmatch(
        r"\[4\] Lease: now \+ 3540s = lease_expires_at \(delta_sec=\d+\.\d\) \[FAIL\]", lease_line
    )


@pytest.mark.parametrize(
    "marks", [[StepMark.PASS] * 5, [StepMark.PASS] * 7, [*[StepMark.PASS] * 5, StepMark.NOT_RUN], []]
)
def test_go_needs_all_six_marks_and_no_other(marks: list[StepMark]) -> None:
    lines = [StepLine(1, "text", mark) for mark in marks]
    assert not is_go(lines)
    assert verdict(lines)[1] == NO_GO


def test_go_is_go() -> None:
    lines = [StepLine(1, "only informs"), *[StepLine(1, "text", StepMark.PASS)] * 6]
    assert verdict(lines)[1] == GO == "Final verdict: **[GO]** (Big Bang GO)"
