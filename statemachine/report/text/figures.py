"""Sentences made of the figures of a search: what it came to, what raises doubts, how a failure was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from statemachine.history.words import counted, duration, grouped
from statemachine.search.accepted import FILE as ACCEPTED_IN
from statemachine.search.accepted import Acceptance
from statemachine.search.figures import (
    CorpusFigures,
    Doubts,
    FuzzFigures,
    InCorpus,
    InSchedule,
    Origin,
    ScheduleFigures,
    StrategyFigures,
)
from statemachine.search.findings import Finding
from statemachine.search.run import Run
from statemachine.search.triage.script import EARLIER

CRASHES_SHOWN = 3
"""An invariant that crashes does so in every example: a few say enough."""


def strategy_lines(figures: Iterable[StrategyFigures]) -> list[str]:
    """What a search strategy came to beside the figures of its run, a line each."""
    return [line for part in figures for line in _lines(part)]


def _lines(figures: StrategyFigures) -> Iterator[str]:
    match figures:
        case CorpusFigures():
            yield from _corpus(figures)
        case FuzzFigures():
            processes = counted(figures.processes, "process", "processes")
            yield (
                f"Fuzzed for {duration(figures.seconds)} in {processes}: {grouped(figures.pairs)} pairs of "
                f"situations met, the last new one after {duration(figures.last_new)}"
            )
        case ScheduleFigures():
            yield from _schedules(figures)


def _corpus(figures: CorpusFigures) -> Iterator[str]:
    histories = counted(figures.replayed, "history", "histories")
    if figures.holds is not None:
        yield f"Corpus: {histories} played again from {figures.place}, which now holds {figures.holds}"
    elif figures.replayed:
        yield f"Corpus: {histories} played again from {figures.place}"
    yield from figures.notes


def _schedules(figures: ScheduleFigures) -> Iterator[str]:
    first, second = figures.pair
    yield f"{first} and {second} on one job, every order of their statements:"
    for seen in figures.situations:
        broken = f", {seen.broken} of them break a claim" if seen.broken else ""
        yield f"  {seen.situation}: {counted(seen.schedules, 'schedule')}{broken}"
    word = "exhausted" if all(seen.whole for seen in figures.situations) else "not exhausted"
    yield f"{word}: {counted(sum(seen.schedules for seen in figures.situations), 'schedule')}"


def accepted_lines(run: Run) -> list[str]:
    """What came of each accepted finding, a sentence each."""
    return [_accepted(run, one, run.times_met(one)) for one in run.accepted.entries]


def _accepted(run: Run, one: Acceptance, times: int) -> str:
    name = f"{one.claim} ({one.signature})"
    if one.until < run.accepted.today:
        until = f"accepted until {one.until}, which is past"
        if times:
            return (
                f"{until}, and met {counted(times)}: {name}; mend it, or give a later date in {ACCEPTED_IN}"
            )
        return f"{until}, and not met: {name}; take it out of {ACCEPTED_IN}"
    if times:
        return f"accepted until {one.until}, met {counted(times)}: {name}: {one.reason}"
    played = counted(run.tally.examples, "example")
    return (
        f"accepted until {one.until} and not met in {played}: {name}; if it is mended, take it out of "
        f"{ACCEPTED_IN}"
    )


def doubt_lines(doubts: Doubts) -> list[str]:
    """Why a run cannot say PASS although nothing was broken, a sentence each."""
    return [
        *(["the run was interrupted"] if doubts.interrupted else []),
        *doubts.lost,
        *(["no example was played"] if doubts.nothing_played else []),
        *(
            f"invariant {crash.invariant} crashed ({crash.error}) at {crash.event}"
            for crash in doubts.crashed[:CRASHES_SHOWN]
        ),
        *(
            f"situation said to be unreachable was met {counted(times)}: {cell}; the reason given for it is "
            "false: take it out of the binding's unreachable"
            for cell, times in doubts.met_unreachable
        ),
        *(f"required situation never met: {cell}" for cell in doubts.missed),
        *(f"invariant never judged: {name}" for name in doubts.never_judged),
    ]


def how_found(found: Finding) -> str:
    """What was played until it was found, how much shorter it is now, and how often it was met."""
    text = _origin(found.origin)
    if found.steps < found.found_steps:
        text += f"; shrunk {found.found_steps} → {found.steps} steps in {found.shrink_seconds:.1f} s"
    if found.cut:
        text += f"\n  Stopped minimising after {found.shrink_seconds:.0f} s: may not be minimal"
    if found.times > 1:
        text += f"\n  Met {counted(found.times)}"
        text += "".join(f"\n    {line}" for line in merged_lines(found))
    text += f"\n  Signature: {found.signature}"
    if found.unstable:
        text += f"\n  It did not repeat: {found.unstable}"
    return "\n  ".join([text, *_memory(found)])


def _memory(found: Finding) -> Iterator[str]:
    """What the failure needs beside its history, if that is known, a line each."""
    if found.unconfirmed:
        yield f"It was not played again in a fresh process: {found.unconfirmed}"
    if not found.misled:
        return
    if found.breaks_alone:
        yield "Shrunk in fresh processes: the process that found it remembers something of earlier examples"
        return
    needs = "It needs what the process remembers: in a fresh process this history alone breaks nothing"
    if not found.earlier:
        before = counted(len(found.played_before), "example")
        yield f"{needs}, nor does it after any one of the {before} before it"
        return
    yield f"{needs}, and after this example it breaks the claim ({EARLIER} beside the history):"
    for step in found.earlier:
        yield f"{step.key}. {step.operation} {' '.join(map(str, step.arguments.values()))}"


def merged_lines(found: Finding) -> Iterator[str]:
    """Yield how often each kind was met that became this one when it was minimised, a line each."""
    if len(found.merged) > 1:
        for signature, times in sorted(found.merged.items(), key=lambda pair: (-pair[1], pair[0])):
            yield f"{counted(times)} as {signature}"


def _origin(origin: Origin) -> str:
    match origin:
        case InCorpus(place):
            return f"Found again in the corpus, {place}"
        case InSchedule(number, pair, situation):
            return f"Schedule {number} of {','.join(pair)}, {situation}"
    text = f"Looked at {origin.examples} examples until it was found"
    if origin.seconds is not None:
        # One search takes seconds, a run of many takes hours.
        took = f"{origin.seconds:.1f} s" if origin.seed is None else duration(origin.seconds)
        text += f", after {took}"
    return text if origin.seed is None else f"{text} (in the search with seed {origin.seed})"
