"""What a binding may add so that every step of the release gate can be tried on its system.

Steps 2, 4 and 5 need nothing but a binding.  The others need the pieces of :class:`GatePieces`; a step whose
piece is missing is printed as ``[NOT RUN]``, and the verdict is NO-GO.  ``docs/gate.md`` says what each step
is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class LogCounts(NamedTuple):
    """How many notification logs there are around the sending of one message."""

    before: int
    after: int


class Marked(NamedTuple):
    """A video that was marked as being processed."""

    video_id: object
    """Its primary key, as the gate prints it."""
    status: str
    """The status that its row shows."""


class Answered(NamedTuple):
    """One query and its answer."""

    sql: str
    """As it was sent, with its values."""
    rows: Sequence[Sequence[Any]]
    """As the database returned them."""


class GatePieces(Protocol):
    """All optional, each by name.  A plain tuple may stand for each named one."""

    def infrastructure(self) -> Sequence[str]:
        """Make sure that a tenant, a user and a lecture exist.  Return each as the gate is to print it."""

    def create_notification_log(self) -> LogCounts:
        """Send one message through the messaging repositories.  Return the counts of logs around it."""

    def mark_processing(self) -> Marked:
        """Let ``DjangoVideoRepository.mark_processing`` take a new video.  Return what its row shows."""

    def gate_queries(self, job: str) -> Sequence[Answered]:
        """Send the gate's two queries about ``job``: its row, and the number of its results."""
