"""How a worker hears that it is to stop: SIGTERM and Ctrl+C, once for gently, twice for now.

A worker that waits for messages is interrupted at once.  What SQS may hand out at that very instant
returns at its visibility edge and has cost one receive; it is not lost.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
LOOK_SECONDS = 0.05
"""How long a worker that pauses does not look: a handler may only leave a note, since it can strike
while any lock is held."""


class Interrupted(BaseException):
    """The poll was broken off.  No ``Exception``: nobody on the way may take it for a failed call."""


class Stop:
    """``asked`` is the name of the signal that was heard, ``at`` when, by ``time.monotonic``."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.asked: str | None = None
        self.at = 0.0
        self._tell = tell
        self._polling = False

    def install(self) -> None:
        for number in SIGNALS:
            signal.signal(number, self._heard)

    @contextmanager
    def polling(self) -> Iterator[None]:
        """Within, a signal raises :class:`Interrupted`; one that was heard before does so at once."""
        self._polling = True
        try:
            if self.asked:
                raise Interrupted
            yield
        finally:
            self._polling = False

    def pause(self, seconds: float) -> None:
        """Sleep, or less when a signal is heard."""
        until = time.monotonic() + seconds
        while not self.asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_SECONDS))

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            os._exit(128 + number)
        self.asked, self.at = signal.Signals(number).name, time.monotonic()
        self._tell(self.asked)
        if self._polling:
            raise Interrupted
