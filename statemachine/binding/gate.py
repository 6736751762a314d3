"""What a binding offers so that the seven steps of gate report §1 can be tried on its system.

Steps 2, 4 and 5 need nothing but a binding.  For the others it may offer what is here; a step whose piece is
missing is printed as ``[NOT RUN]``, and the verdict is NO-GO.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class Counted(NamedTuple):
    """How many notification logs there were before one message was sent, and after."""

    before: int
    after: int


class Marked(NamedTuple):
    """A video that was marked, and the status that its row shows."""

    video_id: object
    status: str


class Answered(NamedTuple):
    """One query as it was sent, and the rows that it gave."""

    sql: str
    rows: Sequence[Sequence[Any]]


class GatePieces(Protocol):
    """All optional, each by name."""

    def infrastructure(self) -> Sequence[str]:
        """Make sure that a tenant, a user and a lecture exist; each as the gate prints it."""

    def create_notification_log(self) -> Counted:
        """Send one message through the messaging repositories."""

    def mark_processing(self) -> Marked:
        """Let ``DjangoVideoRepository.mark_processing`` take a new video."""

    def gate_queries(self, job: str) -> Sequence[Answered]:
        """The two queries of gate report §2.3, sent as they stand there."""
