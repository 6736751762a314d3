"""Pages of literal histories: what a step is said to be, where bars begin and end, what is folded away."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import pytest

from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.invariants.claim import Compared, Violation
from statemachine.lifecycle import Lifecycle
from statemachine.report.timeline.bars import Bar, Stroke
from statemachine.report.timeline.marks import Mark
from statemachine.report.timeline.markup import Markup, tag
from statemachine.report.timeline.page import Page, rendered
from statemachine.report.timeline.steps import TimelineStep, timeline_steps
from statemachine.search.triage.explain import Rerun, Result, SameSteps
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.signature import Signature
from tests.invariants.test_judge import CASES
from tests.support.events import (
    LEASE,
    NO,
    OURS,
    RENEWS,
    Case,
    call,
    clock,
    created,
    delete_requested,
    delivered,
    done,
    finished,
    prepared,
    running,
    sent,
    step,
    struck,
)
from tests.support.pages import Parsed

THIN, FULL, BROKEN, DOTTED, NONE = (
    Stroke.THIN,
    Stroke.FULL,
    Stroke.BROKEN,
    Stroke.DOTTED,
    Stroke.NONE,
)
FAILS = Rerun(SameSteps(), Result.FAILS)
A_WORKS = [*created(), step(2, "receive"), sent(), delivered(), *prepared(3)]
EDGE = [step(4, "wait"), clock(LEASE)]
B_TAKES_OVER = [step(5, "duplicate", LEASE), *prepared(6, "B", LEASE, attempt=2)]


def drawn(*parts: Sequence[Event], lifecycle: Lifecycle = OURS) -> list[TimelineStep]:
    return timeline_steps(lifecycle, chain(*parts))


def words(step: TimelineStep) -> str:
    """All that the cells of a step say, the marks before each line."""
    cells = (step.application, step.queue, *step.workers.values())
    return " | ".join("".join([*line.marks, " ", line.text]).strip() for cell in cells for line in cell)


def page(events: Sequence[Event], **given: object) -> str:
    return rendered(Page("PASS", OURS, events, meaning="nothing broke", **given))  # type: ignore[arg-type]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_literal_history_has_a_whole_page(case: Case) -> None:
    for events in (case.breaks, case.near_miss):
        parsed = Parsed(rendered(Page("PASS", case.lifecycle, events, meaning="nothing broke")))
        assert parsed.broken_links == []


SAYINGS = {
    "create": (created(), "create j1"),
    "error": (call(1, "create", "application", answer="ValueError: no"), "create j1; raises ValueError: no"),
    "prepare": (prepared(1), "prepare → attempt 1"),
    "refusal": (call(1, "prepare", answer=NO), "prepare → refused"),
    "error that we made": (
        [*call(1, "prepare", answer=NO)[:2], struck(1), history.Raised(0, 1, "OperationalError: planned")],
        "F prepare; error before commit; raises OperationalError",
    ),
    "lost answer": (
        [*call(1, "prepare")[:2], struck(1, fault="answer_lost"), history.Unknown(0, 1, "answer lost")],
        "F prepare; answer lost",
    ),
    "killed worker": (
        [*call(1, "prepare", answer=None), history.Killed(0, "A", "before_prepare_commit")],
        "prepare | K before prepare commit",
    ),
    "killed publisher": (
        [step(1, "publish"), history.PublicationLost(0, "j1")],
        "K publisher of j1",
    ),
    "stray": (
        call(1, "complete", "stray", attempt=2, answer=NO),
        "stray complete(j1, attempt 2) as t1 → refused",
    ),
    "message": ([step(1, "publish"), sent()], "m1 for j1"),
    "malformed message": ([step(1, "send_malformed"), sent(job="")], "malformed message | m1, not readable"),
    "duplicate": (
        [step(1, "duplicate"), sent(), history.Delivered(0, "m1", "m1#2", "B", 2, 3600, duplicate=True)],
        "m1 for j1 | D m1 → B; receive 2, hidden until 3600 | receives m1",
    ),
    "delete": ([step(1, "acknowledge"), delete_requested()], "m1 deleted | deletes m1"),
    "lost delete": (
        [step(1, "acknowledge"), delete_requested(effective=False)],
        "m1 stays: no effect | deletes m1",
    ),
    "DLQ": ([step(1, "receive"), history.DeadLettered(0, "m1")], "m1 → DLQ"),
    "redrive": ([step(1, "redrive"), history.Redriven(0, "m1", "m1.1")], "m1 redriven as m1.1"),
    "nothing": ([history.StepBegan(0, 1, "levitate", {"job": "j1"})], "levitate job j1"),
}


@pytest.mark.parametrize(("events", "expected"), SAYINGS.values(), ids=SAYINGS)
def test_a_step_in_words(events: Sequence[Event], expected: str) -> None:
    if expected.startswith("create"):
        events = [history.StepBegan(0, 1, "create", {"job": "j1"}), *events[1:]]
    assert words(drawn(events)[-1]) == expected


MARKED = {
    "takeover": ([*A_WORKS, *EDGE, *B_TAKES_OVER], [Mark.TAKEOVER]),
    "first attempt": (A_WORKS, []),
    "stale": (
        [*A_WORKS, *EDGE, *B_TAKES_OVER, *call(7, "complete", at=LEASE, attempt=1, answer=NO)],
        [Mark.TAKEOVER, Mark.STALE],
    ),
    "late": ([*A_WORKS, *EDGE, *finished(5, "complete", done(), at=LEASE)], [Mark.LATE]),
    "in time": ([*A_WORKS, *finished(4, "complete", done())], []),
}


@pytest.mark.parametrize(("events", "expected"), MARKED.values(), ids=MARKED)
def test_takeovers_and_stale_and_late_calls_are_marked(events: list[Event], expected: list[Mark]) -> None:
    assert [mark for step in drawn(events) for mark in step.marks] == expected


def bars(*parts: Sequence[Event]) -> list[tuple[Bar | None, Bar | None]]:
    """The pieces of worker A's bar and of the first lease's, a pair a step."""
    return [(one.worker_bars.get("A"), one.lease_bars.get(0)) for one in drawn(*parts)]


def test_a_bar_runs_from_the_delivery_to_the_finish() -> None:
    assert bars(A_WORKS, finished(4, "complete", done())) == [
        (None, None),
        (Bar(NONE, THIN), None),
        (Bar(THIN, FULL), Bar(NONE, FULL, job="j1")),
        (Bar(FULL, NONE), Bar(FULL, NONE)),
    ]


def test_a_kill_ends_the_bar_of_the_worker_and_not_the_lease() -> None:
    killed = [step(4, "kill_worker"), history.Killed(0, "A", "during_inference")]
    assert bars(A_WORKS, killed)[-1] == (Bar(FULL, NONE), Bar(FULL, FULL))


def test_a_lease_bar_ends_within_the_step_in_which_time_passes_its_expiry() -> None:
    quiet = [step(4, "wait"), clock(2 * LEASE)]
    assert bars(A_WORKS, quiet)[-1] == (Bar(FULL, BROKEN), Bar(FULL, DOTTED))
    quiet = [step(4, "wait"), clock(4 * LEASE)]
    assert bars(A_WORKS, quiet)[-1] == (Bar(FULL, BROKEN, 0.25), Bar(FULL, DOTTED, 0.25))
    passed = drawn(A_WORKS, quiet)[-1].time_passed
    assert passed is not None
    assert passed.passed == [(LEASE, "lease of j1, attempt 1, ends"), (3600, "m1 visible again")]


def test_one_second_before_its_end_a_lease_lives() -> None:
    assert bars(A_WORKS, [step(4, "wait"), clock(LEASE - 1)])[-1] == (Bar(FULL, FULL), Bar(FULL, FULL))


def test_a_takeover_begins_a_lease_anew_and_leaves_the_first_worker_without() -> None:
    assert bars(A_WORKS, EDGE, B_TAKES_OVER)[-1] == (
        Bar(BROKEN, BROKEN),
        Bar(DOTTED, FULL, anew=True, job="j1"),
    )


def test_a_renewal_lengthens_the_lease_that_there_is() -> None:
    renewed = [clock(100), *call(5, "renew", at=100, attempt=1, leaves=[running(1, 3640)])]
    last = drawn(A_WORKS, [step(4, "wait")], renewed, lifecycle=RENEWS)[-1]
    assert last.lease_bars == {0: Bar(FULL, FULL)}
    assert last.declared == {}


def test_two_leases_have_a_track_each_and_a_track_is_used_again() -> None:
    def leased(number: int, job: str) -> list[Event]:
        row = running()._replace(job=job)
        return call(number, "mark_running", "stray", job=job, leaves=[row], told=1)

    ended = call(12, "fail", "stray", job="j1", attempt=1, leaves=[done()._replace(status="FAILED")])
    tracks = [one.lease_bars for one in drawn(leased(10, "j1"), leased(11, "j2"), ended, leased(13, "j3"))]
    assert [sorted(bars) for bars in tracks] == [[0], [0, 1], [0, 1], [0, 1]]
    assert tracks[3][0] == Bar(NONE, FULL, job="j3")


def test_a_row_whose_lease_is_not_the_declared_one_says_so() -> None:
    wrong = call(3, "prepare", leaves=[running(1, 3600)], told=1)
    assert drawn(created(), wrong)[-1].declared == {"j1": LEASE}
    assert "lease until 3600, declared: until 3540" in Parsed(page([*created(), *wrong])).text


def test_the_page_says_what_the_drain_found() -> None:
    text = Parsed(page([*created(), history.DrainBegan(0), history.DrainEnded(0, "0 messages")])).text
    assert "Drain: faults stop, time moves on, workers work" in text
    assert "The drain ends: stuck: 0 messages" in text


def test_whatever_a_system_said_is_text_and_no_markup() -> None:
    nasty = "<script>alert('&\"')</script>\x00\udc80 否"
    seen = Violation("every_job_ends", "j1", 1, 0, nasty, (Compared(nasty, nasty, nasty),))
    events = [history.StepBegan(0, 1, nasty, {nasty: nasty}), *call(1, "prepare", nasty, answer=nasty)[1:]]
    failure = Failure(seen, (seen,), tuple(events), Signature("every_job_ends", nasty))
    parsed = Parsed(rendered(Page("FAIL", OURS, events, failure=failure, facts=[(nasty, nasty)])))
    assert parsed.foreign == []
    assert parsed.text.count("<script>alert('&\"')</script>") > 5
    assert "\x00" not in parsed.text


def test_attributes_are_escaped_too() -> None:
    assert tag("a", "x", href='">') == '<a href="&quot;&gt;">x</a>'
    assert tag("p", Markup("<b>x</b>"), None, class_=None) == "<p><b>x</b></p>"
