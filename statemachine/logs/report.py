"""What a person reads of a judged log: each failure with its lines, what was met, what was judged, the verdict."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping

from statemachine.invariants import BY_NAME
from statemachine.invariants.claim import clock, times
from statemachine.logs.judging import REQUIRED, Cited, Judged
from statemachine.logs.lines import Place
from statemachine.logs.reading import Tally, texts
from statemachine.report import WIDTH
from statemachine.verdict import Verdict

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


def evidence(cited: Cited) -> Iterator[str]:
    """One failure: the claim, the story, expected against actual, and the lines about its job."""
    seen = cited.violation
    claim = BY_NAME[seen.invariant]
    yield f"FAIL  {seen.invariant}"
    yield from _wrapped(seen.story, "      ")
    yield from _wrapped(f"{claim.protects.splitlines()[0]} (gate report {claim.section})", "      ")
    yield ""
    yield f"  {str(cited.line.place)[-60:]}  ({clock(cited.line.at)} s)"
    for what, expected, actual in seen.compared:
        yield f"    {what}: expected {expected}, found {actual}"[:WIDTH]
    yield ""
    yield from _table(cited)
    if cited.others:
        yield ""
        yield f"  {times(cited.others, 'more failure')} of this kind"


def _table(cited: Cited) -> Iterator[str]:
    """The lines about the job, shortened; the one that shows the failure is marked."""
    places = [*cited.trail]
    if cited.line.place not in places:
        places.append(cited.line.place)
    found = texts(places)
    named = _short_names(places)
    width = max(len(named[place]) for place in places)
    for place in places:
        mark = "✗" if place == cited.line.place else " "
        said = " ".join(found.get(place, "(the line cannot be read again)").split())
        yield f"  {mark} {named[place]:<{width}}  {_shortened(said, WIDTH - width - 6)}"


def _short_names(places: Iterable[Place]) -> dict[Place, str]:
    """Each place as ``file:line``, with the folder left out where the names stay distinct."""
    files = {place.file for place in places}
    last = {file: file.replace("\\", "/").rsplit("/", 1)[-1] for file in files}
    clear = len(set(last.values())) == len(files)
    return {
        place: f"{(last[place.file] if clear else place.file)[-40:]}:{place.number}" for place in places
    }


def _shortened(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"


def log_report(judged: Judged, tally: Tally, by: str, waived: Mapping[str, str]) -> list[str]:
    """The whole report.

    ``tally`` is what the reader passed over, ``by`` says whose lifecycle it is, ``waived`` what the binding
    waives.
    """
    lines: list[str] = []
    for cited in judged.violations:
        lines += [*evidence(cited), ""]
    lines += [*_read(judged, tally), *_lifecycle(judged, by), "", *_jobs(judged), "", *_claims(judged, waived), ""]
    lines += [
        line for doubt in (*judged.doubts(), *reading_doubts(tally)) for line in _wrapped(doubt, "? ", "  ")
    ]
    return [*lines, *_wrapped(verdict_line(judged, tally), "", "      ")]


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
    return [f"{times(tally.incomplete, 'line')} of ours could not be judged, the first: {found}"]


def verdict_line(judged: Judged, tally: Tally) -> str:
    verdict, headline = verdict_of(judged, tally), judged.headline
    if headline is None:
        return f"{verdict}  {MEANING[verdict]}"
    return f"{verdict}  {headline.violation.invariant}: {headline.violation.story} ({headline.line.place})"


def _read(judged: Judged, tally: Tally) -> Iterator[str]:
    yield f"Read      {_count(tally.read)} lines: {_count(judged.lines)} judged as {_count(judged.events)} events"
    passed = [f"{_count(getattr(tally, kind))} {words}" for kind, words in _PASSED_OVER.items()]
    yield f"          passed over: {', '.join(passed)}"
    for kind, words in _PASSED_OVER.items():
        if kind in tally.examples:
            yield from _wrapped(f"{words}: {'; '.join(tally.examples[kind])}", "          ")
    if tally.backwards:
        where = "; ".join(tally.examples["backwards"])
        yield from _wrapped(
            f"the clock of a file ran back {times(tally.backwards)}, so the order is a guess there: {where}",
            "          ",
        )


def _lifecycle(judged: Judged, by: str) -> Iterator[str]:
    ours = judged.lifecycle
    yield from _wrapped(
        f"Judged by lease {ours.lease_seconds} s, visibility {ours.visibility_seconds} s, "
        f"{times(ours.max_receives, 'receive')}: {by}",
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
    yield f"          {_count(judged.acquisitions)} acquisitions, {_count(judged.takeovers)} of them takeovers"
    yield (
        f"          {_count(counts['worker.killed'])} workers killed; "
        f"{_count(counts['effects without an answer'])} calls took effect and were never answered"
    )
    if counts["answers that fit any row"]:
        yield (
            f"          {_count(counts['answers that fit any row'])} answers about jobs of which nothing else "
            "was told: not judged"
        )


def _claims(judged: Judged, waived: Mapping[str, str]) -> Iterator[str]:
    yield "Claims (times judged)"
    for claim in judged.claims:
        if claim.name not in judged.not_judged:
            needed = "" if judged.judged[claim.name] or claim.name not in REQUIRED else "  ?"
            yield f"  {claim.name:<36}{_count(judged.judged[claim.name]):>12}{needed}"
    yield "Not judged here"
    for name, reason in judged.not_judged.items():
        if name not in waived:
            yield from _wrapped(f"{name}: {reason}", "  ", "    ")
    for name, reason in waived.items():
        yield from _wrapped(f"{name}: waived ({reason})", "  ", "    ")


def _wrapped(text: str, first: str, then: str | None = None) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=first if then is None else then
    )


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")
