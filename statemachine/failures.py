"""Keeps a failure: its history in a folder of its own, named after its content, never over another one."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from statemachine import ndjson
from statemachine.ndjson import Header
from statemachine.run import Failure

FOLDER = Path(".statemachine")


def save(header: Header, failure: Failure, root: Path = FOLDER) -> Path:
    """Write ``history.ndjson`` and return its folder; the same events always go to the same folder.

    Raises ``OSError`` when the folder cannot be written.
    """
    text = ndjson.dumps(header, failure.events).encode()
    events = text.partition(b"\n")[2]
    digest = base64.b32encode(hashlib.sha256(events).digest()).decode().lower()
    for length in range(5, len(digest)):
        folder = root / digest[:length]
        file = folder / "history.ndjson"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text)
            return folder
        if file.read_bytes().partition(b"\n")[2] == events:
            return folder
    raise OSError(f"{root} holds another history under every name for this one: move it away")
