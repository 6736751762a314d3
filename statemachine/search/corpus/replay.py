"""Plays the entries of a corpus again: what broke before, or met what is rarely met, is tried first."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

from statemachine.history.events import Event
from statemachine.search.corpus.entries import Corpus, Entry, EntryKind
from statemachine.search.corpus.places import CorpusPlace
from statemachine.search.figures import InCorpus
from statemachine.search.findings import Finding
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.rewriting import nearest
from statemachine.search.triage.script import play
from statemachine.world.lane import Lane


class ReplayedEntry(NamedTuple):
    """An entry that was played again, the history that came of it, and what broke in it, if anything."""

    entry: Entry
    events: Sequence[Event]
    failure: Failure | None


def replayed(
    lane: Lane, corpus: Corpus, *kinds: EntryKind, but: Container[str] = frozenset()
) -> Iterator[ReplayedEntry]:
    """Play the entries of ``corpus``, failures first, except those whose names are in ``but``."""
    for entry in corpus.entries(*kinds):
        if entry.name in but:
            continue
        played = play(lane, entry.steps, drained=True, ways=nearest)
        yield ReplayedEntry(entry, played.example.events, played.failure)


def found_again(again: ReplayedEntry, failure: Failure, place: CorpusPlace, corpus: Corpus) -> Finding:
    """Return the failure of an entry from ``place`` as a finding, and keep it in ``corpus``."""
    if again.entry.kind is EntryKind.FAILURES:
        corpus.take(again.entry)
    else:
        corpus.add(EntryKind.FAILURES, failure.events)
    return Finding(failure, InCorpus(str(place)), len(again.entry.steps))
