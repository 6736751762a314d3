"""Writes ``run.json``, which ``merge`` adds up: in the lane that is fast enough for runs on many machines."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from statemachine.report.asked import Asked
from statemachine.report.failure_folder import FOLDER, begin_folder, write_whole
from statemachine.search import run_file
from statemachine.search.lanes import EMBEDDED
from statemachine.search.run_file import RunFile
from statemachine.search.strategy import SearchStrategy


def forget_run(asked: Asked) -> None:
    """Delete the file of the run before: a run that is killed must not be taken for it."""
    if asked.lane == EMBEDDED.name:
        with suppress(OSError):
            (FOLDER / run_file.NAME).unlink(missing_ok=True)
            begin_folder()  # now, since a run that is killed may leave a corpus in it


def write_run(asked: Asked, strategy: SearchStrategy, remarks: Sequence[str]) -> list[str]:
    """Write what the run came to by now; return a line for the end if that could not be done."""
    if asked.lane != EMBEDDED.name:
        return []
    run = strategy.total
    left = RunFile(
        asked.binding_path,
        asked.binding.lifecycle,
        asked.defect,
        asked.seed,
        asked.processes,
        run.tally,
        len(run.findings),
        run.finished,
        tuple(remarks),
    )
    file = FOLDER / run_file.NAME
    try:
        begin_folder()
        write_whole(file, run_file.dumps(left).encode())
    except OSError as error:
        return [f"{file} could not be written ({error}): this run cannot be merged"]
    return []
