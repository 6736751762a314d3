"""``python -m statemachine check-log``: judges the logs of a fleet, however they were made.

No database is opened and nothing is played: the binding only says by which lifecycle to judge.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterable
from itertools import chain, islice
from pathlib import Path

from statemachine.binding import DEFAULT_BINDING, load
from statemachine.invariants import IN_LOGS
from statemachine.invariants.verdict import Verdict
from statemachine.lifecycle import Lifecycle
from statemachine.logs import patterns
from statemachine.logs.judging import TOLD_BY_WORKERS, judge_lines
from statemachine.logs.lines import Line
from statemachine.logs.reading import STDIN, Reader
from statemachine.logs.report import log_report, verdict_of
from statemachine.report.console import BROKEN, DONE, Command, UsageError, say
from statemachine.report.text.paper import paper_for

LOOKED_AHEAD = 1000
"""Within so many lines a worker must say by which lease it works, or the binding's is taken."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("files", nargs="*", metavar="FILE", help="logs of all workers of one fleet; - is the standard input")
    add(
        "--binding",
        metavar="MODULE:FACTORY",
        default=DEFAULT_BINDING,
        help="whose lifecycle they are judged by",
    )
    add("--patterns", metavar="FILE", help="phrases of plain-text logs (TOML), instead of the shipped ones")
    add(
        "--declared-lifecycle",
        action="store_true",
        help="judge by the binding's lease and visibility, whatever the workers say of theirs",
    )


def run(asked: argparse.Namespace) -> int:
    """Exit code 0 for PASS, 1 for FAIL and UNKNOWN.

    Raises :class:`UsageError`, ``BindingError``, and ``OSError`` for a file that cannot be read.
    """
    if not asked.files:
        raise UsageError("there is no log to judge: give at least one FILE, or - for the standard input")
    if asked.files.count(STDIN) > 1 or len(set(asked.files)) < len(asked.files):
        raise UsageError("a FILE is named twice: name each log once, or every line of it counts as doubled")
    binding = load(asked.binding)
    reader = Reader(_phrases(asked.patterns))
    lines = reader.lines(asked.files)
    lifecycle = binding.lifecycle
    if not asked.declared_lifecycle:
        ahead = list(islice(lines, LOOKED_AHEAD))
        lines = chain(ahead, lines)
        lifecycle = told_lifecycle(lifecycle, ahead)
    claims = [claim for claim in IN_LOGS if claim.name not in binding.waived]
    judged = judge_lines(lifecycle, lines, claims)
    by = asked.binding if lifecycle is binding.lifecycle else "the workers' own numbers"
    for text in log_report(judged, reader.tally, by, binding.waived, paper_for(sys.stdout)):
        say(text)
    return DONE if verdict_of(judged, reader.tally) is Verdict.PASS else BROKEN


def _phrases(path: str | None) -> patterns.Phrases:
    try:
        return patterns.load(Path(path) if path is not None else None)
    except patterns.PatternError as error:
        raise UsageError(f"--patterns {error}") from None


def told_lifecycle(declared: Lifecycle, lines: Iterable[Line]) -> Lifecycle:
    """The declared lifecycle with the numbers that the first worker says it works by.

    Raises ``LifecycleError`` when they contradict one another.
    """
    for line in lines:
        told = {name: line.fields[name] for name in TOLD_BY_WORKERS if name in line.fields}
        if line.event == "worker.started" and told:
            return dataclasses.replace(declared, **told)
    return declared


COMMAND = Command(
    "check-log",
    "Judge the logs of a fleet's workers by the same claims, and cite the lines that break one.",
    add_arguments,
    run,
)
