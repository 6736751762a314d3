"""The controlled clock: one freezegun freeze for a whole run, moved by events only.

Not frozen: the time of the database server (``NOW()``) and of other processes.
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
    """The frozen clock; enter :meth:`running` before moving it."""

    def __init__(self) -> None:
        self.now: float = 0
        """Seconds from :data:`START`."""
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
        """Show ``seconds`` to the code under test, as a clock that is wrong does; ``now`` does not change."""
        self._frozen.move_to(START + timedelta(seconds=seconds))


def real_seconds() -> float:
    """A monotonic clock that the freeze does not touch.

    Taken from freezegun at each call, since a freeze also replaces module-level aliases of real clocks.
    """
    return float(freezegun.api.real_perf_counter())


def to_seconds(moment: datetime | None) -> float | None:
    """Seconds from :data:`START`, an int when whole; a naive datetime is read as UTC."""
    if moment is None:
        return None
    seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - START).total_seconds()
    return int(seconds) if seconds.is_integer() else seconds
