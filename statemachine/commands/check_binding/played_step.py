"""One step of a scene as it was played: the call, the rows, the events, and the claims that it broke."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from statemachine.binding import ObservedRow
from statemachine.commands.check_binding.recorder import RecordedCall
from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.ledger import CallFacts
from statemachine.history.legality import Cell
from statemachine.invariants import Violation
from statemachine.lifecycle import JobRow
from statemachine.world.example import Example

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class PlayedStep:
    """What the diagnoses look at."""

    example: Example
    operation: str
    """The name of the operation in the scene."""
    job: str
    """The job that the call was about."""
    recorded: RecordedCall | None
    """The call on the binding; None when the step made none."""
    rows: Mapping[str, ObservedRow]
    """The rows after the step, by job, as ``observe`` returned them."""
    events: tuple[Event, ...]
    """The events of this step alone."""
    violations: tuple[Violation, ...]
    """The claims that this step broke."""
    impossible: str
    """Why the step could not be played at all; empty when it was."""
    added: Mapping[str, int]
    """How many rows each changed table gained, or lost (negative)."""
    open_transaction: bool
    """The call returned and left a transaction open."""
    committed: bool
    """The call committed a transaction of its own."""
    started: datetime
    """The real time at which the command began, in UTC."""

    @property
    def call(self) -> str:
        """The call as it is printed; the operation's name when there was none."""
        return self.recorded.call if self.recorded is not None else self.operation

    @property
    def method(self) -> str:
        """``complete``, or ``A.finish`` for a step of worker A."""
        return self.call.partition("(")[0]

    @property
    def method_name(self) -> str:
        """``complete``, or ``finish`` for a step of any worker."""
        return self.method.rpartition(".")[2]

    def events_of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def facts(self) -> CallFacts | None:
        """What the ledger knows of the call; None when the step made none."""
        invoked = self.events_of(history.Invoked)
        return self.example.ledger.calls[invoked[-1].call] if invoked else None

    @property
    def cell(self) -> Cell | None:
        """The cell of the legality table for the state that the call found."""
        facts = self.facts
        return (facts.wrote or facts.rulings[-1]).cell if facts is not None else None

    @property
    def expected_answer(self) -> str:
        """``accepted``, ``refused`` or ``IntegrityError``, by the table; empty for a step without a call."""
        cell = self.cell
        return str(cell.answer_under(self.example.lifecycle)) if cell is not None else ""

    @property
    def row(self) -> JobRow | None:
        """The job's row after the step, its times in seconds of the run's clock."""
        return self.example.ledger.rows.get(self.job)

    @property
    def raw(self) -> ObservedRow | None:
        """The job's row after the step as ``observe`` returned it, its times as datetimes."""
        return self.rows.get(self.job)

    def broken(self, claim: str) -> Violation | None:
        """The violation of this claim, by its name; None when the step did not break it."""
        return next((one for one in self.violations if one.invariant == claim), None)

    @property
    def differing(self) -> dict[str, tuple[str, str]]:
        """Fields of the row that are not as the table demands: expected and actual, by the field's name."""
        violation = self.broken("operations_write_by_the_table")
        if violation is None:
            return {}
        return {line.what: (line.expected, line.actual) for line in violation.compared}
