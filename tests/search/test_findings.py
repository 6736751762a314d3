"""Distinct failures: one entry a signature, the shortest history of it, grouped by claim."""

from __future__ import annotations

from statemachine.history.events import StepBegan
from statemachine.invariants import Violation
from statemachine.report.text.figures import how_found
from statemachine.search.figures import InCorpus, InSearch
from statemachine.search.findings import Finding, Findings
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.script import Step, play
from statemachine.search.triage.signature import Signature
from statemachine.world.lane import Lane
from tests.conftest import OpenLane
from tests.support.scripts import MINIMAL


def finding(claim: str, operation: str, steps: int, seed: int = 0, actor: str = "") -> Finding:
    events = tuple(StepBegan(0, number, "wait", {}) for number in range(steps))
    seen = Violation(claim, "j1", steps, 0, f"{claim} broke.", ())
    return Finding(
        Failure(seen, (), events, Signature(claim, operation, actor=actor)), InSearch(1), steps, seed=seed
    )


def test_of_one_signature_the_shortest_is_kept_and_all_are_counted() -> None:
    findings = Findings()
    assert findings.add(finding("a", "complete", 9, seed=1))
    assert not findings.add(finding("a", "complete", 5, seed=2))
    assert not findings.add(finding("a", "complete", 7, seed=3))
    findings.again(Signature("a", "complete"), 10)
    (only,) = findings
    assert (only.steps, only.seed, only.times) == (5, 2, 13)


def test_findings_are_grouped_by_claim_the_shortest_first() -> None:
    findings = Findings()
    for found in (
        finding("a", "complete", 9),
        finding("b", "fail", 6),
        finding("a", "fail", 4),
        finding("c", "fail", 8),
    ):
        findings.add(found)
    assert [[(one.signature.invariant, one.steps) for one in group] for group in findings.by_claim()] == [
        [("a", 4), ("a", 9)],
        [("b", 6)],
        [("c", 8)],
    ]
    assert findings.signatures == {
        Signature("a", "complete"),
        Signature("a", "fail"),
        Signature("b", "fail"),
        Signature("c", "fail"),
    }
    assert Findings().by_claim() == []


def test_findings_by_strays_are_told_after_all_others() -> None:
    findings = Findings()
    for found in (
        finding("a", "complete", 3, actor="stray"),
        finding("a", "complete", 9, actor="worker"),
        finding("b", "fail", 12, actor="sweep"),
        finding("c", "fail", 2, actor="stray"),
    ):
        findings.add(found)
    told = [
        [(one.signature.invariant, one.signature.actor) for one in group] for group in findings.by_claim()
    ]
    assert told == [[("a", "worker"), ("a", "stray")], [("b", "sweep")], [("c", "stray")]]


def long_failure(lane: Lane) -> Failure:
    steps = list(MINIMAL["completion_without_token"])
    needless = [
        step._replace(key=step.key + 50, operation="wait", arguments={"seconds": 1}) for step in steps
    ]
    failure = play(lane, [*needless[:3], *steps]).failure
    assert failure is not None
    return failure


def test_minimising_keeps_the_signature_and_the_length_before(open_lane: OpenLane) -> None:
    with open_lane("completion_without_token") as lane:
        failure = long_failure(lane)
        findings = Findings()
        findings.add(Finding(failure, InCorpus("somewhere"), len(failure.steps)))
        (only,) = findings.minimised(lane)
    assert only.steps < only.found_steps == len(failure.steps)
    assert only.signature.invariant == failure.signature.invariant


def test_what_becomes_one_finding_is_counted_by_what_it_was(open_lane: OpenLane) -> None:
    by_worker = list(MINIMAL["completion_without_token"])
    by_stray = [
        *by_worker[:-1],
        Step(50, "stray", {"operation": "complete", "job": "j1", "attempt": "previous"}),
    ]
    with open_lane("completion_without_token") as lane:
        findings = Findings()
        for steps, times in ((by_worker, 2), (by_stray, 3)):
            failure = play(lane, steps).failure
            assert failure is not None
            findings.add(Finding(failure, InSearch(1), len(failure.steps), times=times))
        assert len(findings) == 2
        (only,) = findings.minimised(lane)
    assert (only.signature.actor, only.times) == ("worker", 5)
    assert {signature.actor: times for signature, times in only.merged.items()} == {"worker": 2, "stray": 3}
    said = how_found(only)
    assert "Met 5 times" in said
    assert "3 times as complete by a stray: superseded, or attempt never given, job DONE" in said


def test_an_unstable_failure_is_not_minimised(open_lane: OpenLane) -> None:
    with open_lane("completion_without_token") as lane:
        failure = long_failure(lane)
        findings = Findings()
        findings.add(Finding(failure, InCorpus("somewhere"), len(failure.steps), unstable="Flaky"))
        (only,) = findings.minimised(lane)
    assert only.failure is failure
