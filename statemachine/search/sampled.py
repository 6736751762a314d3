"""What a run of the embedded lane does until it has an answer: one search, or many until the time is up.

Either way it plays the corpus first, keeps what it finds there at once, and leaves minimising and telling
to whoever started it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple, Protocol

from hypothesis import settings

from statemachine.history.events import Event
from statemachine.history.words import counted
from statemachine.search.corpus.entries import Corpus, Entry, Kind
from statemachine.search.corpus.places import Place
from statemachine.search.corpus.selection import KEPT
from statemachine.search.engine import play, so_many
from statemachine.search.findings import Finding, Findings
from statemachine.search.lanes import EMBEDDED, LaneKind
from statemachine.search.run import Run
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.rewriting import nearest
from statemachine.search.triage.script import play as play_script
from statemachine.world.clock import real_seconds
from statemachine.world.lane import Lane

FEWEST, MOST = 10, 1000
"""Examples to look at for another failure after one was found: as many again, within these bounds.

As Hypothesis does it: whoever waits for the first report should not wait long for the second.
"""


class Quest(Protocol):
    """``total`` is the sum of all that was played, ``findings`` what broke, as it was found."""

    total: Run
    findings: Findings
    corpus: Corpus
    interrupted: bool

    def run(self) -> None: ...

    def closing(self) -> list[str]:
        """What the summary of the run does not say, a line each."""


class Again(NamedTuple):
    """An entry of a corpus that was played again, and what happened."""

    entry: Entry
    events: Sequence[Event]
    failure: Failure | None


def replayed(lane: Lane, corpus: Corpus, *kinds: Kind, but: Container[str] = frozenset()) -> Iterator[Again]:
    """Play what is in the corpus again, failures first, ``but`` the entries of these names."""
    for entry in corpus.entries(*kinds):
        if entry.name in but:
            continue
        played = play_script(lane, entry.steps, drained=True, ways=nearest)
        yield Again(entry, played.example.events, played.failure)


def found_again(again: Again, failure: Failure, place: Place, corpus: Corpus) -> Finding:
    """What an entry from ``place`` still breaks, or breaks now: that is kept in ``corpus`` as a failure."""
    if again.entry.kind is Kind.FAILURES:
        corpus.take(again.entry)
    else:
        corpus.add(Kind.FAILURES, failure.events)
    return Finding(failure, f"Found again in the corpus, {place}", len(again.entry.steps))


class PlainSearch:
    """The run of a profile's number of examples.

    What the corpus still breaks is all that it tells of: that is what somebody is at work on.  After a
    failure of its own it goes on a little, unless ``exit_first``, to tell of others as well.
    """

    def __init__(
        self,
        lane: Lane,
        corpus: Corpus,
        seed: int,
        tick: Callable[[Run], None],
        exit_first: bool,
        kind: LaneKind = EMBEDDED,
    ) -> None:
        self.lane = lane
        self.kind = kind
        self.corpus = corpus
        self.seed = seed
        self.exit_first = exit_first
        self.total = self._new_run(tick)
        self.findings = Findings()
        self.interrupted = False
        self._replayed = 0

    def run(self) -> None:
        # A campaign that was killed has left more than it would have kept.
        situations = islice(replayed(self.lane, self.corpus, Kind.SITUATIONS), KEPT)
        for again in chain(replayed(self.lane, self.corpus, Kind.FAILURES), situations):
            self._replayed += 1
            if again.failure is not None:
                self.findings.add(found_again(again, again.failure, self.corpus.place, self.corpus))
        if not self.findings:
            self._play(self.total, self.seed, self.kind.size(settings()))
            self._search_on()
        self.total.finished = True

    def closing(self) -> list[str]:
        count = counted(self._replayed, "history", "histories")
        told = f"Corpus: {count} played again from {self.corpus.place}"
        return [*([told] if self._replayed else []), *self.corpus.notes]

    def _search_on(self) -> None:
        """Look for failures of other shapes, for as many examples again as the last one took."""
        seed = self.seed
        while self.total.failure is not None and not self.exit_first and self._may_find_more:
            seed += 1
            examples = min(max(self.total.examples, FEWEST), MOST)
            run = self._new_run(self.total.tick, known=self.findings.shapes, most_examples=examples)
            size = self.kind.size(settings())
            self._play(run, seed, so_many(examples, profile=None, steps=size.stateful_step_count))
            if run.failure is None:
                return

    @property
    def _may_find_more(self) -> bool:
        most = self.kind.most_findings
        return most is None or len(self.findings) < most

    def _new_run(self, tick: Callable[[Run], None], **further: Any) -> Run:
        return self.kind.new_run(self.lane, tick=tick, **further)

    def _play(self, run: Run, seed: int, profile: settings) -> None:
        try:
            play(run, seed, self.kind.machine, profile)
        finally:  # also when it is interrupted right after a failure
            for shape, number in run.met_again.items():
                self.findings.again(shape, number)
            if run is not self.total:
                self.total.add(run.tally)
            if run.failure is not None:
                self._keep(run, run.failure)

    def _keep(self, run: Run, failure: Failure) -> None:
        looked_at = (
            f"Looked at {self.total.examples} examples until it was found, "
            f"after {real_seconds() - self.total.started:.1f} s"
        )
        self.findings.add(
            Finding(failure, looked_at, len(failure.steps), seed=self.seed, unstable=run.unstable)
        )
        self.corpus.add(Kind.FAILURES, failure.events)
