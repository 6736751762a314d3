"""The outcome that only ``ReviewRequired`` knows: apart from its parts, which need a configured Django."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToReview:
    """Inference ended in a way that a person must look at."""

    status: str
    """The terminal status in which the job waits for that person."""
