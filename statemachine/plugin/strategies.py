"""Chooses the search strategy that a command line asks for."""

from __future__ import annotations

from hypothesis import settings

from statemachine.plugin.progress import FuzzProgress, Progress
from statemachine.report.asked import Asked
from statemachine.search.corpus.entries import Corpus
from statemachine.search.exhaustive import Exhaustion
from statemachine.search.fuzzing.campaign import Fuzz, FuzzCampaign
from statemachine.search.fuzzing.searches import Size, System
from statemachine.search.lanes import KINDS
from statemachine.search.strategy import PlainSearch, SearchStrategy
from statemachine.world.lane import Lane


def strategy_for(asked: Asked, lane: Lane, progress: Progress, most_failures: int) -> SearchStrategy:
    """Return what plays the open ``lane`` as ``asked``; after ``most_failures``, 0 for no limit, it ends."""
    strategy = _strategy(asked, lane, progress, most_failures)
    strategy.total.accepted = asked.accepted
    return strategy


def _strategy(asked: Asked, lane: Lane, progress: Progress, most_failures: int) -> SearchStrategy:
    corpus, kind = Corpus(asked.corpus, asked.header()), KINDS[asked.lane]
    if asked.exhaust is not None:
        return Exhaustion(lane, corpus, asked.exhaust, progress, kind)
    if not asked.fuzz_seconds:
        return PlainSearch(lane, corpus, asked.seed, progress, most_failures == 1, kind)
    profile = settings()
    size = Size(profile.max_examples, profile.stateful_step_count)
    system = System(
        asked.binding_path, asked.defect, asked.clock_skew_seconds, asked.hang_seconds, asked.allowed
    )
    fuzz = Fuzz(system, asked.seed, asked.fuzz_seconds, asked.processes, size)
    shown = FuzzProgress(progress, fuzz.seconds, asked.paper)
    return FuzzCampaign(lane, corpus, fuzz, shown, most_failures)
