"""As much of a lane as an example needs to know, and the operations that are in flight there.

Only the transactions lane has any in flight.  What such an operation will do next is not known, but for
its next statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from statemachine.binding import Binding
from statemachine.invariants import Invariant
from statemachine.world.clock import Clock
from statemachine.world.django_faults import ConnectionFaults
from statemachine.world.faults import Strike

COMMIT = "COMMIT"
RESUMES = "resumes"
"""The name of the step in which an operation goes on that has waited for a lock, and got it."""


class InFlight(NamedTuple):
    """``statement`` is what it executes next, or waits in; ``blocked_by`` who holds the lock, else empty.

    ``call`` is the number of its call; ``job`` is what that is about, empty for a sweep; ``executed`` counts
    the statements that it has begun.
    """

    by: str
    operation: str
    job: str
    call: int
    statement: str
    blocked_by: str = ""
    executed: int = 0


class Stage(Protocol):
    """As much of a lane as an example needs to know.

    ``faults`` are those of the connection on which code under test runs now, ``in_flight`` the operations
    that have begun and not ended, by who makes them: at most ``most_in_flight``, 0 where they run whole.
    """

    binding: Binding
    clock: Clock
    clock_skew_seconds: int
    most_in_flight: int

    @property
    def claims(self) -> Sequence[Invariant]: ...

    @property
    def faults(self) -> ConnectionFaults: ...

    @property
    def in_flight(self) -> Mapping[str, InFlight]: ...

    def looking(self) -> AbstractContextManager[None]:
        """For a look at committed rows in the middle of a call."""

    def play(self, play: Callable[[], None], by: str, stepwise: bool) -> None:
        """Play what a step does; ``by`` names who makes its calls, empty for a step that makes none."""

    def proceed(self, by: str, strike: Strike | None = None) -> None:
        """Let an operation in flight execute its next statement, and ``strike`` strike it from there on."""

    def kill_in_flight(self, by: str) -> None:
        """Kill whoever makes an operation that is in flight, where it stands."""
