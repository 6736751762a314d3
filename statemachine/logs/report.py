"""What a person reads of a judged log: the failures, what was met, what was judged, and the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from statemachine.history.words import counted
from statemachine.invariants import Verdict
from statemachine.logs.evidence import evidence
from statemachine.logs.judging import REQUIRED, Judged
from statemachine.logs.reading import Tally
from statemachine.report.text.paper import WIDE, Paper

MEANING = {
    Verdict.PASS: "no line contradicts a claim",
    Verdict.FAIL: "a claim is broken",
    Verdict.UNKNOWN: "nothing is broken, but the log cannot vouch for it",
}

_PASSED_OVER = {
    "truncated": "cut off",
    "doubled": "doubled",
    "foreign": "foreign",
    "incomplete": "incomplete",
}


def log_report(
    judged: Judged, tally: Tally, by: str, waived: Mapping[str, str], paper: Paper = WIDE
) -> list[str]:
    """The whole report.

    ``tally`` is what the reader passed over, ``by`` says whose lifecycle it is, ``waived`` what the binding
    waives.
    """
    lines: list[str] = []
    shown: set[str] = set()
    for cited in judged.violations:
        lines += [*evidence(cited, cited.violation.subject not in shown, paper), ""]
        shown.add(cited.violation.subject)
    lines += [
        *_read(judged, tally, paper),
        *_lifecycle(judged, by, paper),
        "",
        *(line for text in _jobs(judged) for line in paper.wrap(text, "", "            ")),
        "",
        *_claims(judged, waived, paper),
        "",
    ]
    lines += [
        line for doubt in (*judged.doubts(), *reading_doubts(tally)) for line in paper.wrap(doubt, "? ", "  ")
    ]
    return [*lines, *paper.wrap(verdict_line(judged, tally), "", "      ")]


def verdict_of(judged: Judged, tally: Tally) -> Verdict:
    """The verdict on what was judged, and on how it could be read."""
    if judged.verdict is Verdict.PASS and reading_doubts(tally):
        return Verdict.UNKNOWN
    return judged.verdict


def reading_doubts(tally: Tally) -> list[str]:
    """Why what was read cannot vouch for the whole, a sentence each."""
    if not tally.incomplete:
        return []
    found = tally.examples["incomplete"][0]
    return [f"{counted(tally.incomplete, 'line')} of ours could not be judged, the first: {found}"]


def verdict_line(judged: Judged, tally: Tally) -> str:
    verdict, headline = verdict_of(judged, tally), judged.headline
    if headline is None:
        return f"{verdict}  {MEANING[verdict]}"
    return f"{verdict}  {headline.violation.invariant}: {headline.violation.story} ({headline.line.place})"


def _read(judged: Judged, tally: Tally, paper: Paper) -> Iterator[str]:
    events = f"{_count(judged.lines)} judged as {_count(judged.events)} events"
    yield f"Read      {_count(tally.read)} lines: {events}"
    passed = [f"{_count(getattr(tally, kind))} {words}" for kind, words in _PASSED_OVER.items()]
    yield f"          passed over: {', '.join(passed)}"
    for kind, words in _PASSED_OVER.items():
        if kind in tally.examples:
            yield from paper.wrap(f"{words}: {'; '.join(tally.examples[kind])}", "          ")
    if tally.backwards:
        where = "; ".join(tally.examples["backwards"])
        yield from paper.wrap(
            f"the clock of a file ran back {counted(tally.backwards)}, "
            f"so the order is a guess there: {where}",
            "          ",
        )


def _lifecycle(judged: Judged, by: str, paper: Paper) -> Iterator[str]:
    ours = judged.lifecycle
    yield from paper.wrap(
        f"Judged by lease {ours.lease_seconds} s, visibility {ours.visibility_seconds} s, "
        f"{counted(ours.max_receives, 'receive')}: {by}",
        "",
        "          ",
    )


def _jobs(judged: Judged) -> Iterator[str]:
    counts = judged.counts
    yield f"Jobs      {_count(judged.jobs)}, of which {_count(judged.begun_before)} began before the log"
    yield (
        f"          DONE or FAILED exactly once: {_count(judged.ended_once)} of {_count(judged.jobs)}; "
        f"completed twice: {_count(judged.ended_again)}; not ended: {_count(judged.jobs - judged.ended)}"
    )
    yield f"          {_many(judged.acquisitions, 'acquisition')}, {_many(judged.takeovers, 'takeover')}"
    yield (
        f"          {_many(counts['worker.killed'], 'worker')} killed; "
        f"{_many(counts['effects without an answer'], 'call')} took effect without an answer"
    )
    vague = counts["answers that fit any row"]
    if vague:
        yield f"          {_count(vague)} answers about jobs of which nothing else was told: not judged"


def _claims(judged: Judged, waived: Mapping[str, str], paper: Paper) -> Iterator[str]:
    yield "Claims (times judged)"
    for claim in judged.claims:
        if claim.name not in judged.not_judged:
            needed = "" if judged.judged[claim.name] or claim.name not in REQUIRED else "  ?"
            yield f"  {claim.name:<36}{_count(judged.judged[claim.name]):>12}{needed}"
    yield "Not judged here"
    for name, reason in judged.not_judged.items():
        if name not in waived:
            yield from paper.wrap(f"{name}: {reason}", "  ", "    ")
    for name, reason in waived.items():
        yield from paper.wrap(f"{name}: waived ({reason})", "  ", "    ")


def _many(number: int, thing: str) -> str:
    return f"{_count(number)} {thing}{'' if number == 1 else 's'}"


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")
