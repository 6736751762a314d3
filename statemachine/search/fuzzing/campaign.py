"""Fuzzing for a given time: the corpus first, then one short search after another on several processors.

What is found is written to the corpus at once, so that nothing is lost when this process is killed.
Nothing is minimised while searching: the caller does that once, at the end.  A search whose process dies is
played once more; if that process dies too, the run cannot vouch for the system.  The corpus is played in
this process: a history that kills its process ends the campaign.
"""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Any, NamedTuple

from statemachine.history.situation_pairs import Pair, pairs_of
from statemachine.search.corpus.entries import Corpus, EntryKind
from statemachine.search.corpus.replay import found_again, replayed
from statemachine.search.corpus.selection import Selection
from statemachine.search.engine import EXAMPLES_OF_A_TIMED_RUN
from statemachine.search.figures import CorpusFigures, FuzzFigures, InSearch, StrategyFigures
from statemachine.search.findings import Finding, Findings
from statemachine.search.fuzzing.searches import FuzzSearch, Met, Searched, Size, System, search
from statemachine.search.interrupts import handled_by
from statemachine.search.pool import run_tasks
from statemachine.search.run import Run
from statemachine.search.tally import Part
from statemachine.world.clock import real_seconds
from statemachine.world.lane import Lane

PATIENCE_SECONDS = 0.5
"""How long to wait for a result before the time is looked at again."""
GRACE_SECONDS = 30
"""How long a search may take to end when its time is up, before its process is ended."""
SHARE_OF_THE_CORPUS = 0.25
"""Part of the time in which situations may be played again: a campaign that was killed may have left many."""
FIRST_EXAMPLES = 30
"""Size of the first search of each process: a system that cannot be played at all shows it soon."""
MOST_LOST = 20
"""Lost searches that are reported: a system that loses one loses all of them."""
SECONDS_BETWEEN_LOOKS = 30
"""How often to read what other runs have put into the corpus."""


class Fuzz(NamedTuple):
    """What a run by time is asked for."""

    system: System
    seed: int
    """Of the first search; the others follow."""
    seconds: int
    processes: int
    size: Size


