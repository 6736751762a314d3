"""A lane is what examples are played on for a whole run: a binding, its database, the clock and the claims.

:class:`Lane` is the embedded lane: one connection, and operations that run whole.  The transactions lane
(``transactions/``) is a subclass that plays the same operations statement by statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import MappingProxyType
from typing import Any

from statemachine.binding import Binding
from statemachine.history.reach import Reach
from statemachine.invariants import ALL, Invariant
from statemachine.world import exits, outside
from statemachine.world.clock import Clock
from statemachine.world.databases.aliases import in_place_of_the_default
from statemachine.world.django_faults import ConnectionFaults
from statemachine.world.example import Example, InFlight
from statemachine.world.faults import Strike
from statemachine.world.hangs import WATCH, watched
from statemachine.world.ports import HandedOver, SystemQueue

BYSTANDERS = ("bystander-waiting", "bystander-failed", "bystander-done")
"""Jobs that belong to no example: other rows, for code that touches more rows than it should.

They are made once a run.  A change of them is seen in the binding's ``others`` only, an aggregate: that
something changed, not what.
"""

_NOTHING: Mapping[str, InFlight] = MappingProxyType({})


class Lost(RuntimeError):
    """The run cannot continue, whatever the system under test does; the message says why, and the way out."""


class Lane:
    """A binding on its database, for a whole run.  Enter :meth:`open` before making examples.

    ``clock_skew_seconds`` is how far a worker's clock may be ahead or behind; 0 for clocks that agree.
    """

    most_in_flight = 0
    """Operations that can be in flight at a time; 0 because they run whole here."""
    steps_to_minimise = 60_000
    """Limit of the steps that shortening one failure may take: half a minute.

    At the limit the shortest history by then is reported.  No planted defect takes 15,000.
    """
    steps_to_explain = 8000
    """Limit of the steps in all re-runs that explain one failure: about 3 s.

    A failure of 15 steps needs about 350.
    """

    def __init__(self, binding: Binding, clock_skew_seconds: int = 0) -> None:
        self.binding = binding
        self.clock_skew_seconds = clock_skew_seconds
        self.clock = Clock()
        self.claims: Sequence[Invariant] = [
            claim
            for claim in ALL
            if claim.name not in binding.waived and (not claim.needs or binding.lifecycle.has(claim.needs))
        ]
        self.current: Example | None = None
        self._settled: str | None = None
        """The binding's aggregate over the bystanders as they must be when an example begins."""
        self._faults: ConnectionFaults

    @contextmanager
    def open(self) -> Iterator[None]:
        """Freeze the clock, hook the connection and connect the binding to the world."""
        with (
            exits.noticed(),
            outside.kept_inside(),
            WATCH.running(),
            self.clock.running(),
            self._connected(),
        ):
            self.binding.open(SystemQueue(lambda: self.example), HandedOver(lambda: self.example))
            try:
                yield
            except BaseException:
                self.abandon()
                raise
            finally:
                self._reset()
                if self._settled is not None:
                    self.binding.reset(BYSTANDERS)

    @contextmanager
    def _connected(self) -> Iterator[None]:
        from django.db import connections

        connection = connections["default"]
        connection.ensure_connection()
        self._faults = self._faults_of(connection)
        with in_place_of_the_default(connection), self._faults.installed():
            yield

    def _faults_of(self, connection: Any) -> ConnectionFaults:
        return ConnectionFaults(
            connection,
            committed=lambda: self.example.committed(),
            struck=lambda fault: self.example.struck(fault),
        )

    @property
    def faults(self) -> ConnectionFaults:
        """What strikes calls on the connection on which code under test runs now."""
        return self._faults

    @property
    def in_flight(self) -> Mapping[str, InFlight]:
        """The operations that have begun and not ended, by their maker: none, as they run whole here."""
        return _NOTHING

    def looking(self) -> AbstractContextManager[None]:
        """Return a context for reading committed rows in the middle of a call."""
        return nullcontext()

    def play(self, play: Callable[[], None], by: str, stepwise: bool) -> None:
        """Play what a step does.

        ``by`` names the maker of its calls, empty for a step that makes none; ``stepwise`` stops it before
        each statement, which needs the transactions lane.
        """
        play()

    def proceed(self, by: str, strike: Strike | None = None) -> None:
        """Let an operation in flight execute its next statement; ``strike`` is planned for it from there on.

        Raise ``LookupError`` when there is none, as always where operations run whole.
        """
        raise LookupError(f"{by} has no operation in flight")

    def kill_in_flight(self, by: str) -> None:
        """Kill the maker of an operation in flight.  Raise ``LookupError`` as :meth:`proceed` does."""
        raise LookupError(f"{by} has no operation in flight")

    def check(self) -> None:
        """Raise :class:`Lost` when the run cannot continue, whatever the system under test does."""

    def abandon(self) -> None:
        """Roll back what is open, after a Ctrl-C or an error that may have come anywhere."""
        self.faults.abandon()

    @property
    def example(self) -> Example:
        if self.current is None:
            raise RuntimeError("the system under test called its queue or publisher outside of an example")
        return self.current

    def begin(self, reach: Reach | None = None) -> Example:
        """Return a fresh example at second 0, on a database without jobs but the bystanders.

        Raise :class:`~statemachine.world.exits.GivenUp` when the system does not come to an end of that.
        """
        with watched(lambda: "the preparation of an example"):
            self._reset()
            self.clock.move_to(0)
            example = self.current = Example(self, reach)
            if example.count_others() != self._settled:
                example = self.current = self._with_bystanders_as_they_were(reach)
        return example

    def _with_bystanders_as_they_were(self, reach: Reach | None) -> Example:
        """Every example must find the same other rows, or a failure that touches them would not replay."""
        self.binding.reset(BYSTANDERS)
        self.current = Example(self, None)
        create_bystanders(self.binding)
        example = self.current = Example(self, reach)
        self._settled = example.count_others()
        return example

    def _reset(self) -> None:
        if self.current is not None and self.current.jobs:
            outside.forget()
            self.binding.reset(list(map(self.current.ids.of, self.current.jobs)))
        self.current = None


def create_bystanders(binding: Binding) -> None:
    """Create one job that waits, one that has failed and one that is done, all of them published.

    None that runs: its lease would end in every example, and any sweep could then take it over rightly.

    The binding must be open, and an example must be current, whose queue takes the messages.
    """
    tenant = binding.tenants[0]
    for job in BYSTANDERS:
        binding.create(job, tenant)
        binding.publish(job, tenant)
    _, failed, done = BYSTANDERS
    for job, finish in ((failed, binding.fail), (done, binding.complete)):
        attempt = binding.mark_running(job, tenant)
        if attempt is not None:
            finish(job, tenant, attempt, "long ago")
