"""The fleet: who runs, what each one has in hand, and their way to the queue.

A killed worker is replaced at once by a new process in the same slot, which knows nothing.  By
default the whole fleet shares one worker id, as deployed fleets do, so the system under test
cannot tell its workers apart and must not need to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

WORKERS = ("A", "B", "C")


class SteppedDelivery(Protocol):
    """As much of a delivery procedure as the fleet needs to know."""

    @property
    def next_step(self) -> str | None: ...


D = TypeVar("D", bound=SteppedDelivery)


@dataclass(slots=True)
class Slot(Generic[D]):
    """One worker; ``delivery`` is None while it is idle.  ``answered_at`` is when prepare said yes."""

    name: str
    delivery: D | None = None
    message: str = ""
    job: str = ""
    tenant: str = ""
    answered_at: float | None = None

    @property
    def next_step(self) -> str | None:
        return self.delivery.next_step if self.delivery is not None else None

    @property
    def is_idle(self) -> bool:
        return self.next_step is None

    def forget(self) -> None:
        self.delivery = None
        self.answered_at = None
