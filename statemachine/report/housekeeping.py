"""What a ``.statemachine`` holds, recognised by its contents, and the deletion of what is too old.

Only what this project has written is deleted: a failure folder bears the name of its own content, and holds
nothing else.  Symbolic links are never followed, and never deleted.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from statemachine.history import ndjson
from statemachine.report import timeline
from statemachine.report.failure_folder import HISTORY, IGNORE, IGNORED, digest_of
from statemachine.report.plain_tests import NAME as PLAIN_TEST
from statemachine.search import run_file
from statemachine.search.corpus.entries import EntryKind
from statemachine.search.corpus.places import SUFFIX

KEPT_FAILURES = 100
"""Failure folders that are kept: each has about 200 kB, and an old one can be searched for again."""

EDITED_AFTER_SECONDS = 60
"""A plain test that is this much newer than its history was edited: it is a person's work by now."""


class Stored(NamedTuple):
    """A thing in a ``.statemachine`` that this project has written, as files that can be deleted."""

    path: Path
    what: str
    """Its kind, a word or two."""
    files: tuple[Path, ...]
    written: float
    """When the newest of its files was written, in seconds since 1970."""


def stored_in(root: Path) -> list[Stored]:
    """Return what is recognised in ``root``, the newest first; nothing where that is a symbolic link.

    Raises ``OSError`` for a folder that cannot be read.
    """
    if not _is(stat.S_ISDIR, root):
        return []
    found = (_recognised(path) for path in sorted(root.iterdir()))
    return sorted(filter(None, found), key=lambda stored: -stored.written)


def prune(root: Path, keep: int, spared: Collection[Path]) -> list[Stored]:
    """Delete all failure folders but the newest ``keep``, and return them.

    One that is, holds or lies in one of ``spared`` stays.  Raises ``OSError``.
    """
    failures = [stored for stored in stored_in(root) if stored.what == FAILURE]
    safe = [path.resolve() for path in spared]
    old = [one for one in failures[keep:] if not any(_overlap(one.path.resolve(), path) for path in safe)]
    for stored in old:
        delete(stored)
    return old


def delete(stored: Stored) -> None:
    """Delete the files of ``stored``, and each folder of it that is empty then.  Raises ``OSError``."""
    for file in stored.files:
        file.unlink(missing_ok=True)
    folders = {stored.path, *(file.parent for file in stored.files)} - {stored.path.parent}
    for folder in sorted(folders, key=lambda path: -len(path.parts)):
        if _is(stat.S_ISDIR, folder) and not any(folder.iterdir()):
            folder.rmdir()


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


# -- what is recognised ---------------------------------------------------------------------------

FAILURE = "failure"
CORPUS = "corpus"
CERTIFICATE = "measured for a certificate"


def _recognised(path: Path) -> Stored | None:
    """Return what ``path`` is, None for what this project has not written."""
    if _is(stat.S_ISREG, path):
        what = _FILES.get(path.name)
        return _stored(path, what, [path]) if what else None
    if not _is(stat.S_ISDIR, path):
        return None
    for what, files_of in _FOLDERS.items():
        files = files_of(path)
        if files:
            return _stored(path, what, files)
    return None


_FILES: Mapping[str, str] = {run_file.NAME: "figures of the last run"}


def _failure(folder: Path) -> list[Path]:
    inside = {path.name: path for path in folder.iterdir()}
    if HISTORY not in inside or set(inside) - {HISTORY, PLAIN_TEST, timeline.NAME}:
        return []
    if not all(_is(stat.S_ISREG, path) for path in inside.values()):
        return []
    text = inside[HISTORY].read_bytes()
    if ndjson.FORMAT.encode() not in text.partition(b"\n")[0] or not digest_of(text).startswith(folder.name):
        return []
    test = inside.get(PLAIN_TEST)
    if test is not None and test.stat().st_mtime > inside[HISTORY].stat().st_mtime + EDITED_AFTER_SECONDS:
        return []
    return list(inside.values())


def _corpus(folder: Path) -> list[Path]:
    if folder.name != "corpus":
        return []
    folders = [folder / kind for kind in EntryKind if _is(stat.S_ISDIR, folder / kind)]
    return _files([path for one in folders for path in one.iterdir()], rf"[a-z2-7]{{12}}{re.escape(SUFFIX)}")


def _certificate(folder: Path) -> list[Path]:
    named = r"findings(-\d+-of-\d+)?\.jsonl"
    return _files(folder.iterdir(), named) if folder.name == "certificate" else []


def _processes(folder: Path) -> list[Path]:
    if re.fullmatch(r"processes-\d+(-\d+)?", folder.name) is None:
        return []
    inside = list(folder.iterdir())
    files = _files(inside, r"plan\.json|[^/]+\.log")
    return files if len(files) == len(inside) else []


_FOLDERS: Mapping[str, Callable[[Path], list[Path]]] = {
    FAILURE: _failure,
    CORPUS: _corpus,
    CERTIFICATE: _certificate,
    "run of real processes": _processes,
}
"""How a folder of each kind is recognised: the files of it that are ours, none for another folder."""


def _files(paths: Iterable[Path], pattern: str) -> list[Path]:
    return [path for path in paths if re.fullmatch(pattern, path.name) and _is(stat.S_ISREG, path)]


def _stored(path: Path, what: str, files: Iterable[Path]) -> Stored:
    ours = tuple(files)
    return Stored(path, what, ours, max(file.stat().st_mtime for file in ours))


def _is(kind: Callable[[int], bool], path: Path) -> bool:
    """Return whether ``path`` itself is of this ``kind``: a link to one is not."""
    try:
        return kind(path.lstat().st_mode)
    except OSError:
        return False


def foreign_in(root: Path) -> Iterator[Path]:
    """Yield what lies in ``root`` and is not recognised, without its ``.gitignore``.  Raises ``OSError``."""
    ours = {stored.path for stored in stored_in(root)}
    yield from (path for path in sorted(root.iterdir()) if path not in ours and not is_our_ignore(path))


def is_our_ignore(path: Path) -> bool:
    """Return whether ``path`` is the ``.gitignore`` that a run has written."""
    return path.name == IGNORE and _is(stat.S_ISREG, path) and path.read_bytes() == IGNORED.encode()
