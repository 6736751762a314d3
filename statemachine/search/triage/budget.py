"""How long minimising and explaining may take, by the real clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from statemachine.world.clock import real_seconds

MINIMISE_SECONDS = 60.0
"""A failure of the bundled system takes a few seconds; a slow system may take hours."""


@dataclass
class TimeBudget:
    """A number of real seconds from now on.  It only cuts: what is played before its end is the same."""

    seconds: float = MINIMISE_SECONDS
    started: float = field(default_factory=real_seconds)
    cut: bool = False
    """Whether something was left undone because of it."""

    def is_spent(self) -> bool:
        """Return whether nothing more may begin, and note that it was asked for."""
        if self.left <= 0:
            self.cut = True
        return self.cut

    @property
    def left(self) -> float:
        return self.seconds - (real_seconds() - self.started)
