"""A run as a file, ``run.json``, so that ``merge`` can add up the runs of several machines.

It holds sums and no histories; those are in the corpus.  A file that cannot be read is an error, never an
empty run.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from statemachine.history.ndjson import lifecycle_from_json, lifecycle_to_json
from statemachine.invariants import Crashed
from statemachine.lifecycle import Lifecycle
from statemachine.search.tally import Tally

NAME = "run.json"
FORMAT, VERSION = "leased-job-run", 1


class RunFileError(ValueError):
    """A run that cannot be read; the message names the file and the way out."""


@dataclass(frozen=True)
class RunFile:
    """What one run came to."""

    binding: str
    lifecycle: Lifecycle
    defect: str | None
    seed: int
    processes: int
    tally: Tally
    failures: int
    """How many distinct ones it found."""
    finished: bool
    """False for a run that was interrupted."""
    notes: tuple[str, ...] = ()
    """What the run said at its end, beside its figures."""

    def to_json(self) -> dict[str, Any]:
        tally = self.tally
        return {
            "format": FORMAT,
            "version": VERSION,
            "binding": self.binding,
            "defect": self.defect,
            "seed": self.seed,
            "seconds": round(tally.seconds, 1),
            "processes": self.processes,
            "examples": tally.examples,
            "steps": tally.steps,
            "failures": self.failures,
            "finished": self.finished,
            "lost": tally.lost,
            "notes": list(self.notes),
            "crashed": [[crash.invariant, crash.error, crash.event] for crash in tally.crashed],
            "met": dict(sorted(tally.met.items())),
            "judged": dict(sorted(tally.judged.items())),
            "lifecycle": lifecycle_to_json(self.lifecycle),
        }


def dumps(run: RunFile) -> str:
    """Return the whole file as text."""
    return json.dumps(run.to_json(), indent=1) + "\n"


def read(file: Path) -> RunFile:
    """Read the file that a run has written.  Raises :class:`RunFileError`."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            raise ValueError(values["format"])
    except OSError as error:
        raise RunFileError(f"{file} cannot be read ({error.strerror}): give the folder of a run") from None
    except (ValueError, KeyError, TypeError):
        raise RunFileError(
            f"{file} is not the file of a run: it must be a JSON object with "
            f'"format": "{FORMAT}"; give the .statemachine that a run has left'
        ) from None
    if values.get("version") != VERSION:
        raise RunFileError(
            f"{file} is of version {values.get('version')!r} and this statemachine reads version {VERSION}: "
            "add up runs with the release that played them"
        )
    try:
        return _run(values)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise RunFileError(
            f"{file} is broken ({type(error).__name__}: {error}): download it again, or leave it out"
        ) from None


def _run(values: dict[str, Any]) -> RunFile:
    tally = Tally(
        int(values["examples"]),
        int(values["steps"]),
        float(values["seconds"]),
        Counter({str(cell): int(count) for cell, count in values["met"].items()}),
        Counter({str(claim): int(count) for claim, count in values["judged"].items()}),
        [Crashed(*map(str, crash)) for crash in values["crashed"]],
        list(map(str, values["lost"])),
    )
    return RunFile(
        str(values["binding"]),
        lifecycle_from_json(values["lifecycle"]),
        values["defect"],
        int(values["seed"]),
        int(values["processes"]),
        tally,
        int(values["failures"]),
        bool(values["finished"]),
        tuple(map(str, values["notes"])),
    )
