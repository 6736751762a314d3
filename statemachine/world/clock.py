"""The controlled clock: one freezegun freeze for a whole run, moved by events only.

Code that reads the time from the database server (``NOW()``) or from another process does not see it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import freezegun.api
from freezegun import freeze_time

START = datetime(2030, 10, 27, 0, 30, tzinfo=UTC)
"""Second 0 of every example: half an hour before summer time ends in Europe, so that leases span that."""


class Clock:
    """``now`` is in seconds from :data:`START`; :meth:`running` must be entered before it is moved."""

    def __init__(self) -> None:
        self.now: float = 0
        self._frozen: Any = None

    @contextmanager
    def running(self) -> Iterator[None]:
        # Starting a freeze costs 4-34 ms once Django is loaded, so there is one for the whole run.
        # Hypothesis must go on seeing real time, or its shrinker gives up at once ("more than five
        # minutes").  freezegun gives real time to callers within five frames of an ignored module,
        # which would reach into the code under test; one frame is enough for Hypothesis and pytest.
        limit = freezegun.api.call_stack_inspection_limit
        freezer = freeze_time(START, ignore=["hypothesis", "_pytest."])
        self._frozen = freezer.start()
        freezegun.api.call_stack_inspection_limit = 1
        try:
            yield
        finally:
            freezegun.api.call_stack_inspection_limit = limit
            freezer.stop()
            self._frozen = None

    def move_to(self, seconds: float) -> None:
        self.now = round(seconds, 6)  # what a database can store
        self.show(self.now)

    def show(self, seconds: float) -> None:
        """Let whoever asks read ``seconds``, as on a clock that is wrong; ``now`` stays what it is."""
        self._frozen.move_to(START + timedelta(seconds=seconds))


def real_seconds() -> float:
    """A monotonic clock that the freeze does not touch.

    Asked of freezegun at each call, since it replaces module-level aliases of the real clocks.
    """
    return float(freezegun.api.real_perf_counter())


def to_seconds(moment: datetime | None) -> float | None:
    """Seconds from :data:`START`, an int when whole; a naive datetime is read as UTC."""
    if moment is None:
        return None
    seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - START).total_seconds()
    return int(seconds) if seconds.is_integer() else seconds
