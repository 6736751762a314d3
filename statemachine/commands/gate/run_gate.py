"""``python -m statemachine gate``: walk the whole gate in under a minute, with nothing done by hand."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from statemachine.binding import DEFAULT_BINDING
from statemachine.binding.fleet import Stop
from statemachine.commands.gate import report
from statemachine.commands.gate.phase_2 import ChecklistItem, Rehearsal
from statemachine.commands.gate.steps import Gate, NullPort, StepLine, is_go
from statemachine.history.shown import fenced
from statemachine.logs.report import evidence
from statemachine.processes.crew import judge_crew
from statemachine.processes.stage import PreparedStage, prepared_stage
from statemachine.report.console import BROKEN, DONE, Command, UsageError, say
from statemachine.report.text.paper import WIDE
from statemachine.world.databases.postgresql import named_server

REPORT = Path("gate-report.md")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--binding", metavar="MODULE:FACTORY", default=DEFAULT_BINDING, help="the system under test")
    add("--defect", metavar="NAME", help="plant one of the binding's defects, to see the gate fail")
    add(
        "--database-server",
        metavar="URL",
        help="a PostgreSQL server on which to make a database (default: an SQLite file)",
    )
    add(
        "--stop",
        type=Stop,
        choices=list(Stop),
        default=Stop.KILL,
        metavar="HOW",
        help="how the worker of the kill test is stopped: kill (default), term or ctrl-c",
    )
    add(
        "--skip",
        nargs="+",
        default=(),
        metavar="PIPELINE",
        help="pipelines not to run; those that the gate calls optional may be left out",
    )
    add(
        "--report",
        type=Path,
        default=REPORT,
        metavar="FILE",
        help=f"write what is printed to this file too ({REPORT})",
    )


def run(asked: argparse.Namespace) -> int:
    """Return 0 when the verdict is GO and PHASE 2 is complete, else 1."""
    _check_report(asked.report)
    printed: list[str] = []

    def say_and_keep(text: str = "") -> None:
        printed.append(text)
        say(text)

    server = named_server(asked.database_server)
    try:
        with prepared_stage(asked.binding, defect=asked.defect, server=server) as stage:
            code = _gate(asked, stage, say_and_keep)
    except Exception as error:
        advice = advice_on(error, asked.binding)
        if advice is None:
            raise
        say_and_keep(advice)
        say_and_keep(report.NO_GO)
        code = BROKEN
    _write(asked.report, printed)
    return code


_ENVIRONMENT = "activate the virtual environment, install the requirements and run the gate again"
_DATABASE = "check the database settings (.env) and run migrate, then run the gate again"
ADVICE = {
    "ModuleNotFoundError": _ENVIRONMENT,
    "ImportError": _ENVIRONMENT,
    "OperationalError": _DATABASE,
    "ProgrammingError": _DATABASE,
}
"""What to do when the gate cannot begin (§0), by the error's name; its module depends on the database."""


def advice_on(error: BaseException, binding: str) -> str | None:
    """Return the error and what to do about it, in one sentence; None for an error without advice.

    There is none when the module of ``binding`` itself is missing: then its name was mistyped.
    """
    for cause in _chain(error):
        if isinstance(cause, ImportError) and f"{binding.partition(':')[0]}.".startswith(f"{cause.name}."):
            return None
        for kind in type(cause).__mro__:
            if kind.__name__ in ADVICE:
                what = " ".join(str(error).split())
                return f"{type(error).__name__}: {what}: {ADVICE[kind.__name__]}"
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _check_report(file: Path) -> None:
    if file.is_dir():
        raise UsageError(f"--report {file}: it is a directory; name a file, {REPORT} say")
    if not file.absolute().parent.is_dir():
        raise UsageError(
            f"--report {file}: there is no directory {file.parent}; make it, or name another file"
        )


def _check_skipped(asked: Sequence[str], stage: PreparedStage) -> None:
    known = [fleet.name for fleet in stage.fleets]
    unknown = sorted(set(asked) - set(known))
    if unknown:
        raise UsageError(
            f"--skip {' '.join(unknown)}: there is no such pipeline; there are {', '.join(known)}"
        )


def _gate(asked: argparse.Namespace, stage: PreparedStage, emit: Callable[..., None]) -> int:
    _check_skipped(asked.skip, stage)
    began = time.monotonic()
    stamp = f"{datetime.now(UTC):%H%M%S}"
    lines = _steps(stage, stamp, emit)
    emit()
    emit("PHASE 2 checklist (real workers; SQS by moto, on loopback)")
    items, broken = _rehearse(asked, stage, stamp, emit)
    emit(report.phase2_verdict(items, broken))
    emit(f"{time.monotonic() - began:.0f} s; {_scale(stage)}")
    return DONE if is_go(lines) and not report.missing(items) and not broken else BROKEN


def _steps(stage: PreparedStage, stamp: str, emit: Callable[..., None]) -> list[StepLine]:
    for text in report.opening():
        emit(text)
    nowhere = NullPort()
    stage.binding.open(nowhere, nowhere)
    lines: list[StepLine] = []
    for line in Gate(stage.binding, stamp).lines():
        lines.append(line)
        emit(str(line))
    for text in report.verdict(lines):
        emit(text)
    return lines


def _rehearse(
    asked: argparse.Namespace, stage: PreparedStage, stamp: str, emit: Callable[..., None]
) -> tuple[Sequence[ChecklistItem], Sequence[str]]:
    rehearsal = Rehearsal(stage, stamp, asked.stop, asked.skip)
    items: list[ChecklistItem] = []
    try:
        for item in rehearsal.items():
            items.append(item)
            emit(report.item_line(item))
    finally:
        rehearsal.close()
    if rehearsal.kill is not None and rehearsal.main is not None:
        emit()
        queries = getattr(stage.binding, "gate_queries", None)
        for text in report.query_lines(queries(rehearsal.kill.job) if queries else ()):
            emit(text)
        emit()
        for text in report.kill_log(rehearsal.kill, rehearsal.main.events()):
            emit(text)
    broken: list[str] = []
    for crew in rehearsal.crews.values():
        judged = judge_crew(crew, stage.stage.directory / "logs").judged
        for cited in judged.violations:
            broken.append(cited.violation.invariant)
            for text in evidence(cited):
                emit(text)
    return items, broken


def _scale(stage: PreparedStage) -> str:
    times, deployed = stage.stage, stage.binding.lifecycle
    return (
        f"PHASE 2 ran with a visibility timeout of {times.visibility_seconds} s and a lease of "
        f"{times.lease_seconds} s (deployed: {deployed.visibility_seconds} s and "
        f"{deployed.lease_seconds} s) on {stage.database.description}"
    )


def _write(file: Path, printed: Sequence[str]) -> None:
    text = "\n".join(["# Gate report", "", *fenced(map(WIDE.spelt, printed)), ""])
    file.write_text(text, encoding="utf-8", newline="\n")
    say(f"{file} written")


COMMAND = Command(
    "gate",
    "Walk the runtime gate on real parts: seven steps, real workers, one killed, one message in the DLQ.",
    add_arguments,
    run,
)
