"""Histories worth playing again: those that broke a claim, and some that met what is seldom met.

An entry is a script of named steps, not Hypothesis's choices, so it outlives an edit to the machine: a
step that is not possible any more is left out or stands for what comes nearest to it.  Entries are named
after their content, so the same one is never kept twice, and any number of runs may share a place.  An
entry that breaks nothing when it is played shows that this one order of events is handled.
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
from statemachine.history.ndjson import Header, HistoryError
from statemachine.search.corpus.places import CorpusPlace
from statemachine.search.triage.script import Step


class EntryKind(StrEnum):
    """Why a history is kept; what broke a claim is played first."""

    FAILURES = "failures"
    SITUATIONS = "situations"


class Entry(NamedTuple):
    """One script, the text that it is kept as, and why it is kept.

    ``name`` is the same for the same steps of the same system, wherever and whenever they were met.
    """

    kind: EntryKind
    steps: tuple[Step, ...]
    text: str
    name: str


def entry_of(kind: EntryKind, header: Header, events: Iterable[Event]) -> Entry:
    """The script of a history, without its drain, which follows from the state."""
    began = [event for event in events if isinstance(event, StepBegan) and not event.drain]
    # Without the seed: whoever met the same steps, it is the same entry.
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
    """The entries of one system at one place; what cannot be written is kept, and tried again.

    ``header`` says whose they are: entries of another binding or lane, or with another planted bug, are
    passed over.  ``notes`` says in a sentence each what went wrong; nothing is raised for it.
    """

    def __init__(self, place: CorpusPlace, header: Header) -> None:
        self.place = place
        self.header = header
        self.notes: list[str] = []
        self._unsaved: dict[str, Entry] = {}
        self._known: set[str] = set()

    def entries(self, *kinds: EntryKind) -> list[Entry]:
        """What is there: failures first, and the shortest first.  Without ``kinds``, all."""
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

    def _read(self, kind: EntryKind, name: str, text: str) -> Entry | None:
        try:
            header, events = ndjson.loads(text, name)
        except HistoryError as error:
            self._note(f"passed over in the corpus: {error}")
            return None
        if replace(header, lifecycle=self.header.lifecycle, seed=self.header.seed) != self.header:
            return None
        return Entry(kind, _script(events), text, _name(header, text))

    def add(self, kind: EntryKind, events: Sequence[Event]) -> Entry:
        """Keep the script of ``events``; where it cannot be written now, try again with the next."""
        entry = entry_of(kind, self.header, events)
        self.take(entry)
        return entry

    def take(self, entry: Entry) -> None:
        """Keep an entry, of another corpus perhaps."""
        if entry.name not in self._known:
            self._known.add(entry.name)
            self._unsaved[entry.name] = entry
        self.flush()

    def flush(self) -> bool:
        """Write what could not be written before; whether all is written."""
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
        """Forget these entries."""
        for entry in entries:
            self._known.discard(entry.name)
            if self._unsaved.pop(entry.name, None) is not None:
                continue
            try:
                self.place.drop(entry.kind, entry.name, entry.text)
            except OSError as error:
                self._note(f"the corpus in {self.place} could not be pruned ({error})")
                return

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)
