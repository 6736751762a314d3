"""Keeps a failure: history and plain test, in a folder named after its content, never over another one."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from statemachine import ndjson
from statemachine.ndjson import Header
from statemachine.report.regression import NAME, regression_test
from statemachine.run import Failure

FOLDER = Path(".statemachine")


@dataclass(frozen=True)
class Saved:
    """Where a failure is kept.  ``lacks`` says why ``test`` could not be written, when it is None."""

    folder: Path
    test: Path | None
    lacks: str = ""


def save(header: Header, failure: Failure, command: Callable[[str], str], root: Path = FOLDER) -> Saved:
    """Write ``history.ndjson`` and the plain test; the same events always go to the same folder.

    ``command`` gives the command line that runs the test at a path.  A file that is there is kept as it is,
    so a folder that lacks the test gets it.  Raises ``OSError`` when the history cannot be written.
    """
    folder = _save_history(root, ndjson.dumps(header, failure.events).encode())
    test = folder / NAME
    try:
        if not test.exists():
            text = regression_test(failure, binding=header.binding, command=command(test.as_posix()))
            _write(test, text.encode())
    except OSError as error:
        return Saved(folder, None, str(error))
    return Saved(folder, test)


def _save_history(root: Path, text: bytes) -> Path:
    events = text.partition(b"\n")[2]
    digest = base64.b32encode(hashlib.sha256(events).digest()).decode().lower()
    for length in range(5, len(digest)):
        folder = root / digest[:length]
        file = folder / "history.ndjson"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _write(file, text)
            return folder
        if file.read_bytes().partition(b"\n")[2] == events:
            return folder
    raise OSError(f"{root} holds another history under every name for this one: move it away")


def _write(file: Path, content: bytes) -> None:
    """Write all of it or nothing: a full disk must not leave half a file, which would be kept for ever."""
    part = file.with_name(f"{file.name}.part")
    try:
        part.write_bytes(content)
        part.replace(file)
    except OSError:
        part.unlink(missing_ok=True)
        raise
