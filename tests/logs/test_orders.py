"""Logs whose lines do not show the order: overlapping calls, unknown outcomes, a missing beginning.

A sound fleet's log must judge clean whatever was in flight, and what no order of commits explains must
not be explained away.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from statemachine.lifecycle import Lifecycle
from statemachine.logs import JudgedLog
from tests.logs.writing import (
    LEASE,
    OURS,
    Values,
    accepted,
    called,
    created,
    deleting,
    finish_told,
    finished,
    finishing,
    judged,
    killed,
    prepared,
    raised,
    received,
    refused,
    row,
    rows_read,
    say,
    turned_down,
)

Log = list[Values | list[Values]]
BEGUN: Log = [created(), received(1), prepared(2)]
LATE = 3 + LEASE


def broken(result: JudgedLog) -> list[tuple[str, int]]:
    return [(cited.violation.invariant, cited.line.place.number) for cited in result.violations]


SOUND: dict[str, Log] = {
    "the refusal is logged before the acquisition that it is about": [
        *[created(), called(2, "A"), called(2.1, "B"), refused(2.3, "B"), accepted(2.5, "A", since=2.2)],
    ],
    "two ask at once, and the one that is answered last was first": [
        *[created(), called(2, "A"), called(2, "B"), refused(2.2, "B", "lease live")],
        *[called(2.3, "C"), refused(2.4, "C"), accepted(2.9, "A", since=2.1)],
    ],
    "asked while live, answered when the lease was over": [
        *[*BEGUN, called(LEASE + 2, "B"), refused(LEASE + 2.1, "B"), prepared(LEASE + 2.06, "C", 2)],
    ],
    "a completion is seen before it is answered": [
        *[*BEGUN, finishing(10, "complete"), called(10.1, "B"), refused(10.2, "B", "ended")],
        *[deleting(10.3, "B"), finish_told(10.5, "complete")],
    ],
    "a takeover in the middle of a late completion": [
        *[*BEGUN, finishing(LATE, "complete"), called(LATE, "B"), accepted(LATE + 0.2, "B", 2, LATE + 0.1)],
        *[finish_told(LATE + 0.3, "complete", answer="refused"), finished(LATE + 1, by="B", attempt=2)],
    ],
    "killed in prepare, before the commit": [
        *[created(), received(1), called(2), killed(2.5)],
        *[received(LATE, "B"), prepared(LATE, "B", 1), finished(LATE + 1, by="B", attempt=1)],
    ],
    "killed in prepare, after the commit": [
        *[created(), received(1), called(2), killed(2.5), received(3, "B"), turned_down(4)],
        *[received(LATE, "B"), prepared(LATE, "B", 2), finished(LATE + 1, by="B", attempt=2)],
    ],
    "killed in prepare, and the lease turns out to have begun late": [
        *[created(), called(2), killed(12), turned_down(2 + LEASE + 5), prepared(LATE + 30, "B", 2)],
    ],
    "killed in complete, after the commit": [
        *[
            *BEGUN,
            finishing(10, "complete"),
            killed(11),
            received(LATE, "B"),
            turned_down(LATE, "B", "ended"),
        ],
        deleting(LATE + 1, "B"),
    ],
    "killed in complete, before the commit": [
        *[*BEGUN, finishing(10, "complete"), killed(11), received(LATE, "B"), prepared(LATE, "B", 2)],
        *[finished(LATE + 1, by="B", attempt=2), rows_read(LATE + 2, row("DONE", 2, 1))],
    ],
    "no line says that it was killed, and its name comes back": [
        *[*BEGUN, finishing(10, "complete"), say(20, "worker.started"), received(LATE, "A")],
        *[turned_down(LATE, "A", "ended"), deleting(LATE + 1, "A")],
    ],
    "no line says that it was killed, and the log ends": [*BEGUN, finishing(10, "complete")],
    "an answer was lost, and the same is asked again": [
        *[*BEGUN, finishing(10, "complete"), raised(11, "complete"), finished(12), deleting(13)],
    ],
    "an answer was lost, and then something else is refused": [
        *[*BEGUN, finishing(10, "complete"), raised(11, "complete")],
        *[finished(12, "fail", answer="refused"), received(LATE, "B"), turned_down(LATE, "B", "ended")],
    ],
    "two calls without an answer could explain the refusal, and the last line says which did": [
        *[*BEGUN, called(LATE, "B"), killed(LATE + 1, "B"), finishing(LATE + 2, "complete")],
        *[raised(LATE + 3, "complete"), finished(LATE + 4, "fail", answer="refused")],
        *[received(2 * LATE, "A"), turned_down(2 * LATE, "A", "ended"), deleting(2 * LATE + 1)],
    ],
    "the line of an answer is missing": [*BEGUN, finishing(10, "complete"), deleting(11)],
    "the line of a call is missing": [
        created(),
        received(1),
        accepted(2, since=1.5),
        finish_told(3, "complete"),
    ],
    "the log begins when the job is RUNNING": [finished(10, attempt=3), deleting(11)],
    "the log begins before a takeover": [
        turned_down(1),
        prepared(LATE, "B", 2),
        finished(LATE + 1, by="B", attempt=2),
    ],
    "the log begins when the job has ended": [received(1), turned_down(2, "A", "ended"), deleting(3)],
    "the log begins with two deliveries, and one sees the end of the other before it is answered": [
        *[called(2, "B"), called(2.1, "A"), accepted(2.2, "A", since=2.15), finishing(2.3, "fail")],
        *[refused(2.4, "B", "ended"), deleting(2.5, "B"), finish_told(2.6, "fail")],
    ],
    "the log begins with a deletion": [deleting(3)],
    "the row is read, and of the job nothing else is known": [
        turned_down(1),
        rows_read(9, row("DONE", 4, 1)),
    ],
    "a message for a job that is not there": [
        created(job="j2"),
        turned_down(1, reason="no such job", job="j9"),
    ],
}


@pytest.mark.parametrize("log", SOUND.values(), ids=SOUND)
def test_a_sound_fleet_is_clean(log: Log) -> None:
    result = judged(*log)
    assert broken(result) == []
    assert result.counts["unexplained"] == 0


UNFENCED = replace(OURS, fenced=False)
FAILURE_IS_DONE = replace(OURS, failed="DONE")
RELEASED: Log = [*BEGUN, finished(3, "release")]
RELEASE_DURING_A_TAKEOVER: Log = [
    *[*RELEASED, finishing(4, "release", "C"), called(4.1, "B"), accepted(4.3, "B", 2, 4.2)],
    finish_told(4.4, "release", "C"),
]
"""Without fencing both orders fit: the job is RUNNING or RETRYING now, and no line says which."""
TWO_FINISHES_LOST: Log = [
    *[*BEGUN, finishing(10, "fail"), raised(11, "fail"), finishing(12, "complete"), raised(13, "complete")],
    *[received(LATE, "B"), turned_down(LATE, "B", "ended")],
]
TWO_PREPARES_LOST: Log = [
    *[created(), called(2), raised(3, "prepare"), called(600), raised(601, "prepare")],
    turned_down(602, "A", "lease live"),
]

DECIDED_LATER: dict[str, tuple[Lifecycle, Log]] = {
    "a release and a takeover, and the next answer finds the job RETRYING": (
        UNFENCED,
        [*RELEASE_DURING_A_TAKEOVER, finished(5, "fail", "D", answer="refused")],
    ),
    "a release and a takeover, and the next answer finds the job RUNNING": (
        UNFENCED,
        [*RELEASE_DURING_A_TAKEOVER, turned_down(5, "D", "lease live")],
    ),
    "a failure or a completion, and the row has a result": (
        FAILURE_IS_DONE,
        [*TWO_FINISHES_LOST, rows_read(2 * LATE, row("DONE", 1, 1))],
    ),
    "a failure or a completion, and the row has none": (
        FAILURE_IS_DONE,
        [*TWO_FINISHES_LOST, rows_read(2 * LATE, row("DONE", 1))],
    ),
    "one of two lost acquisitions, and the lease is that of the later": (
        OURS,
        [*TWO_PREPARES_LOST, turned_down(LATE + 10), prepared(LATE + 600, "B", 2)],
    ),
    "one of two lost acquisitions, and the lease is that of the earlier": (
        OURS,
        [*TWO_PREPARES_LOST, prepared(LATE + 10, "B", 2)],
    ),
    "without fencing a finish does not tell the attempt, which the row does": (
        UNFENCED,
        [finished(10, "fail", attempt=2), rows_read(20, row("FAILED", 1))],
    ),
    "without fencing a finish does not tell the attempt, which the next acquisition does": (
        UNFENCED,
        [finished(10, "release", attempt=3), prepared(20, "B", 2), finished(30, by="B", attempt=2)],
    ),
    "a lost acquisition explains a refusal before the creation is logged": (
        OURS,
        [called(2), raised(2.1, "prepare"), *turned_down(2.2, "A"), created(2.5), prepared(LATE, "B", 2)],
    ),
}


@pytest.mark.parametrize(("lifecycle", "log"), DECIDED_LATER.values(), ids=DECIDED_LATER)
def test_what_only_a_later_line_decides_is_not_decided_before(lifecycle: Lifecycle, log: Log) -> None:
    result = judged(*log, lifecycle=lifecycle)
    # A system without fencing waives the claim that only the holder finishes, as the bundled variant does.
    waived = set() if lifecycle.fenced else {"only_the_holder_finishes"}
    assert {claim for claim, _ in broken(result)} <= waived
    assert result.counts["unexplained"] == 0


TABLE = "operations_answer_by_the_table"
DECIDED_AND_BROKEN: dict[str, tuple[Lifecycle, Log, list[tuple[str, int]]]] = {
    "a release and a takeover, and two answers find different states": (
        UNFENCED,
        [*RELEASE_DURING_A_TAKEOVER, *turned_down(5, "D", "lease live"), prepared(6, "E", 3)],
        [("one_holder_at_a_time", 14), ("transitions_are_legal", 14), (TABLE, 14)],
    ),
    "a failure or a completion, and the row says neither": (
        FAILURE_IS_DONE,
        [*TWO_FINISHES_LOST, rows_read(2 * LATE, row("DONE", 2))],
        [("rows_match_the_answers", 12)],
    ),
    "with fencing a finish tells the attempt": (
        OURS,
        [finished(10, "fail", attempt=2), rows_read(20, row("FAILED", 1))],
        [("rows_match_the_answers", 3)],
    ),
    "without fencing the row tells the attempt, and the same row another": (
        UNFENCED,
        [finished(10, attempt=3), rows_read(20, row("DONE", 1, 1)), rows_read(30, row("DONE", 2, 1))],
        [("rows_match_the_answers", 4)],
    ),
    "without fencing an acquisition tells the attempt, and the row another": (
        UNFENCED,
        [prepared(10, attempt=2), finished(12, attempt=2), rows_read(20, row("DONE", 1, 1))],
        [("rows_match_the_answers", 5)],
    ),
    "without fencing two workers complete a job of which nothing else is known": (
        UNFENCED,
        [finished(10, attempt=2), finished(12, by="B", attempt=3), finished(14, "fail", "C", 3)],
        [
            *[("terminal_jobs_never_change", 6), ("a_job_completes_at_most_once", 6)],
            *[("transitions_are_legal", 6), (TABLE, 6)],
        ],
    ),
    "two lost acquisitions, and the lease of neither is over so soon": (
        OURS,
        [*TWO_PREPARES_LOST, prepared(1000, "B", 2)],
        [("one_holder_at_a_time", 9), ("transitions_are_legal", 9), (TABLE, 9)],
    ),
}


@pytest.mark.parametrize(
    ("lifecycle", "log", "expected"), DECIDED_AND_BROKEN.values(), ids=DECIDED_AND_BROKEN
)
def test_what_no_choice_explains_is_still_broken(
    lifecycle: Lifecycle, log: Log, expected: list[tuple[str, int]]
) -> None:
    assert broken(judged(*log, lifecycle=lifecycle)) == expected


UNSOUND: dict[str, tuple[Log, list[tuple[str, int]]]] = {
    "both that asked at once were granted": (
        [created(), called(2, "A"), called(2, "B"), accepted(3, "B", 1, 2.5), accepted(3, "A", 2, 2.6)],
        [("one_holder_at_a_time", 5), ("transitions_are_legal", 5), (TABLE, 5)],
    ),
    "what ended before the call cannot explain its refusal": (
        [created(), turned_down(2), called(3, "A"), accepted(4, "A", 1, 3.5)],
        [(TABLE, 3)],
    ),
    "a worker that was killed before the call cannot have written": (
        [*BEGUN, killed(11), finishing(12, "complete", by="C", attempt=9), *turned_down(LATE, "B", "ended")],
        [("an_expired_lease_can_be_taken_over", 8), (TABLE, 8)],
    ),
    "a lost answer explains one end of a job, not two": (
        [
            *[*BEGUN, finishing(10, "complete"), killed(11), turned_down(LATE, "B", "ended")],
            prepared(2 * LATE, "C", 2),
        ],
        [("terminal_jobs_never_change", 10), ("transitions_are_legal", 10), (TABLE, 10)],
    ),
    "an unknown acquisition ends with its lease": (
        [created(), called(2), killed(3), turned_down(4), turned_down(2 * LATE)],
        [("an_expired_lease_can_be_taken_over", 7), (TABLE, 7)],
    ),
    "the job had ended before the log, by an answer": (
        [turned_down(1, "A", "ended"), prepared(2, "B", 3)],
        [("terminal_jobs_never_change", 4), ("transitions_are_legal", 4), (TABLE, 4)],
    ),
    "the job was held before the log, by an answer": (
        [turned_down(1, "A"), deleting(2, "A", why="idempotent skip")],
        [("messages_outlive_unfinished_jobs", 3)],
    ),
    "a deletion is no answer: the worker that asks for it must have had one": (
        [
            *[*BEGUN, finishing(10, "complete"), killed(11), received(12, "B"), turned_down(13, "B")],
            *[deleting(14, "B"), received(LATE, "C"), prepared(LATE, "C", 2)],
        ],
        [("messages_outlive_unfinished_jobs", 10)],
    ),
    "the row says that the unknown call had another effect": (
        [*BEGUN, finishing(10, "complete"), killed(11), rows_read(12, row("FAILED", 1))],
        [("rows_match_the_answers", 7)],
    ),
}


@pytest.mark.parametrize(("log", "expected"), UNSOUND.values(), ids=UNSOUND)
def test_what_no_order_explains_is_not_explained_away(log: Log, expected: list[tuple[str, int]]) -> None:
    assert broken(judged(*log)) == expected


def test_jobs_that_began_before_the_log_are_counted() -> None:
    result = judged(finished(10, attempt=3), prepared(11, job="j2"), turned_down(12, job="j3"))
    assert (result.jobs, result.begun_before, result.counts["answers that fit any row"]) == (3, 1, 1)


def test_an_effect_without_an_answer_is_counted_and_its_lease_is_not_judged() -> None:
    result = judged(created(), called(2), killed(2.5), turned_down(4))
    assert result.counts["effects without an answer"] == 1
    assert "a_lease_lasts_its_declared_length" not in +result.judged


def test_too_many_overlapping_calls_are_given_up_and_reported() -> None:
    # Eight acquisitions and releases without an answer, in any order: far more than 5000 states.
    asked = [called(2 + n / 1000, f"A{n}") for n in range(8)]
    released = [finishing(2.5 + n / 1000, "release", f"B{n}", n + 1) for n in range(8)]
    lost = [raised(3 + n / 1000, "prepare", f"A{n}") for n in range(8)]
    gone = [killed(3.5 + n / 1000, f"B{n}") for n in range(8)]
    result = judged(created(), asked, released, lost, gone, turned_down(4, reason="no such job"))
    assert result.counts["tangled"] == 1
    assert any("overlap" in doubt for doubt in result.doubts())
