"""How a worker is stopped by SIGTERM and Ctrl+C: the first signal asks, the second ends it at once.

A worker that waits for messages is interrupted at once.  A message that SQS hands out in that very instant
returns at its visibility edge; that costs one receive, and the message is not lost.
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
"""How often a pausing worker looks whether a signal came.

The handler may only set a flag: it can run while any lock is held, so it must not take one.
"""


class Interrupted(BaseException):
    """The poll was broken off.  Not an ``Exception``: no code on the way may take it for a failed call."""


class Stop:
    """Whether the worker was asked to stop.  ``tell`` is called with the name of the first signal."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.asked: str | None = None  # the name of the signal
        self.at = 0.0  # when it came, by time.monotonic
        self._tell = tell
        self._polling = False

    def install(self) -> None:
        """Handle the signals from now on.  Only from the main thread, as Python demands."""
        for number in SIGNALS:
            signal.signal(number, self._heard)

    @contextmanager
    def polling(self) -> Iterator[None]:
        """Within, a signal raises :class:`Interrupted`; one that came before does so at once."""
        self._polling = True
        try:
            if self.asked:
                raise Interrupted
            yield
        finally:
            self._polling = False

    def pause(self, seconds: float) -> None:
        """Sleep for ``seconds``, or until a signal comes."""
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
