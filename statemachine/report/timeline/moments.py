"""What the page draws, as data: one moment a step, with what each column says and how its bars run there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from statemachine.lifecycle import JobRow
from statemachine.report.timeline.bars import Bar


class Mark(StrEnum):
    """What a reader looks for first; each has a shape of its own with its letter in it."""

    TAKEOVER = "T"
    STALE = "S"
    LATE = "L"
    KILL = "K"
    DUPLICATE = "D"
    FAULT = "F"


MEANINGS: Mapping[Mark, tuple[str, str]] = {
    Mark.TAKEOVER: ("takeover", "an attempt acquires a job that another one was running"),
    Mark.STALE: ("stale", "a call that shows another attempt than the row's: superseded, or never given"),
    Mark.LATE: ("late", "a call by the latest attempt after its lease has expired"),
    Mark.KILL: ("killed", "a process dies; what it had in hand is lost"),
    Mark.DUPLICATE: ("duplicate", "a message is delivered while it should be hidden"),
    Mark.FAULT: ("fault", "an error, or an answer that gets lost, made by the verifier"),
}
"""In a word, and in a sentence for the legend."""


@dataclass(slots=True)
class Said:
    """One thing that a cell says, with the marks that stand before it."""

    text: str
    marks: list[Mark] = field(default_factory=list)


@dataclass(slots=True)
class Quiet:
    """Time that passes at once, in seconds: where it leads to, and the deadlines that it passes, by name."""

    since: float
    until: float
    place: str
    passed: list[tuple[float, str]]


@dataclass(slots=True)
class Moment:
    """One step, or a ``banner`` between steps, whose number is then 0.

    ``declared`` has the end of a job's lease by the lifecycle, where the job's row has another one.
    """

    step: int
    at: float
    operation: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    banner: str = ""
    failing: bool = False
    drain: bool = False
    quiet: Quiet | None = None
    application: list[Said] = field(default_factory=list)
    queue: list[Said] = field(default_factory=list)
    workers: dict[str, list[Said]] = field(default_factory=dict)
    rows: tuple[JobRow, ...] = ()
    gone: tuple[str, ...] = ()
    declared: dict[str, float] = field(default_factory=dict)
    worker_bars: dict[str, Bar] = field(default_factory=dict)
    lease_bars: dict[int, Bar] = field(default_factory=dict)
    flight_bars: dict[str, Bar] = field(default_factory=dict)

    @property
    def marks(self) -> Iterator[Mark]:
        """All marks of the moment."""
        for cell in (self.application, self.queue, *self.workers.values()):
            for said in cell:
                yield from said.marks

    @property
    def is_silent(self) -> bool:
        """Whether no event has told of this step anything that a column says."""
        return not (self.banner or self.quiet or self.application or self.queue or self.workers or self.rows)
