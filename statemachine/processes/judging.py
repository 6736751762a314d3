"""Keeps what the processes of a fleet logged, a file each, and has it judged as any other log."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from statemachine.logs import Judged, Reader, judge_lines
from statemachine.processes.crew import Crew


class JudgedFleet(NamedTuple):
    """One fleet's log: what came of it, by which binding's lifecycle, and the files that it is in."""

    name: str
    binding: str
    judged: Judged
    files: tuple[Path, ...]


def judge_crew(crew: Crew, folder: Path) -> JudgedFleet:
    """Write the logs of ``crew`` into ``folder``, a file for each process, and judge them together."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, lines in crew.logs():
        file = folder / f"{name}.log"
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
        files.append(file)
    reader = Reader()
    judged = judge_lines(crew.fleet.lifecycle, reader.lines([str(file) for file in files]))
    return JudgedFleet(crew.fleet.name, crew.fleet.binding, judged, tuple(files))
