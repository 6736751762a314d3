"""The three verdicts, built by hand: PASS must be earned, and doubt is never PASS.

In process, for no honest search makes an invariant crash or a required situation fail to come about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from statemachine.history.events import StepBegan
from statemachine.history.ledger import Ledger
from statemachine.history.reach import required
from statemachine.invariants import ALL, HELD, Invariant, Judge, Violation
from statemachine.invariants.claim import invariant
from statemachine.lifecycle import Lifecycle
from statemachine.report.text.figures import doubt_lines
from statemachine.report.text.summary import run_summary, verdict_line
from statemachine.search.figures import InSearch
from statemachine.search.findings import Finding
from statemachine.search.run import EXAMPLES_TO_JUDGE_REACH, Run, Verdict
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.signature import Signature
from tests.support.commandline import STRANGER, run, write

ENOUGH = EXAMPLES_TO_JUDGE_REACH
REQUIRED = required(Lifecycle())


@invariant(StepBegan, section="none")
def chokes(ledger: Ledger, event: StepBegan) -> Iterator[Any]:
    """Crashes on every step."""
    yield HELD
    raise ZeroDivisionError(f"no mercy at {event.step}")


NO_COMMIT = {"answer_lost in prepare": "it claims by one UPDATE in autocommit"}
FAILURE = Failure(
    Violation("every_job_ends", "j1", 1, 0.0, "j1 never ends.", ()),
    (),
    (),
    Signature("every_job_ends", "drain"),
)


def run_of(
    examples: int = ENOUGH,
    claims: Sequence[Invariant] = ALL,
    unreachable: Mapping[str, str] = MappingProxyType({}),
    **fields: Any,
) -> Run:
    """A finished run in which every claim was judged seven times and every cell met nine times."""
    binding = SimpleNamespace(lifecycle=Lifecycle(), unreachable=unreachable)
    lane: Any = SimpleNamespace(claims=claims, binding=binding)
    made = Run(lane, **({"finished": True} | fields))
    made.tally.examples = examples
    made.tally.judged.update({claim.name: 7 for claim in claims})
    made.reach.counts.update(dict.fromkeys(REQUIRED, 9))
    return made


def crash(made: Run) -> None:
    judge = Judge(Lifecycle(), [chokes])
    judge.take(StepBegan(0, 1, "create", {}))
    example: Any = SimpleNamespace(steps=1, judge=judge, ledger=judge.ledger, events=[])
    made.end_example(example)


def test_a_long_clean_run_that_met_everything_passes() -> None:
    made = run_of()
    assert (made.verdict, doubt_lines(made.doubts())) == (Verdict.PASS, [])


def test_its_verdict_line_names_the_rarest_situation() -> None:
    made = run_of()
    made.reach.counts["redriven"] = 3
    line = verdict_line(made)
    assert line.startswith("PASS  ")
    assert "the rarest 3 times (redriven)" in line


def test_a_short_run_says_that_its_reach_was_not_judged() -> None:
    made = run_of(ENOUGH - 1)
    made.reach.counts.clear()
    assert made.verdict is Verdict.PASS
    assert verdict_line(made).startswith("PASS (reach not judged)  ")


@pytest.mark.parametrize("cell", [REQUIRED[0], REQUIRED[-1], "lease edge 0 s"])
def test_a_required_situation_that_never_came_about_is_unknown(cell: str) -> None:
    made = run_of()
    made.reach.counts[cell] = 0
    assert made.verdict is Verdict.UNKNOWN
    assert doubt_lines(made.doubts()) == [f"required situation never met: {cell}"]
    assert verdict_line(made).startswith("UNKNOWN  ")


def test_a_situation_that_cannot_exist_is_no_doubt_and_not_the_rarest() -> None:
    made = run_of(unreachable=NO_COMMIT)
    made.reach.counts.update({"answer_lost in prepare": -9, "redriven": -6})
    assert (made.verdict, doubt_lines(made.doubts())) == (Verdict.PASS, [])
    assert "the rarest 3 times (redriven)" in verdict_line(made)


@pytest.mark.parametrize(("examples", "finished"), [(1, True), (ENOUGH, True), (ENOUGH, False)])
def test_a_situation_that_was_said_not_to_exist_and_was_met_is_unknown(examples: int, finished: bool) -> None:
    made = run_of(examples, unreachable=NO_COMMIT, finished=finished)
    assert made.verdict is Verdict.UNKNOWN
    assert doubt_lines(made.doubts())[-1] == (
        "situation said to be unreachable was met 9 times: answer_lost in prepare; the reason given for it "
        "is false: take it out of the binding's unreachable"
    )


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.name)
@pytest.mark.parametrize("examples", [1, ENOUGH])
def test_an_invariant_that_was_never_judged_is_unknown(claim: Invariant, examples: int) -> None:
    made = run_of(examples)
    del made.tally.judged[claim.name]
    assert made.verdict is Verdict.UNKNOWN
    assert doubt_lines(made.doubts()) == [f"invariant never judged: {claim.name}"]


def test_a_waived_invariant_that_was_never_judged_is_no_doubt() -> None:
    made = run_of(claims=ALL[1:])
    assert made.tally.judged[ALL[0].name] == 0
    assert made.verdict is Verdict.PASS


@pytest.mark.parametrize("examples", [1, ENOUGH])
def test_a_crashed_invariant_is_unknown_however_short_the_run(examples: int) -> None:
    made = run_of(examples)
    crash(made)
    assert made.verdict is Verdict.UNKNOWN
    (doubt,) = doubt_lines(made.doubts())
    assert "chokes" in doubt
    assert "ZeroDivisionError: no mercy at 1" in doubt
    assert "StepBegan" in doubt


def test_a_crash_in_every_example_is_reported_a_few_times_only() -> None:
    made = run_of()
    for _ in range(ENOUGH):
        crash(made)
    assert 1 <= len(doubt_lines(made.doubts())) <= 5


@pytest.mark.parametrize("examples", [1, ENOUGH])
def test_an_interrupted_run_is_unknown(examples: int) -> None:
    made = run_of(examples, finished=False)
    assert made.verdict is Verdict.UNKNOWN
    assert doubt_lines(made.doubts()) == ["the run was interrupted"]


def test_an_interrupted_run_does_not_blame_what_it_had_no_time_for() -> None:
    made = run_of(finished=False)
    made.reach.counts.clear()
    assert doubt_lines(made.doubts()) == ["the run was interrupted"]


@pytest.mark.parametrize("finished", [True, False])
def test_a_broken_invariant_beats_every_doubt(finished: bool) -> None:
    made = run_of(finished=finished)
    made.findings.add(Finding(FAILURE, InSearch(1), 1))
    crash(made)
    made.reach.counts.clear()
    assert made.verdict is Verdict.FAIL
    assert verdict_line(made).startswith("FAIL  ")


# -- the summary ----------------------------------------------------------------------------------


def test_doubts_are_marked_and_stand_before_the_verdict() -> None:
    made = run_of()
    made.reach.counts["redriven"] = 0
    lines = run_summary(made, {}, ["a limit"])
    assert lines[-3:-1] == ["a limit", "? required situation never met: redriven"]
    assert lines[-1] == verdict_line(made)


def test_a_waived_invariant_appears_with_its_reason() -> None:
    made = run_of(claims=ALL[1:])
    lines = run_summary(made, {ALL[0].name: "ids are the fleet's own"}, [])
    assert f"  waived: {ALL[0].name} (ids are the fleet's own)" in lines


def test_a_situation_that_cannot_exist_is_shown_as_that_with_its_reason() -> None:
    made = run_of(unreachable=NO_COMMIT | {"create: new id": "there are jobs enough"})
    made.reach.counts["answer_lost in prepare"] = 0
    told = "\n".join(run_summary(made, {}, []))
    assert "answer_lost in prepare unreachable" in told
    assert "  unreachable: answer_lost in prepare (it claims by one UPDATE in autocommit)\n" in told
    assert "new id 9" in told, "one that was met shows its count"
    made.reach.counts["create: new id"] = 0
    assert "new id unreachable" in "\n".join(run_summary(made, {}, []))


def test_large_counts_stay_within_100_columns() -> None:
    made = run_of(examples=10_000_000)
    made.tally.seconds, made.tally.steps = 86_400.0, 500_000_000
    made.tally.judged.update({claim.name: 10**9 for claim in ALL})
    made.reach.counts.update(dict.fromkeys(REQUIRED, 10**9))
    lines = run_summary(made, {}, [])[:-1]
    assert [line for line in lines if len(line) > 100] == []
    assert any(line.startswith("10 000 000 examples, 500 000 000 steps in 86400 s") for line in lines)


@pytest.mark.parametrize("long", ["waiver", "unreachable", "doubt", "rarest"])
def test_long_sentences_stay_within_100_columns(long: str) -> None:
    made = run_of(unreachable={"redriven": "word " * 30} if long == "unreachable" else {})
    if long == "doubt":
        crash(made)
    elif long == "rarest":
        made.reach.counts[max(REQUIRED, key=len)] = 1
    waived = {ALL[0].name: "word " * 30} if long == "waiver" else {}
    assert [line for line in run_summary(made, waived, []) if len(line) > 100] == []


def test_a_run_without_seconds_has_no_speed() -> None:
    made = run_of()
    made.tally.steps = 10
    assert "(0 steps/s)" in "\n".join(run_summary(made, {}, []))


# -- from outside ---------------------------------------------------------------------------------

CRASHING = """
from dataclasses import replace
import statemachine.world.lane as lane
from hypothesis import settings

def chokes(ledger, event):
    raise ZeroDivisionError("no mercy")
    yield

settings.register_profile("tiny", max_examples=5, stateful_step_count=10)
lane.ALL = (replace(lane.ALL[0], judge=chokes), *lane.ALL[1:])
"""


def test_unknown_fails_the_run_in_other_words(tmp_path_factory: pytest.TempPathFactory) -> None:
    cwd = write(tmp_path_factory.mktemp("unknown"), conftest=CRASHING)
    ran = run(*STRANGER, "--hypothesis-profile", "tiny", "--hypothesis-seed=1", cwd=cwd)
    assert ran.code == 1, ran
    assert ran.verdict.startswith("UNKNOWN"), ran
    assert f"invariant {ALL[0].name} crashed (ZeroDivisionError: no mercy)" in ran.output
    assert "FAIL " not in ran.output
    assert "PASS" not in ran.output
    assert [kept.name for kept in (cwd / ".statemachine").glob("[!.]*")] == ["run.json"], (
        "no history is saved"
    )
