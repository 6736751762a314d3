"""One search for one defect with one seed, in this process, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from hypothesis import __version__, settings

from statemachine.commands.certificate.baseline import search_plainly
from statemachine.search.control import SearchControl
from statemachine.search.engine import register_profiles, search, so_many
from statemachine.search.lanes import EMBEDDED, TRANSACTIONS
from statemachine.search.triage.failure import Failure
from statemachine.world.databases.opening import open_interleaved_on, open_lane
from statemachine.world.lane import Lane

SEARCH, PLAIN, INTERLEAVED = "search", "plain", "interleaved"


def search_interleaved(control: SearchControl, seed_number: int, profile: settings) -> None:
    """As ``embedded.search``, in the transactions lane: with its machine, and examples of its length."""
    sized = so_many(profile.max_examples, steps=TRANSACTIONS.steps)
    search(control, seed_number, sized, machine=TRANSACTIONS.machine)


METHODS: dict[str, Callable[[SearchControl, int, settings], None]] = {
    SEARCH: search,
    PLAIN: search_plainly,
    INTERLEAVED: search_interleaved,
}
"""Ways to look for a defect: the machine and the baseline that it is measured against, both in the embedded
lane, and the machine of the transactions lane."""


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
    lengths of the history as it was met and as it is reported, both without the drain.  ``server`` is the
    PostgreSQL of an interleaved hunt, by name and number.  What is ``unstable`` did not repeat, and is as
    long as it was met.
    """

    hunt: Hunt
    invariant: str | None
    examples: int
    seconds: float
    steps: int
    shrunk: int
    shrink_seconds: float
    hypothesis: str
    server: str = ""
    unstable: bool = False


class Dealt(NamedTuple):
    """A hunt for a process to do.

    An interleaved one needs an empty ``database``, an entry of Django's ``DATABASES``, on ``server``, which
    is that of PostgreSQL by name and number.
    """

    hunt: Hunt
    database: Mapping[str, Any] | None = None
    server: str = ""

    def __str__(self) -> str:
        return str(self.hunt)  # the database may have a password


def hunt(dealt: Dealt) -> Finding:
    """Search on an empty database.  Raises what opening the binding raises."""
    asked = dealt.hunt
    register_profiles()
    kind = EMBEDDED if dealt.database is None else TRANSACTIONS
    with _opened(dealt) as lane:
        control = SearchControl(kind.new_run(lane))
        METHODS[asked.method](control, asked.seed, so_many(asked.examples))
    return _finding(dealt, control)


def _opened(dealt: Dealt) -> AbstractContextManager[Lane]:
    asked = dealt.hunt
    if dealt.database is None:
        return open_lane(asked.binding, asked.defect)
    return open_interleaved_on(dealt.database, asked.binding, asked.defect)


def _finding(dealt: Dealt, control: SearchControl) -> Finding:
    asked, server, tally = dealt.hunt, dealt.server, control.run.tally
    failure, seconds = control.failure, control.found_after
    if failure is None or seconds is None:
        return Finding(asked, None, tally.examples, round(tally.seconds, 3), 0, 0, 0, __version__, server)
    return Finding(
        asked,
        failure.headline.invariant,
        control.finding_examples,
        round(seconds, 3),
        _length(control.as_found or failure),
        _length(failure),
        round(tally.seconds - seconds, 3),
        __version__,
        server,
        bool(control.unstable),
    )


def _length(failure: Failure) -> int:
    return sum(1 for step in failure.steps if not step.drain)
