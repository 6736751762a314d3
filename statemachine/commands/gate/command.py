"""``python -m statemachine gate``: the whole gate, in under a minute, with nothing done by hand."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from statemachine.binding import DEFAULT_BINDING
from statemachine.binding.fleet import Stop
from statemachine.commands.gate import report
from statemachine.commands.gate.advice import advice_on
from statemachine.commands.gate.phase_2 import Item, Rehearsal
from statemachine.commands.gate.steps import Closed, Gate, Line, is_go
from statemachine.logs.evidence import evidence
from statemachine.processes.judging import judge_crew
from statemachine.processes.stage import Set, stage_set
from statemachine.report.console import BROKEN, DONE, Command, UsageError, say
from statemachine.world.databases.postgresql import named_server

REPORT = Path("gate-report.md")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--binding", metavar="MODULE:FACTORY", default=DEFAULT_BINDING, help="the system under test")
    add("--defect", metavar="NAME", help="plant one of the binding's known bugs, to see the gate fail")
    add(
        "--database-server", metavar="URL", help="a PostgreSQL server to make a database on (default: SQLite)"
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
        help="pipelines that are not run (optional by §4)",
    )
    add("--report", type=Path, default=REPORT, metavar="FILE", help=f"where the report goes ({REPORT})")


def run(asked: argparse.Namespace) -> int:
    """Exit code 0 when the verdict is GO and PHASE 2 is complete, else 1."""
    _check_report(asked.report)
    printed: list[str] = []

    def tell(text: str = "") -> None:
        printed.append(text)
        say(text)

    server = named_server(asked.database_server)
    try:
        with stage_set(asked.binding, defect=asked.defect, server=server) as stage:
            code = _gate(asked, stage, tell)
    except Exception as error:
        advice = advice_on(error, asked.binding)
        if advice is None:
            raise
        tell(advice)
        tell(report.NO_GO)
        code = BROKEN
    _write(asked.report, printed)
    return code


def _check_report(file: Path) -> None:
    if file.is_dir():
        raise UsageError(f"--report {file}: it is a directory; name a file, {REPORT} say")
    if not file.absolute().parent.is_dir():
        raise UsageError(
            f"--report {file}: there is no directory {file.parent}; make it, or name another file"
        )


def _check_skipped(asked: Sequence[str], stage: Set) -> None:
    known = [fleet.name for fleet in stage.fleets]
    unknown = sorted(set(asked) - set(known))
    if unknown:
        raise UsageError(
            f"--skip {' '.join(unknown)}: there is no such pipeline; there are {', '.join(known)}"
        )


def _gate(asked: argparse.Namespace, stage: Set, tell: Callable[..., None]) -> int:
    _check_skipped(asked.skip, stage)
    began = time.monotonic()
    stamp = f"{datetime.now(UTC):%H%M%S}"
    lines = _steps(stage, stamp, tell)
    tell()
    tell("PHASE 2 checklist (real workers; SQS by moto, on loopback)")
    items, broken = _rehearse(asked, stage, stamp, tell)
    tell(report.phase2_verdict(items, broken))
    tell(f"{time.monotonic() - began:.0f} s; {_scale(stage)}")
    return DONE if is_go(lines) and not report.missing(items) and not broken else BROKEN


def _steps(stage: Set, stamp: str, tell: Callable[..., None]) -> list[Line]:
    for text in report.opening():
        tell(text)
    nowhere = Closed()
    stage.binding.open(nowhere, nowhere)
    lines: list[Line] = []
    for line in Gate(stage.binding, stamp).lines():
        lines.append(line)
        tell(str(line))
    for text in report.verdict(lines):
        tell(text)
    return lines


def _rehearse(
    asked: argparse.Namespace, stage: Set, stamp: str, tell: Callable[..., None]
) -> tuple[Sequence[Item], Sequence[str]]:
    rehearsal = Rehearsal(stage, stamp, asked.stop, asked.skip)
    items: list[Item] = []
    try:
        for item in rehearsal.items():
            items.append(item)
            tell(report.item_line(item))
    finally:
        rehearsal.close()
    if rehearsal.kill is not None and rehearsal.main is not None:
        tell()
        queries = getattr(stage.binding, "gate_queries", None)
        for text in report.query_lines(queries(rehearsal.kill.job) if queries else ()):
            tell(text)
        tell()
        for text in report.kill_log(rehearsal.kill, rehearsal.main.events()):
            tell(text)
    broken: list[str] = []
    for crew in rehearsal.crews.values():
        judged = judge_crew(crew, stage.stage.directory / "logs").judged
        for cited in judged.violations:
            broken.append(cited.violation.invariant)
            for text in evidence(cited):
                tell(text)
    return items, broken


def _scale(stage: Set) -> str:
    times, deployed = stage.stage, stage.binding.lifecycle
    return (
        f"PHASE 2 ran with a visibility timeout of {times.visibility_seconds} s and a lease of "
        f"{times.lease_seconds} s (deployed: {deployed.visibility_seconds} s and "
        f"{deployed.lease_seconds} s) on {stage.database.description}"
    )


def _write(file: Path, printed: Sequence[str]) -> None:
    text = "\n".join(["# Gate report", "", "```text", *printed, "```", ""])
    file.write_text(text, encoding="utf-8", newline="\n")
    say(f"{file} written")


COMMAND = Command(
    "gate",
    "Walk the runtime gate on real parts: seven steps, real workers, one killed, one message in the DLQ.",
    add_arguments,
    run,
)
