"""Texts that are held as they were: ``UPDATE_SNAPSHOTS=1 pytest FILE`` writes them anew; read the diff."""

from __future__ import annotations

import os
from pathlib import Path


def is_as_it_was(text: str, snapshot: Path) -> None:
    """Fail unless ``text`` is what the file ``snapshot`` holds, line by line."""
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.parent.mkdir(exist_ok=True)
        snapshot.write_text(text, encoding="utf-8", newline="\n")
    assert text.splitlines() == snapshot.read_text(encoding="utf-8").splitlines()
