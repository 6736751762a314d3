"""One search for one defect with one seed, in this process, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from hypothesis import __version__, settings

from statemachine.certificate.baseline import search_plainly
from statemachine.embedded import register_profiles, search, so_many
from statemachine.run import Failure, Run
from statemachine.standalone import open_lane

SEARCH, PLAIN = "search", "plain"
METHODS: dict[str, Callable[[Run, int, settings], None]] = {SEARCH: search, PLAIN: search_plainly}
"""Ways to look for a defect: the machine, and the baseline that it is measured against."""


class Hunt(NamedTuple):
    """What to look for and how.  ``fingerprint`` is that of the sources that decide what is found."""

    binding: str
    method: str
    defect: str
    seed: int
    examples: int
    fingerprint: str

    def __str__(self) -> str:
        return f"the hunt for {self.defect} in --binding {self.binding} with seed {self.seed}"


class Finding(NamedTuple):
    """What came of a hunt.  ``invariant`` is None when nothing was found.

    ``examples`` and ``seconds`` are those until it was found, or all; ``steps`` and ``shrunk`` are the
    lengths of the history as it was met and as it is reported, both without the drain.
    """

    hunt: Hunt
    invariant: str | None
    examples: int
    seconds: float
    steps: int
    shrunk: int
    shrink_seconds: float
    hypothesis: str


def hunt(asked: Hunt) -> Finding:
    """Search on an empty database.  Raises what opening the binding raises."""
    register_profiles()
    with open_lane(asked.binding, asked.defect) as lane:
        run = Run(lane)
        METHODS[asked.method](run, asked.seed, so_many(asked.examples))
    failure, seconds = run.failure, run.found_after
    if failure is None or seconds is None:
        return Finding(asked, None, run.examples, round(run.seconds, 3), 0, 0, 0, __version__)
    return Finding(
        asked,
        failure.headline.invariant,
        run.finding_examples,
        round(seconds, 3),
        _length(run.as_found or failure),
        _length(failure),
        round(run.seconds - seconds, 3),
        __version__,
    )


def _length(failure: Failure) -> int:
    return sum(1 for step in failure.steps if not step.drain)
