"""The report of a judged log: the failures with their lines, what was read and judged, and the verdict."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from statemachine.history.words import counted
from statemachine.invariants import BY_NAME, Verdict
from statemachine.logs.judging import REQUIRED, CitedViolation, JudgedLog
from statemachine.logs.lines import LogPlace
from statemachine.logs.reading import SkippedLines, texts
from statemachine.report.text.paper import MARGIN, WIDE, Paper

MEANING = {
    Verdict.PASS: "no line contradicts a claim",
    Verdict.FAIL: "a claim is broken",
    Verdict.UNKNOWN: "nothing is broken, but the log cannot vouch for it",
}

MOST_OF_A_NAME = 40
"""Characters of a file's name that are shown, the last ones: the number of the line must fit as well."""
UNREADABLE = "(this line cannot be read again)"

_PASSED_OVER = {
    "truncated": "cut off",
    "doubled": "doubled",
    "foreign": "foreign",
    "incomplete": "incomplete",
    "oversized": "too long to be read",
}


def log_report(
    judged: JudgedLog, skipped: SkippedLines, by: str, waived: Mapping[str, str], paper: Paper = WIDE
) -> list[str]:
    """Return the whole report, line by line.

    ``skipped`` counts what the reader passed over; ``by`` names the lifecycle; ``waived`` gives the binding's
    reason for each claim that it waives.
    """
    lines: list[str] = []
    shown: set[str] = set()
    for cited in judged.violations:
        lines += [*evidence(cited, cited.violation.subject not in shown, paper), ""]
        shown.add(cited.violation.subject)
    lines += [
        *_read(judged, skipped, paper),
        *_lifecycle(judged, by, paper),
        "",
        *(line for text in _jobs(judged) for line in paper.wrap(text, "", "            ")),
        "",
        *_claims(judged, waived, paper),
        "",
    ]
    lines += [
        line
        for doubt in (*judged.doubts(), *reading_doubts(skipped))
        for line in paper.wrap(doubt, "? ", "  ")
    ]
    return [*lines, *paper.wrap(verdict_line(judged, skipped), "", "      ")]


def verdict_of(judged: JudgedLog, skipped: SkippedLines) -> Verdict:
    """Return the verdict on the log; lines that could not be judged turn a pass into UNKNOWN."""
    if judged.verdict is Verdict.PASS and reading_doubts(skipped):
        return Verdict.UNKNOWN
    return judged.verdict


def reading_doubts(skipped: SkippedLines) -> list[str]:
    """Return why the lines that were read cannot vouch for the whole log, a sentence each."""
    if not skipped.incomplete:
        return []
    found = skipped.examples["incomplete"][0]
    return [
        f"{counted(skipped.incomplete, 'incomplete line')} could not be judged, the first: {found}; "
        "docs/logs.md lists the fields of each event"
    ]


def verdict_line(judged: JudgedLog, skipped: SkippedLines) -> str:
    verdict, headline = verdict_of(judged, skipped), judged.headline
    if headline is None:
        return f"{verdict}  {MEANING[verdict]}"
    return f"{verdict}  {headline.violation.invariant}: {headline.violation.story} ({headline.line.place})"


def _read(judged: JudgedLog, skipped: SkippedLines, paper: Paper) -> Iterator[str]:
    events = f"{_count(judged.lines)} judged as {_count(judged.events)} events"
    yield f"Read      {_count(skipped.read)} lines: {events}"
    counts = {kind: getattr(skipped, kind) for kind in _PASSED_OVER}
    passed = [
        f"{_count(count)} {_PASSED_OVER[kind]}"
        for kind, count in counts.items()
        if count or kind != "oversized"
    ]
    yield f"          passed over: {', '.join(passed)}"
    for kind, words in _PASSED_OVER.items():
        if kind in skipped.examples:
            yield from paper.wrap(f"{words}: {'; '.join(skipped.examples[kind])}", "          ")
    if skipped.backwards:
        where = "; ".join(skipped.examples["backwards"])
        yield from paper.wrap(
            f"the clock of a file ran back {counted(skipped.backwards)}, "
            f"so the order is a guess there: {where}",
            "          ",
        )


def _lifecycle(judged: JudgedLog, by: str, paper: Paper) -> Iterator[str]:
    ours = judged.lifecycle
    yield from paper.wrap(
        f"Judged by lease {ours.lease_seconds} s, visibility {ours.visibility_seconds} s, "
        f"{counted(ours.max_receives, 'receive')}: {by}",
        "",
        "          ",
    )


def _jobs(judged: JudgedLog) -> Iterator[str]:
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
        yield f"          {_count(vague)} answers about jobs of which no line says anything else: not judged"


def _claims(judged: JudgedLog, waived: Mapping[str, str], paper: Paper) -> Iterator[str]:
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


def evidence(cited: CitedViolation, with_lines: bool = True, paper: Paper = WIDE) -> Iterator[str]:
    """Yield the claim, its story, expected against actual, and the lines about the job.

    Without ``with_lines`` only the line that shows the failure is given.
    """
    seen = cited.violation
    claim = BY_NAME[seen.invariant]
    yield f"FAIL  {seen.invariant}"
    yield from paper.wrap(seen.story, MARGIN)
    yield from paper.wrap(claim.protects.splitlines()[0], MARGIN)
    for what, expected, actual in seen.compared:
        yield from paper.wrap(f"{what}: expected {expected}, found {actual}", MARGIN)
    if cited.others:
        yield f"      ({counted(cited.others, 'more failure')} of this kind)"
    yield ""
    yield from _evidence_lines(cited if with_lines else cited._replace(trail=()), paper)


def _evidence_lines(cited: CitedViolation, paper: Paper) -> Iterator[str]:
    """Yield the lines about the job in the order of their times; the one that shows the failure is marked."""
    places = list(cited.trail)
    if cited.line.place not in places:
        places.append(cited.line.place)
    found, named = texts(places), _short_names(places)
    width = max(len(name) for name in named.values())
    for place in places:
        mark = paper.spelt("✗") if place == cited.line.place else " "
        said = _line_text(found[place]) if place in found else UNREADABLE
        yield _shortened(f"  {mark} {named[place]:<{width}}  {paper.spelt(said)}", paper)


def _line_text(text: str) -> str:
    """Return a line in short: its time of day, its worker and its sentence, or the text if it is no JSON."""
    try:
        values: Any = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict) or not values.get("event"):
        return " ".join(text.split())
    sentence = " ".join(str(values.get("text") or values["event"]).split())
    return f"{str(values.get('at', ''))[11:26]}  {values.get('worker', '')}  {sentence}"


def _short_names(places: Iterable[LogPlace]) -> dict[LogPlace, str]:
    """Return each place as ``file:line``, without the folder where the names stay distinct."""
    files = {place.file for place in places}
    last = {file: file.replace("\\", "/").rpartition("/")[2] for file in files}
    if len(set(last.values())) < len(files):
        last = {file: file for file in files}
    return {place: f"{last[place.file][-MOST_OF_A_NAME:]}:{place.number}" for place in places}


def _shortened(text: str, paper: Paper) -> str:
    more = paper.spelt("…")
    return text if len(text) <= paper.width else f"{text[: paper.width - len(more)]}{more}"
