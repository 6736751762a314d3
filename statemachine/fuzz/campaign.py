"""Fuzzing for a given time: the corpus first, then one short search after another on several processors.

Whatever is found is written to the corpus at once, so that nothing is lost when the machine goes down.
Nothing is minimised while searching: that is done once, at the end, by whoever started the campaign.
A search whose process dies is played once more; when that dies too, the run cannot vouch for the system.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Any, NamedTuple

from statemachine.corpus.entries import Corpus, Kind
from statemachine.corpus.selection import Selection
from statemachine.embedded import EXAMPLES_OF_A_TIMED_RUN
from statemachine.example import Lane
from statemachine.findings import Finding, Findings
from statemachine.fuzz.duration import told
from statemachine.fuzz.searches import Met, Search, Searched, Size, search
from statemachine.invariants.claim import times
from statemachine.pairs import Pair, pairs_of
from statemachine.pool import side_by_side
from statemachine.quest import found_again, replayed
from statemachine.report.summary import grouped
from statemachine.run import Run
from statemachine.session import Session
from statemachine.world.clock import real_seconds

PATIENCE_SECONDS = 0.5
SECONDS_BETWEEN_LOOKS = 30
"""How often to look what other runs have put into the corpus."""


class Fuzz(NamedTuple):
    """For how long, in how many processes, and in searches of what size."""

    seconds: int
    processes: int
    size: Size


@dataclass
class Campaign:
    """One run by time, and what came of it so far.  ``lane`` must be open; it plays the corpus.

    ``tell`` is given the state of the campaign about twice a second.  It ends early after
    ``most_failures`` distinct ones, 0 for no limit.
    """

    session: Session
    lane: Lane
    corpus: Corpus
    asked: Fuzz
    tell: Callable[[Campaign], None] = lambda campaign: None
    most_failures: int = 0
    total: Run = field(init=False)
    findings: Findings = field(default_factory=Findings)
    situations: set[Pair] = field(default_factory=set)
    replayed: int = 0
    last_new: float = 0
    interrupted: bool = False
    _selection: Selection = field(default_factory=Selection)
    _played: set[str] = field(default_factory=set)
    _next_look: float = SECONDS_BETWEEN_LOOKS
    _again: list[Search] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.total = Run(self.lane, judges_reach_from=EXAMPLES_OF_A_TIMED_RUN)
        self.total.seed = self._next_seed = self.session.seed
        # Of the same kind of process as the pool's, or it could not be handed over.
        self._stop: Any = multiprocessing.get_context("spawn").Event()

    @property
    def elapsed(self) -> float:
        return real_seconds() - self.total.started

    @property
    def time_is_up(self) -> bool:
        full = 0 < self.most_failures <= len(self.findings)
        return full or self.interrupted or self.elapsed >= self.asked.seconds

    def run(self) -> None:
        """Fuzz until the time is up, it has found enough, or somebody interrupts it."""
        with self._interrupts_noticed():
            self._replay_corpus()
            deal = partial(search, self._stop)
            results = side_by_side(
                deal, self._next_search, self.asked.processes, PATIENCE_SECONDS, lost=Searched.nothing
            )
            with closing(results):
                for searched in results:
                    if searched is not None:
                        self._take(searched)
                    if self.time_is_up:
                        self._stop.set()
                    elif self.elapsed >= self._next_look:
                        self._next_look = self.elapsed + SECONDS_BETWEEN_LOOKS
                        self._replay_corpus(Kind.FAILURES)
                    self.tell(self)
        self.total.stop()
        self._prune()
        self.total.finished = not self.interrupted

    def closing(self) -> list[str]:
        """What the summary of a run does not say: situations in pairs, the corpus, and what went wrong."""
        processes = times(self.asked.processes, "process", "processes")
        histories = times(self.replayed, "history", "histories")
        return [
            f"Fuzzed for {told(self.total.seconds)} in {processes}: {grouped(len(self.situations))} pairs of "
            f"situations met, the last new one after {told(self.last_new)}",
            f"Corpus: {histories} played again from {self.corpus.place}, which now holds "
            f"{len(self.corpus.entries())}",
            *self.corpus.notes,
        ]

    def _next_search(self) -> Search | None:
        if self.time_is_up:
            return None
        known = self.findings.shapes
        if self._again:
            return self._again.pop()._replace(known=known, again=True)
        session, self._next_seed = self.session, self._next_seed + 1
        of_system = session.binding_path, session.defect, session.clock_skew_seconds
        return Search(*of_system, self._next_seed - 1, self.asked.size, known)

    def _take(self, searched: Searched) -> None:
        if searched.lost:
            self._retry(searched)
            return
        self.total.add(searched.tally)
        for shape, number in searched.met_again.items():
            self.findings.again(shape, number)
        if searched.failure is not None:
            seed = searched.search.seed
            self._played.add(self.corpus.add(Kind.FAILURES, searched.failure.events, seed).name)
            looked_at = (
                f"Looked at {self.total.examples} examples until it was found, after {told(self.elapsed)} "
                f"(in the search with seed {seed})"
            )
            self.findings.add(Finding(searched.failure, looked_at, len(searched.failure.steps), seed=seed))
        for met in searched.new:
            self._remember(met, searched.search.seed)

    def _remember(self, met: Met, seed: int) -> None:
        if met.pairs <= self.situations:  # another process was first
            return
        self.last_new = self.elapsed
        self.situations |= met.pairs
        entry = self.corpus.add(Kind.SITUATIONS, met.steps, seed)
        self._selection.add(entry, met.pairs)

    def _retry(self, searched: Searched) -> None:
        if searched.search.again:
            self.total.lost.append(searched.lost)
        else:
            self._again.append(searched.search)

    def _replay_corpus(self, *kinds: Kind) -> None:
        for again in replayed(self.lane, self.corpus, *kinds, but=self._played):
            self._played.add(again.entry.name)
            self.replayed += 1
            met = pairs_of(self.lane.binding.lifecycle, again.events)
            self.situations |= met
            self._selection.add(again.entry, met, fails=again.failure is not None)
            if again.failure is not None:
                self.findings.add(found_again(again, again.failure, self.corpus))
            self.tell(self)
            if self.time_is_up:
                return

    def _prune(self) -> None:
        self.corpus.drop(self._selection.needless())
        self.corpus.flush()

    @contextmanager
    def _interrupts_noticed(self) -> Iterator[None]:
        """Let the first Ctrl-C end the searches in good order, and the second one at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def interrupted(number: int, frame: FrameType | None) -> None:
            if self.interrupted:
                raise KeyboardInterrupt
            self.interrupted = True

        before = signal.signal(signal.SIGINT, interrupted)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
