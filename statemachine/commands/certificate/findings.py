"""Findings on disk, a JSON line each, so that a certificate can be measured in pieces and on machines.

Every finding is written when it is made, in one write.  A line that an earlier crash has cut short is
counted and measured again.
"""

from __future__ import annotations

import json
from pathlib import Path

from statemachine.commands.certificate.hunt import Finding, Hunt


class Findings:
    """The findings in a folder, by hunt.  New ones go to ``file``; all ``*.jsonl`` there are read.

    Raises ``OSError`` when the folder cannot be made or read.
    """

    def __init__(self, folder: Path, file: str) -> None:
        self.file = folder / file
        self.by_hunt: dict[Hunt, Finding] = {}
        self.unreadable = 0
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("*.jsonl")):
            for line in path.read_text("utf-8", errors="replace").splitlines():
                if line.strip():
                    self._read(line)

    def _read(self, line: str) -> None:
        try:
            written = json.loads(line)
            found = Finding(**{**written, "hunt": Hunt(**written["hunt"])})
        except (ValueError, TypeError, KeyError):
            self.unreadable += 1
        else:
            self.by_hunt[found.hunt] = found

    def add(self, found: Finding) -> None:
        """Keep a finding.  Raises ``OSError`` when the file cannot be written."""
        self.by_hunt[found.hunt] = found
        written = {**found._asdict(), "hunt": found.hunt._asdict()}
        # A line that was cut short has no end; the new one must not continue it.
        cut = self.file.exists() and not self.file.read_bytes().endswith(b"\n")
        with self.file.open("ab") as file:
            file.write(b"\n" * cut + json.dumps(written).encode() + b"\n")
