"""Keeps a failure: history, plain test and page, in a folder named after its content, never over another one.

A history or a test that is there is kept; the page speaks of the run as well, and is written anew each time.
"""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from statemachine.history import ndjson
from statemachine.history.events import StepBegan
from statemachine.history.ndjson import Header
from statemachine.report import timeline
from statemachine.report.plain_tests import NAME, regression_test
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.script import EARLIER, Steps

FOLDER = Path(".statemachine")
HISTORY = "history.ndjson"
IGNORE = ".gitignore"
IGNORED = "# Made by leased-job-statemachine, which keeps its findings here.\n*\n"
"""What keeps a folder out of git, itself included."""


def begin_folder(folder: Path = FOLDER) -> None:
    """Make the folder of a project's findings, and keep it out of git.  Raises ``OSError``.

    A ``.gitignore`` that is there stays: someone may want to commit what is found.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):  # where there is no room for it, a finding may still be written
        if not (folder / IGNORE).exists():
            write_whole(folder / IGNORE, IGNORED.encode())


@dataclass(frozen=True)
class Saved:
    """Where a failure is kept."""

    folder: Path
    test: Path | None
    """The plain test; None when it could not be written."""
    lacks: str = ""
    """Why ``test`` is None."""
    page: Path | None = None
    """The timeline; None when it could not be written, or not yet."""
    page_lacks: str = ""
    """Why ``page`` could not be written."""

    @property
    def test_line(self) -> str:
        """Where the plain test is, or why there is none."""
        if self.test is None:
            return f"(the plain test could not be saved: {self.lacks})"
        return plain_test_line(self.test)

    @property
    def page_line(self) -> str:
        """Where the page is, or why there is none."""
        if self.page is None:
            return f"(the page could not be saved: {self.page_lacks})"
        return f"{self.page.as_posix()}   (the same, to be looked at in a browser)"


def plain_test_line(test: Path) -> str:
    """Say what is at ``test``: it is to be read and copied, and no command of ours runs it where it lies."""
    return f"{test.as_posix()}   (a plain test for your own suite)"


def save(header: Header, failure: Failure, command: str, root: Path = FOLDER, earlier: Steps = ()) -> Saved:
    """Write ``history.ndjson`` and the plain test; the same events always go to the same folder.

    ``command`` is the command line that runs a copy of the test, for its text.  A test that is there is kept
    as it is.  ``earlier`` is the example that must be played before the history: a plain test would pass
    without it, so none is written then.  Raises ``OSError`` when the history cannot be written.
    """
    folder = _save_history(root, ndjson.dumps(header, failure.events).encode())
    if earlier:
        began = [StepBegan(0, step.key, step.operation, step.arguments) for step in earlier]
        write_whole(folder / EARLIER, ndjson.dumps(header, began).encode())
        return Saved(folder, None, "it would pass without the example before it")
    test = folder / NAME
    try:
        if not test.exists():
            text = regression_test(failure, binding=header.binding, command=command, lane=header.lane)
            write_whole(test, text.encode())
    except OSError as error:
        return Saved(folder, None, str(error))
    return Saved(folder, test)


def save_page(saved: Saved, page: str) -> Saved:
    """Write the timeline, as HTML, beside the history; a page that is there is replaced."""
    file = saved.folder / timeline.NAME
    try:
        write_whole(file, page.encode())
    except OSError as error:
        return replace(saved, page_lacks=str(error))
    return replace(saved, page=file)


def _save_history(root: Path, text: bytes) -> Path:
    begin_folder(root)
    events, digest = text.partition(b"\n")[2], digest_of(text)
    for length in range(5, len(digest)):
        folder = root / digest[:length]
        file = folder / HISTORY
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(file, text)
            return folder
        if file.read_bytes().partition(b"\n")[2] == events:
            return folder
    raise OSError(f"{root} holds another history under every name for this one: move it away")


def digest_of(history: bytes) -> str:
    """Return the digest of the events of a history, which its folder is named after: a beginning of it."""
    events = history.partition(b"\n")[2]
    return base64.b32encode(hashlib.sha256(events).digest()).decode().lower()


def write_whole(file: Path, content: bytes) -> None:
    """Write all of it or nothing: a full disk must not leave half a file, which would be kept for ever."""
    part = file.with_name(f"{file.name}.part")
    try:
        part.write_bytes(content)
        part.replace(file)
    except OSError:
        part.unlink(missing_ok=True)
        raise
