"""One step as it was played: the call and its answer as they were, the events, and what the claims say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from statemachine.binding import ObservedRow
from statemachine.commands.check_binding.recorder import Heard
from statemachine.history import events as history
from statemachine.history.events import Event
from statemachine.history.ledger import CallFacts
from statemachine.history.legality import Cell
from statemachine.invariants import Violation
from statemachine.lifecycle import JobRow
from statemachine.world.example import Example

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Seen:
    """``violations`` are those of this step; ``impossible`` says why it could not be played at all.

    ``added`` are rows by table that came or went, ``open_transaction`` one that the call left open,
    ``in_transactions`` says that the call committed a transaction, ``started`` is the real time at which
    the command began.
    """

    example: Example
    operation: str
    job: str
    heard: Heard | None
    rows: Mapping[str, ObservedRow]
    events: tuple[Event, ...]
    violations: tuple[Violation, ...]
    impossible: str
    added: Mapping[str, int]
    open_transaction: bool
    in_transactions: bool
    started: datetime

    @property
    def call(self) -> str:
        return self.heard.call if self.heard is not None else self.operation

    @property
    def method(self) -> str:
        return self.call.partition("(")[0]

    def events_of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def facts(self) -> CallFacts | None:
        invoked = self.events_of(history.Invoked)
        return self.example.ledger.calls[invoked[-1].call] if invoked else None

    @property
    def cell(self) -> Cell | None:
        """The table's cell for the state that the call found."""
        facts = self.facts
        return (facts.wrote or facts.rulings[-1]).cell if facts is not None else None

    @property
    def due(self) -> str:
        """The answer that the table demands, as a word; empty for a step without a call."""
        cell = self.cell
        return str(cell.answer_under(self.example.lifecycle)) if cell is not None else ""

    @property
    def row(self) -> JobRow | None:
        return self.example.ledger.rows.get(self.job)

    @property
    def raw(self) -> ObservedRow | None:
        """The job's row as observe gave it, times unread."""
        return self.rows.get(self.job)

    def broken(self, claim: str) -> Violation | None:
        return next((seen for seen in self.violations if seen.invariant == claim), None)

    @property
    def differing(self) -> dict[str, tuple[str, str]]:
        """By field of the row: what the table demands and what was found, where the two differ."""
        written = self.broken("operations_write_by_the_table")
        return {line.what: (line.expected, line.actual) for line in written.compared} if written else {}
