"""Reads what the shards of a run have left: a folder each, as it was downloaded.

A shard that was killed has left no ``run.json``; what it found is in its corpus all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from statemachine.search import run_file
from statemachine.search.corpus.places import Directory
from statemachine.search.run_file import RunFile, RunFileError

FOLDER = ".statemachine"
CORPUS = "corpus"


@dataclass(frozen=True)
class Shard:
    """The part of one machine."""

    name: str
    folder: Path
    """Its ``.statemachine``."""
    run: RunFile | None
    """None when it was killed before it could write one."""

    @property
    def corpus(self) -> Directory:
        return Directory(self.folder / CORPUS)


def shards_in(folders: Iterable[str]) -> list[Shard]:
    """Return a shard for each of ``folders``, which hold a ``.statemachine`` or what is in one.

    Raises :class:`RunFileError` for a folder that is not there, for a run that cannot be read, and when the
    runs are not of one system.
    """
    found = [_shard(Path(name)) for name in folders]
    _check_alike([shard for shard in found if shard.run is not None])
    return found


def _shard(path: Path) -> Shard:
    if not path.is_dir():
        raise RunFileError(f"{path} is no directory: give the folder that a shard has left, or leave it out")
    folder = path / FOLDER if (path / FOLDER).is_dir() else path
    file = folder / run_file.NAME
    return Shard(path.name or str(path.resolve()), folder, run_file.read(file) if file.exists() else None)


def _check_alike(shards: Sequence[Shard]) -> None:
    for one in shards[1:]:
        for what, ours, theirs in _differences(shards[0], one):
            raise RunFileError(
                f"{shards[0].folder} and {one.folder} are not runs of one system: {what} {ours} and "
                f"{theirs}; add up those of each by themselves"
            )


def _differences(one: Shard, other: Shard) -> Iterator[tuple[str, object, object]]:
    for what in ("binding", "defect", "lifecycle"):
        ours, theirs = getattr(one.run, what), getattr(other.run, what)
        if ours != theirs:
            yield what, ours, theirs
