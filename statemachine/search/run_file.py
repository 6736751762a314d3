"""A run as a file, ``run.json``, so that ``merge`` can add up the runs of several machines.

It holds sums and no histories; those are in the corpus.  A file that cannot be read is an error, never an
empty run.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from statemachine.history.foreign import (
    Check,
    MustBe,
    Unfit,
    as_number,
    as_whole,
    brief,
    fit,
    made,
    parse,
    read_text,
)
from statemachine.history.ndjson import lifecycle_from_json, lifecycle_to_json
from statemachine.invariants import Crashed
from statemachine.lifecycle import Lifecycle, LifecycleError
from statemachine.search.tally import Part, Tally

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
            "seconds": round(tally.seconds, 3),
            "spent": {part: round(seconds, 3) for part, seconds in sorted(tally.spent.items())},
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


@dataclass(frozen=True)
class _Written:
    """The keys of the file, with the types of their values."""

    binding: str
    defect: str | None
    seed: int
    seconds: float
    processes: int
    examples: int
    steps: int
    failures: int
    finished: bool
    lost: list[str]
    notes: list[str]
    crashed: list[_Crash]
    met: dict[str, int]
    judged: dict[str, int]
    lifecycle: Lifecycle
    spent: dict[str, float] | None = None


class _Crash(NamedTuple):
    """A claim that crashed, as the list that it is written as."""

    invariant: str
    error: str
    event: str


def _count(value: Any) -> int:
    if as_whole(value) < 0:
        raise MustBe("0 or more")
    return as_whole(value)


def _length(value: Any) -> float:
    if as_number(value) < 0:
        raise MustBe("0 or more")
    return as_number(value)


def _counts(value: Any) -> dict[str, int]:
    if not isinstance(value, dict):
        raise MustBe("an object of counts")
    return {name: fit(name, count, _count) for name, count in value.items()}


def _lengths(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        raise MustBe("an object of seconds")
    return {name: fit(name, length, _length) for name, length in value.items()}


_CHECKS: Mapping[str, Check] = {
    **dict.fromkeys(("processes", "examples", "steps", "failures"), _count),
    **dict.fromkeys(("met", "judged"), _counts),
    "seconds": _length,
    "spent": _lengths,
    "lifecycle": lifecycle_from_json,
}


def read(file: Path) -> RunFile:
    """Read the file that a run has written.  Raises :class:`RunFileError`."""
    try:
        values = parse(read_text(file))
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise Unfit("of another format")
    except OSError as error:
        raise RunFileError(f"{file} cannot be read ({error.strerror}): give the folder of a run") from None
    except ValueError:
        raise RunFileError(
            f"{file} is not the file of a run: it must be a JSON object with "
            f'"format": "{FORMAT}"; give the .statemachine that a run has left'
        ) from None
    version = values.get("version")
    if type(version) is not int or version != VERSION:
        raise RunFileError(
            f"{file} is of version {brief(version)} and this statemachine reads version {VERSION}: "
            "add up runs with the release that played them"
        )
    known = {field.name for field in fields(_Written)}
    try:
        written = made(_Written, {name: values[name] for name in known & values.keys()}, _CHECKS)
    except (Unfit, LifecycleError) as error:
        raise RunFileError(f"{file} is broken ({error}): download it again, or leave it out") from None
    return _run(written)


def _run(written: _Written) -> RunFile:
    tally = Tally(
        written.examples,
        written.steps,
        float(written.seconds),
        Counter(written.met),
        Counter(written.judged),
        [Crashed(*crash) for crash in written.crashed],
        written.lost,
        # Files that know of no parts are of releases that counted the seconds of the search alone.
        {Part.SEARCH: float(written.seconds)} if written.spent is None else written.spent,
    )
    return RunFile(
        written.binding,
        written.lifecycle,
        written.defect,
        written.seed,
        written.processes,
        tally,
        written.failures,
        written.finished,
        tuple(written.notes),
    )
