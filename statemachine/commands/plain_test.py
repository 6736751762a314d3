"""``python -m statemachine plain-test``: write the plain test of a saved failure anew, from its history.

The history is checked line by line and judged by the claims; nothing that lies beside it is read, and nothing
is played or imported, so a folder that was downloaded can be given as it is.

Whoever saved the history judged it by the claims of their binding; here it is judged by all.  A history ends
where it failed, so of what it breaks its last step counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from statemachine.history.events import Event, StepBegan
from statemachine.history.ndjson import Header, HistoryError
from statemachine.history.words import counted
from statemachine.invariants import ALL, Violation
from statemachine.invariants.judge import Judge
from statemachine.report.asked import plain_test_command
from statemachine.report.console import DONE, Command, UsageError, say
from statemachine.report.failure_folder import write_whole
from statemachine.report.plain_tests import regression_test
from statemachine.search.lanes import KINDS
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.replay import ReplayError, judged
from statemachine.search.triage.signature import signature_of
from statemachine.world.operations import histories


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("path", metavar="PATH", help="a saved failure: its folder, or its history.ndjson")
    add("-o", "--output", metavar="FILE", help="write the test to FILE, not to the standard output")
    add("--force", action="store_true", help="replace FILE if it is there")


def run(asked: argparse.Namespace) -> int:
    """Write the test; return exit code 0.  Raises :class:`UsageError` for what is wrong with the history."""
    try:
        header, events = histories.read(Path(asked.path))
        failure = saved_failure(header, events)
    except HistoryError as error:
        raise UsageError(str(error)) from None
    except ReplayError as error:
        raise UsageError(f"{asked.path}: {error}") from None
    text = regression_test(
        failure,
        binding=header.binding,
        command=plain_test_command(header.binding, header.defect),
        lane=header.lane,
    )
    if asked.output is None:
        say(text.rstrip("\n"))
        return DONE
    _write(asked.output, text, replaces=asked.force)
    say(f"{asked.output} written: {failure.headline.invariant}, {counted(len(failure.steps), 'step')}")
    return DONE


def saved_failure(header: Header, events: Sequence[Event]) -> Failure:
    """Return what the history shows.  Raises ``ReplayError`` when it is not whole or breaks nothing."""
    if header.lane not in KINDS:
        raise ReplayError(
            f"its first line names the lane {header.lane!r}, and plain tests are played in those of "
            f"{' and '.join(KINDS)}: was it edited?"
        )
    judge = judged(header.lifecycle, ALL, events)
    if not judge.violations:
        raise ReplayError(
            "this history breaks no claim, so there is nothing to test; give the folder of a failure (an "
            "entry of a corpus holds steps alone: play it, and the failure is saved)"
        )
    headline = _headline(judge, events)
    others = tuple(seen for seen in judge.violations if seen is not headline)
    return Failure(headline, others, tuple(events), signature_of(judge.ledger, events, headline))


def _headline(judge: Judge, events: Sequence[Event]) -> Violation:
    last = next(event.step for event in reversed(events) if isinstance(event, StepBegan))
    order = {claim.name: place for place, claim in enumerate(judge.claims)}
    found = [seen for seen in judge.violations if seen.step == last]
    return min(found or judge.violations[-1:], key=lambda seen: order[seen.invariant])


def _write(name: str, text: str, *, replaces: bool) -> None:
    file = Path(name)
    if file.exists() and (not replaces or not file.is_file()):
        way_out = (
            "give another name, or --force to replace it" if file.is_file() else "give the name of a file"
        )
        raise UsageError(f"-o {name}: it is there already; {way_out}")
    try:
        write_whole(file, text.encode())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"-o {name}: {reason}; give another place") from None


COMMAND = Command(
    "plain-test",
    "Write the plain test of a saved failure anew from its history, and run nothing that lies beside it.",
    add_arguments,
    run,
)
