"""A hunt: one search for one planted defect with one seed, its result, and the results kept on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import __version__, settings

from statemachine.commands.certificate.baseline import search_plainly
from statemachine.search.control import SearchControl
from statemachine.search.engine import register_profiles, search, sized
from statemachine.search.lanes import EMBEDDED, TRANSACTIONS
from statemachine.search.triage.failure import Failure
from statemachine.world.databases.opening import open_interleaved_on, open_lane
from statemachine.world.lane import Lane

SEARCH, PLAIN, INTERLEAVED = "search", "plain", "interleaved"


def search_interleaved(control: SearchControl, seed_number: int, profile: settings) -> None:
    """Search as ``search.engine.search`` does, with machine and example length of the transactions lane."""
    size = sized(profile.max_examples, steps=TRANSACTIONS.steps)
    search(control, seed_number, size, machine=TRANSACTIONS.machine)


METHODS: dict[str, Callable[[SearchControl, int, settings], None]] = {
    SEARCH: search,
    PLAIN: search_plainly,
    INTERLEAVED: search_interleaved,
}
"""How to search, by method: the machine of the embedded lane, the baseline that it is compared with, and the
machine of the transactions lane."""


class Hunt(NamedTuple):
    """What to search for and how.  Results are kept by it, so its field names stand in files."""

    binding: str
    method: str
    defect: str
    seed: int
    examples: int
    """Examples at most."""
    fingerprint: str
    """One digest of all sources that decide the result; when they change, the hunt is another."""

    def __str__(self) -> str:
        return f"the hunt for {self.defect} in --binding {self.binding} with seed {self.seed}"


class HuntResult(NamedTuple):
    """The result of a hunt; its field names stand in files."""

    hunt: Hunt
    invariant: str | None
    """The invariant that was broken; None when nothing was found."""
    examples: int
    """Examples until the failure; all of them when nothing was found."""
    seconds: float
    """Seconds until the failure; of the whole search when nothing was found."""
    steps: int
    """Length of the failing history as it was met, without the drain."""
    shrunk: int
    """Its length as it is reported, without the drain."""
    shrink_seconds: float
    hypothesis: str
    """The version of Hypothesis."""
    server: str = ""
    """``PostgreSQL 17.4`` of an interleaved hunt."""
    unstable: bool = False
    """The failure did not repeat, so it was not shrunk."""


class Dealt(NamedTuple):
    """A hunt with what a worker process needs to do it."""

    hunt: Hunt
    database: Mapping[str, Any] | None = None
    """An empty database for an interleaved hunt, as an entry of Django's ``DATABASES``."""
    server: str = ""
    """``PostgreSQL 17.4``, the server of that database."""

    def __str__(self) -> str:
        return str(self.hunt)  # printed in errors, and the database may hold a password


def hunt(dealt: Dealt) -> HuntResult:
    """Search on an empty database.  Raise what opening the binding raises."""
    asked = dealt.hunt
    register_profiles()
    kind = EMBEDDED if dealt.database is None else TRANSACTIONS
    with _opened(dealt) as lane:
        control = SearchControl(kind.new_run(lane))
        METHODS[asked.method](control, asked.seed, sized(asked.examples))
    return _result(dealt, control)


def _opened(dealt: Dealt) -> AbstractContextManager[Lane]:
    asked = dealt.hunt
    if dealt.database is None:
        return open_lane(asked.binding, asked.defect)
    return open_interleaved_on(dealt.database, asked.binding, asked.defect)


def _result(dealt: Dealt, control: SearchControl) -> HuntResult:
    asked, server, tally = dealt.hunt, dealt.server, control.run.tally
    failure, seconds = control.failure, control.found_after
    if failure is None or seconds is None:
        return HuntResult(asked, None, tally.examples, round(tally.seconds, 3), 0, 0, 0, __version__, server)
    return HuntResult(
        asked,
        failure.headline.invariant,
        control.finding_examples,
        round(seconds, 3),
        _length(control.as_found or failure),
        _length(failure),
        round(tally.seconds - seconds, 3),
        __version__,
        server,
        bool(control.unstable),
    )


def _length(failure: Failure) -> int:
    return sum(1 for step in failure.steps if not step.drain)


class HuntResults:
    """The results in a folder, one JSON line each, so that shards of several machines can be put together.

    All ``*.jsonl`` in the folder are read; new results are appended to ``file``.  Raise ``OSError`` when the
    folder cannot be made or read.
    """

    def __init__(self, folder: Path, file: str) -> None:
        self.file = folder / file
        self.by_hunt: dict[Hunt, HuntResult] = {}
        self.unreadable = 0
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("*.jsonl")):
            for line in path.read_text("utf-8", errors="replace").splitlines():
                if line.strip():
                    self._read(line)

    def _read(self, line: str) -> None:
        try:
            written = json.loads(line)
            found = HuntResult(**{**written, "hunt": Hunt(**written["hunt"])})
        except (ValueError, TypeError, KeyError):
            self.unreadable += 1
        else:
            self.by_hunt[found.hunt] = found

    def add(self, found: HuntResult) -> None:
        """Append a result in one write.  Raise ``OSError`` when the file cannot be written."""
        self.by_hunt[found.hunt] = found
        written = {**found._asdict(), "hunt": found.hunt._asdict()}
        # After a crash the last line may be cut short; the new one must not continue it.
        cut = self.file.exists() and not self.file.read_bytes().endswith(b"\n")
        with self.file.open("ab") as file:
            file.write(b"\n" * cut + json.dumps(written).encode() + b"\n")
