"""The search strategy of a run: the corpus first, then one search, or many until a deadline.

A strategy saves what it finds in the corpus at once, and leaves minimising and reporting to its caller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, islice
from typing import Protocol

from hypothesis import settings

from statemachine.search.control import SearchControl
from statemachine.search.corpus.entries import Corpus, EntryKind
from statemachine.search.corpus.replay import found_again, replayed
from statemachine.search.corpus.selection import KEPT
from statemachine.search.engine import play, sized
from statemachine.search.figures import CorpusFigures, StrategyFigures
from statemachine.search.lanes import EMBEDDED, LaneKind
from statemachine.search.run import Run
from statemachine.search.tally import Part
from statemachine.world.lane import Lane

PARTS = 8
"""A run that missed a required situation plays an eighth of its examples more, four times at most."""

FEWEST, MOST = 10, 1000
"""Bounds of the examples that are played to find another failure after one was found.

As many again as the first one took, as Hypothesis does it: the first report should not wait long for a
second one.
"""


class SearchStrategy(Protocol):
    """One way to search; :class:`PlainSearch`, a campaign by time, and the exhaustion of a pair."""

    total: Run
    """The sum of all that was played, with what broke, as it was found."""
    corpus: Corpus
    interrupted: bool
    """Whether Ctrl-C has ended it in good order."""

    def run(self) -> None: ...

    def figures(self) -> Sequence[StrategyFigures]:
        """Return what the run itself does not say, in the order of the report."""


class PlainSearch:
    """A search of a profile's number of examples.

    If the corpus still breaks something, that is all it reports: it is being worked on.  After a failure of
    its own it goes on a little to report others as well, unless ``exit_first``.
    """

    def __init__(
        self,
        lane: Lane,
        corpus: Corpus,
        seed: int,
        tick: Callable[[SearchControl], None],
        exit_first: bool,
        kind: LaneKind = EMBEDDED,
    ) -> None:
        self.lane = lane
        self.kind = kind
        self.corpus = corpus
        self.seed = seed
        self.tick = tick
        self.exit_first = exit_first
        self.total = kind.new_run(lane)
        self.interrupted = False
        self._replayed = 0

    def run(self) -> None:
        with self.total.spending(Part.CORPUS):
            self._replay_corpus()
        self.total.settle()
        if self.total.failure is None:
            self._search()
            if self.total.failure is None:
                self._search_for_missed()
            if self.total.failure is not None and not self.exit_first:
                self._search_on()
        self.total.finished = True

    def figures(self) -> Sequence[StrategyFigures]:
        return [CorpusFigures(str(self.corpus.place), self._replayed, self.corpus.notes)]

    def _replay_corpus(self) -> None:
        # A campaign that was killed has not pruned: it may have left more than KEPT.
        situations = islice(replayed(self.lane, self.corpus, EntryKind.SITUATIONS), KEPT)
        for again in chain(replayed(self.lane, self.corpus, EntryKind.FAILURES), situations):
            self._replayed += 1
            if again.failure is not None:
                self.total.findings.add(found_again(again, again.failure, self.corpus.place, self.corpus))

    def _search(self) -> None:
        """Play the profile's examples up to the first failure that is not accepted."""
        size, seed = self.kind.size(settings()), self.seed
        accepting = bool(self.total.accepted.entries)
        left = size.max_examples
        while left > 0 and self.total.failure is None:
            # Hypothesis does not count the examples in which an accepted failure was met.
            most = left if accepting else None
            control = SearchControl(self.total, self.tick, known=self.total.known, most_examples=most)
            self._play(control, seed, size)
            if control.failure is None:
                return
            self.total.settle()
            left -= control.examples
            seed += 1

    def _search_for_missed(self) -> None:
        """Play on for a while if a required situation was missed.

        Chance alone misses a rare one now and then: what comes about three times a run on average is missed
        by one run in twenty.
        """
        size, seed = self.kind.size(settings()), self.seed
        further = max(size.max_examples // PARTS, 1)
        for _ in range(PARTS // 2):
            missed = self.total.reach.missed()
            ended = self.total.failure is not None or self.total.given_up
            if not missed or not self.total.judges_reach or ended:
                return
            seed += 1
            control = SearchControl(self.total, self.tick, known=self.total.known, wanted=frozenset(missed))
            self._play(control, seed, sized(further, profile=None, steps=size.stateful_step_count))

    def _search_on(self) -> None:
        """Look for failures of other signatures, for as many examples again as were played so far."""
        seed = self.seed
        while self._may_find_more:
            seed += 1
            examples = min(max(self.total.tally.examples, FEWEST), MOST)
            further = SearchControl(self.total, self.tick, known=self.total.known, most_examples=examples)
            size = self.kind.size(settings())
            self._play(further, seed, sized(examples, profile=None, steps=size.stateful_step_count))
            if further.failure is None:
                return

    @property
    def _may_find_more(self) -> bool:
        return len(self.total.findings) < self.kind.most_findings

    def _play(self, control: SearchControl, seed: int, profile: settings) -> None:
        try:
            play(control, seed, self.kind.machine, profile)
        finally:  # also when Ctrl-C follows right after a failure
            self.total.meet_again(control.met_again)
            if control.failure is not None:
                self.corpus.add(EntryKind.FAILURES, control.failure.events)
