"""``python -m statemachine check-log``: judge the logs of a fleet, however they were made.

No database is opened and no worker is started: the binding only names the lifecycle to judge by.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterable
from itertools import chain, islice
from pathlib import Path

from statemachine.binding import DEFAULT_BINDING, Binding, load
from statemachine.invariants import IN_LOGS, Verdict
from statemachine.lifecycle import Lifecycle
from statemachine.logs import patterns
from statemachine.logs.judging import NAMED_BY_WORKERS, judge_lines
from statemachine.logs.lines import LogLine
from statemachine.logs.reading import STDIN, Reader
from statemachine.logs.report import log_report, verdict_of
from statemachine.report.console import BROKEN, DONE, Command, UsageError, say
from statemachine.report.text.paper import paper_for

LOOKED_AHEAD = 1000
"""Lines in which a worker must name its lease (``worker.started``); after them the binding's is taken."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "files",
        nargs="*",
        metavar="FILE",
        help="logs of all workers of one fleet, one file or many; - reads the standard input",
    )
    add(
        "--binding",
        metavar="MODULE:FACTORY",
        default=DEFAULT_BINDING,
        help=f"the system under test, whose lifecycle judges the log (default: {DEFAULT_BINDING})",
    )
    add(
        "--patterns",
        metavar="FILE",
        help="read plain-text logs by the phrases of this TOML file, not the shipped ones (docs/logs.md)",
    )
    add(
        "--declared-lifecycle",
        action="store_true",
        help="judge by the binding's lease and visibility timeout, not by those that the workers log",
    )


def run(asked: argparse.Namespace) -> int:
    """Judge the logs and print the report; return exit code 0 for PASS, 1 for FAIL and UNKNOWN.

    Raises :class:`UsageError`, ``BindingError``, and ``OSError`` for a file that cannot be read.
    """
    if not asked.files:
        raise UsageError("there is no log to judge: give at least one FILE, or - for the standard input")
    if asked.files.count(STDIN) > 1 or len(set(asked.files)) < len(asked.files):
        raise UsageError("a FILE is named twice: name each log once, or every line of it counts as doubled")
    binding = load(asked.binding)
    reader = Reader(_phrases(asked.patterns))
    try:
        return _judge(asked, binding, reader)
    except patterns.PatternError as error:
        raise UsageError(f"--patterns {error}") from None


def _judge(asked: argparse.Namespace, binding: Binding, reader: Reader) -> int:
    lines = reader.lines(asked.files)
    lifecycle = binding.lifecycle
    if not asked.declared_lifecycle:
        ahead = list(islice(lines, LOOKED_AHEAD))
        lines = chain(ahead, lines)
        lifecycle = logged_lifecycle(lifecycle, ahead)
    claims = [claim for claim in IN_LOGS if claim.name not in binding.waived]
    judged = judge_lines(lifecycle, lines, claims)
    by = asked.binding if lifecycle is binding.lifecycle else "the workers' own numbers"
    for text in log_report(judged, reader.skipped, by, binding.waived, paper_for(sys.stdout)):
        say(text)
    return DONE if verdict_of(judged, reader.skipped) is Verdict.PASS else BROKEN


def _phrases(path: str | None) -> patterns.Phrases:
    try:
        return patterns.load(Path(path) if path is not None else None)
    except patterns.PatternError as error:
        raise UsageError(f"--patterns {error}") from None


def logged_lifecycle(declared: Lifecycle, lines: Iterable[LogLine]) -> Lifecycle:
    """Return the declared lifecycle with the numbers that the first worker logs.

    Raises ``LifecycleError`` when these numbers contradict one another.
    """
    for line in lines:
        named = {name: line.fields[name] for name in NAMED_BY_WORKERS if name in line.fields}
        if line.event == "worker.started" and named:
            return dataclasses.replace(declared, **named)
    return declared


COMMAND = Command(
    "check-log",
    "Judge the logs of a fleet's workers by the claims of the lifecycle, and cite the lines that break one.",
    add_arguments,
    run,
)