@dataclass
class FuzzCampaign:
    """The search strategy of a run by time, and what came of it so far."""

    lane: Lane
    """Must be open; it plays the corpus."""
    corpus: Corpus
    asked: Fuzz
    tick: Callable[[FuzzCampaign], None] = lambda campaign: None
    """Called about twice a second, to show that the campaign is alive."""
    most_failures: int = 0
    """The number of distinct failures that ends the campaign early, 0 for no limit."""
    total: Run = field(init=False)
    situations: set[Pair] = field(default_factory=set)
    """All pairs of situations that were met."""
    replayed: int = 0
    """Entries of the corpus that were played."""
    last_new: float = 0
    """Seconds from the start until the last new pair was met."""
    interrupted: bool = False
    _selection: Selection = field(default_factory=Selection)
    _played: set[str] = field(default_factory=set)
    _next_look: float = SECONDS_BETWEEN_LOOKS
    _retries: list[Searched] = field(default_factory=list)
    _under_way: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.total = Run(self.lane, judges_reach_from=EXAMPLES_OF_A_TIMED_RUN)
        self.total.seed = self._next_seed = self.asked.seed
        # Made for processes that are started as the pool's are, or it could not be handed over.  Without a
        # lock: a process that is killed while it holds one would keep it for ever.
        self._stop: Any = multiprocessing.get_context("spawn").RawValue("b", 0)

    @property
    def findings(self) -> Findings:
        return self.total.findings

    @property
    def elapsed(self) -> float:
        return real_seconds() - self.total.started

    @property
    def time_is_up(self) -> bool:
        full = 0 < self.most_failures <= len(self.total.open_findings)
        hopeless = not self.total.reach.counts and self.total.tally.lost
        return full or bool(hopeless) or self.interrupted or self.elapsed >= self.asked.seconds

    def run(self) -> None:
        """Search until the time is up, enough is found, or Ctrl-C."""
        with self._interrupts_noticed():
            with self.total.spending(Part.CORPUS):
                self._replay_corpus(EntryKind.FAILURES)
                self._replay_corpus(EntryKind.SITUATIONS, until=self.asked.seconds * SHARE_OF_THE_CORPUS)
            # The wall clock counts, not the times of the searches, which run side by side.
            with self.total.spending(Part.SEARCH):
                self._search()
        if not self.interrupted:
            for searched in self._retries:
                self._lose(searched.lost)
        self._prune()
        self.total.finished = not self.interrupted

    def _search(self) -> None:
        deal = partial(search, self._stop)
        results = run_tasks(
            deal, self._next_search, self.asked.processes, PATIENCE_SECONDS, lost=Searched.nothing
        )
        stopped_at: float | None = None
        with closing(results):
            for searched in results:
                if searched is not None:
                    self._take(searched)
                if self.time_is_up and stopped_at is None:
                    self._stop.value, stopped_at = 1, self.elapsed
                elif self.elapsed >= self._next_look:
                    self._next_look = self.elapsed + SECONDS_BETWEEN_LOOKS
                    self._replay_corpus(EntryKind.FAILURES)
                self.tick(self)
                if stopped_at is not None and self.elapsed > stopped_at + GRACE_SECONDS:
                    for seed in self._under_way:
                        self._lose(f"the search with seed {seed}: it did not end when its time was up")
                    return

    def figures(self) -> Sequence[StrategyFigures]:
        seconds = self.total.seconds_of(Part.CORPUS) + self.total.seconds_of(Part.SEARCH)
        processes = self.asked.processes
        return [
            FuzzFigures(seconds, processes, len(self.situations), self.last_new),
            CorpusFigures(
                str(self.corpus.place), self.replayed, self.corpus.notes, len(self.corpus.entries())
            ),
        ]

    def _next_search(self) -> FuzzSearch | None:
        if self.time_is_up:
            return None
        known = self.total.known
        if self._retries:
            dealt = self._retries.pop().search._replace(known=known, again=True)
        else:
            size = self.asked.size
            if self._next_seed < self.asked.seed + self.asked.processes:
                size = size._replace(examples=min(size.examples, FIRST_EXAMPLES))
            dealt = FuzzSearch(self.asked.system, self._next_seed, size, known)
            self._next_seed += 1
        self._under_way.add(dealt.seed)
        return dealt

    def _take(self, searched: Searched) -> None:
        self._under_way.discard(searched.search.seed)
        if searched.lost:
            self._retry(searched)
            return
        self.total.add(searched.tally)
        self.total.meet_again(searched.met_again)
        if searched.failure is not None:
            seed = searched.search.seed
            origin = InSearch(self.total.tally.examples, self.elapsed, seed)
            steps, unstable = len(searched.failure.steps), searched.unstable
            self.findings.add(Finding(searched.failure, origin, steps, seed=seed, unstable=unstable))
            self._played.add(self.corpus.add(EntryKind.FAILURES, searched.failure.events).name)
            self.total.settle()
        for met in searched.new:
            self._remember(met)

    def _remember(self, met: Met) -> None:
        if met.pairs <= self.situations:  # another process was first
            return
        self.last_new = self.elapsed
        self.situations |= met.pairs
        entry = self.corpus.add(EntryKind.SITUATIONS, met.steps)
        self._selection.add(entry, met.pairs)

    def _retry(self, searched: Searched) -> None:
        if searched.search.again:
            self._lose(searched.lost)
        else:
            self._retries.append(searched)

    def _lose(self, why: str) -> None:
        if len(self.total.tally.lost) < MOST_LOST:
            self.total.tally.lost.append(why)

    def _replay_corpus(self, kind: EntryKind, until: float = math.inf) -> None:
        for again in replayed(self.lane, self.corpus, kind, but=self._played):
            self._played.add(again.entry.name)
            self.replayed += 1
            met = pairs_of(self.lane.binding.lifecycle, again.events)
            self.situations |= met
            self._selection.add(again.entry, met, fails=again.failure is not None)
            if again.failure is not None:
                self.findings.add(found_again(again, again.failure, self.corpus.place, self.corpus))
            self.tick(self)
            if self.time_is_up or self.elapsed > until:
                return

    def _prune(self) -> None:
        self.corpus.drop(self._selection.needless())
        self.corpus.flush()

    @contextmanager
    def _interrupts_noticed(self) -> Iterator[None]:
        """Let the first Ctrl-C or SIGTERM end the searches in good order, and the second one at once."""

        def interrupted(number: int, frame: FrameType | None) -> None:
            if self.interrupted:
                raise KeyboardInterrupt
            self.interrupted = True

        with handled_by(interrupted):
            yield
