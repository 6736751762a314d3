"""The result of one lane: its player fills it in, the closing lines and JUnit XML read it."""

from __future__ import annotations

from dataclasses import dataclass, field

from statemachine.report.asked import Asked
from statemachine.search.run import Run
from statemachine.search.triage.replay import Replayed


@dataclass
class Outcome:
    """One lane's part of a pytest run.  At most one of ``run``, ``replayed`` and ``output`` is filled in."""

    asked: Asked
    run: Run | None = None
    """A search, from its beginning on."""
    replayed: Replayed | None = None
    output: list[str] = field(default_factory=list)
    """What the lane of real processes has printed; its verdict comes last."""
    remarks: list[str] = field(default_factory=list)
    """Lines that follow the figures of the run."""
    notes: list[str] = field(default_factory=list)
    """Lines that stand before the section of the lane."""
    vouched: bool = False
    """Whether it came to a verdict that is green: only then may its test pass."""
    skipped: bool = False
    """Whether it was not played for want of a server, as the run says."""
    headline: str = ""
    """A failure in the one line that JUnit XML and the short summary have room for."""
    unshown: list[str] = field(default_factory=list)
    """What is said at the end where the report of a failure is not shown."""
