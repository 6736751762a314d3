"""Histories worth playing again: those that broke a claim, and some that met rare situations.

An entry is a script of named steps, not Hypothesis's choices, so it outlives an edit to the machine: a step
that is no longer possible is left out, or the nearest possible one is played for it.  Entries are named
after their content, so the same one is never kept twice, and any number of runs may share a place.  An
entry that breaks nothing when it is played shows that this one order of events is handled, and no more.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from statemachine.history import ndjson
from statemachine.history.events import Event, StepBegan
from statemachine.history.foreign import Unfit
from statemachine.history.ndjson import Header, HistoryError
from statemachine.history.words import counted
from statemachine.search.corpus.places import CorpusPlace
from statemachine.search.triage.script import Step
from statemachine.world.operations import histories

NOTED = 5
"""Entries that cannot be played of which each has a note of its own."""


def _more(entries: int) -> str:
    return (
        f"passed over in the corpus: {counted(entries, 'more entry', 'more entries')} that cannot be played"
    )


class EntryKind(StrEnum):
    """Why a history is kept; failures are played first."""

    FAILURES = "failures"
    SITUATIONS = "situations"


class Entry(NamedTuple):
    """One history that is kept."""

    kind: EntryKind
    steps: tuple[Step, ...]
    text: str
    """The NDJSON that it is saved as: a header, and the beginnings of its steps."""
    name: str
    """The same for the same steps of the same system, wherever and whenever they were met."""


def entry_of(kind: EntryKind, header: Header, events: Iterable[Event]) -> Entry:
    """Make an entry of a history.  Its drain is left out: it follows from the state."""
    began = [event for event in events if isinstance(event, StepBegan) and not event.drain]
    # Without the seed: the same steps are the same entry, whichever search met them.
    text = ndjson.dumps(replace(header, seed=None), began)
    return Entry(kind, _script(began), text, _name(header, text))


def _name(header: Header, text: str) -> str:
    steps = text.partition("\n")[2]
    lane = "" if header.lane == "embedded" else f"{header.lane}\n"
    digest = hashlib.sha256(f"{lane}{header.binding}\n{header.defect}\n{steps}".encode()).digest()
    return base64.b32encode(digest).decode().lower()[:12]


def _script(events: Iterable[Event]) -> tuple[Step, ...]:
    return tuple(
        Step(event.step, event.operation, dict(event.arguments))
        for event in events
        if isinstance(event, StepBegan)
    )


class Corpus:
    """The entries of one system at one place.

    Errors of the place are not raised: what cannot be written stays in memory and is tried again.
    """

    def __init__(self, place: CorpusPlace, header: Header) -> None:
        self.place = place
        self.header = header
        """Entries of another binding or lane, or with another planted bug, are passed over."""
        self.notes: list[str] = []
        """What went wrong, a sentence each."""
        self._passed_over: list[str] = []
        self._unsaved: dict[str, Entry] = {}
        self._known: set[str] = set()

    def entries(self, *kinds: EntryKind) -> list[Entry]:
        """Read the entries of these ``kinds``, or of all: failures first, and the shortest first."""
        found: list[Entry] = []
        for kind in kinds or EntryKind:
            try:
                texts = list(self.place.texts(kind))
            except OSError as error:
                self._note(f"the corpus in {self.place} could not be read ({error})")
                return found
            of_kind = [entry for name, text in texts if (entry := self._read(kind, name, text)) is not None]
            found += sorted(of_kind, key=lambda entry: (len(entry.steps), entry.name))
        self._known |= {entry.name for entry in found}
        return found

    def _read(self, kind: EntryKind, name: str, text: str | Unfit) -> Entry | None:
        try:
            if isinstance(text, Unfit):
                raise HistoryError(f"{name} cannot be read ({text})")
            header, events = histories.loads(text, name)
        except HistoryError as error:
            self._pass_over(str(error))
            return None
        if replace(header, lifecycle=self.header.lifecycle, seed=self.header.seed) != self.header:
            return None
        return Entry(kind, _script(events), text, _name(header, text))

    def add(self, kind: EntryKind, events: Sequence[Event]) -> Entry:
        """Save the steps of ``events``; if that fails, try again with the next entry."""
        entry = entry_of(kind, self.header, events)
        self.take(entry)
        return entry

    def take(self, entry: Entry) -> None:
        """Save an entry, of another corpus perhaps."""
        if entry.name not in self._known:
            self._known.add(entry.name)
            self._unsaved[entry.name] = entry
        self.flush()

    def flush(self) -> bool:
        """Write what could not be written before, and return whether all is written now."""
        for name, entry in list(self._unsaved.items()):
            try:
                self.place.save(entry.kind, name, entry.text)
            except OSError as error:
                self._note(f"the corpus in {self.place} could not be written ({error})")
                return False
            del self._unsaved[name]
        return True

    @property
    def unsaved(self) -> int:
        """How many entries are still in memory only."""
        return len(self._unsaved)

    def drop(self, entries: Iterable[Entry]) -> None:
        """Delete these entries."""
        for entry in entries:
            self._known.discard(entry.name)
            if self._unsaved.pop(entry.name, None) is not None:
                continue
            try:
                self.place.drop(entry.kind, entry.name, entry.text)
            except OSError as error:
                self._note(f"the corpus in {self.place} could not be pruned ({error})")
                return

    def _pass_over(self, reason: str) -> None:
        """Note an entry that cannot be played; of many, the first few and their number."""
        if reason in self._passed_over:
            return
        self._passed_over.append(reason)
        more = len(self._passed_over) - NOTED
        if more <= 0:
            self._note(f"passed over in the corpus: {reason}")
            return
        if more > 1:
            self.notes.remove(_more(more - 1))
        self.notes.append(_more(more))

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)
