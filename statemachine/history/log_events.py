"""The events that only a history from a log has: what nobody saw being done, and what was looked up.

Times (``at``) are seconds, UTC, from the start of the history.
"""

from __future__ import annotations

from dataclasses import dataclass

from statemachine.lifecycle import JobRow


@dataclass(frozen=True, slots=True)
class Assumed:
    """A row that nobody saw being written, taken to be there because a log begins in its middle.

    ``anew``: what was known of the job before counts no more, because it could not be made sense of.
    """

    at: float
    row: JobRow
    anew: bool = False


@dataclass(frozen=True, slots=True)
class MessagePlaced:
    """Where a message is that nobody saw being sent or moved: ``queue``, ``deleted`` or ``redriven``."""

    at: float
    message: str
    job: str
    tenant: str
    place: str


@dataclass(frozen=True, slots=True)
class RowRead:
    """Somebody looked a row up in the database, at rest: what the answers have said must be in it."""

    at: float
    row: JobRow
