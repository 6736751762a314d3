"""The fleet: its workers, and the message that each of them works on.

A killed worker is replaced at once by a new process in the same slot, which knows nothing.  By default the
whole fleet shares one worker id, as deployed fleets do, so the system under test cannot tell its workers
apart and must not need to.  (A deployed "fix" keyed on the worker id did nothing, for this reason.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

WORKERS = ("A", "B", "C")
"""Three, since two found 288 of what three found 302 (16 hardest defects, 20 seeds)."""


class SteppedDelivery(Protocol):
    """The part of a delivery procedure that the fleet uses."""

    @property
    def next_step(self) -> str | None: ...


D = TypeVar("D", bound=SteppedDelivery)


@dataclass(slots=True)
class Slot(Generic[D]):
    """One worker and what it works on."""

    name: str
    delivery: D | None = None
    """None while it is idle."""
    message: str = ""
    """The message that it received last, with its job and tenant."""
    job: str = ""
    tenant: str = ""
    answered_at: float | None = None
    """When prepare granted the lease, in seconds: the inference cap counts from then."""

    @property
    def next_step(self) -> str | None:
        return self.delivery.next_step if self.delivery is not None else None

    @property
    def is_idle(self) -> bool:
        return self.next_step is None

    def forget(self) -> None:
        self.delivery = None
        self.answered_at = None
