"""The worker's log: one JSON object a line, as docs/logs.md describes.

A line is written with one system call before the next step begins, so a killed worker loses no line, and
several processes may share a file.  A log cannot show when the database committed, between the line of a call
and that of its answer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

STDOUT = 1


class LogBroken(RuntimeError):
    """A line could not be written.  The worker stops: without its log it could not be judged."""


class Log:
    """The log of one process.

    ``worker`` is the unique name of the process, ``path`` a file (standard output if empty), ``secrets`` are
    texts that no error may repeat.  Raises :class:`LogBroken` when the file cannot be opened.
    """

    def __init__(self, worker: str, path: str = "", secrets: Collection[str] = ()) -> None:
        self.worker = worker
        self._secrets = sorted(secrets, key=len, reverse=True)
        self._place = path or "stdout"
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if path else STDOUT
        except OSError as error:
            raise LogBroken(f"the log {path} cannot be opened: {error.strerror}") from None

    def write(self, event: str, text: str, **fields: Any) -> None:
        """Add a line; raises :class:`LogBroken` when it cannot be written whole."""
        line = {"at": iso(datetime.now(UTC)), "event": event, "worker": self.worker, **fields, "text": text}
        data = f"{json.dumps(line, ensure_ascii=False)}\n".encode("utf-8", "backslashreplace")
        try:
            written = os.write(self._file, data)
        except OSError as error:
            raise LogBroken(f"the log {self._place} takes no more lines: {error.strerror}") from None
        if written != len(data):
            raise LogBroken(f"the log {self._place} took {written} of the {len(data)} bytes of a line")

    def error(self, error: BaseException) -> str:
        """Return ``error`` as one line, without secrets."""
        text = " ".join(f"{type(error).__name__}: {error}".split())
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def iso(moment: datetime) -> str:
    """Return ``moment`` in ISO 8601, UTC, with microseconds; a naive one is taken as UTC."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_now(seconds: float) -> str:
    """Return the time ``seconds`` from now, as :func:`iso` writes it."""
    return iso(datetime.now(UTC) + timedelta(seconds=seconds))
