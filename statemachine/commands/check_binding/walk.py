"""Plays the scenes on an open lane and writes a line for each step; counts what is to mend.

A scene ends at its first fault, since what follows would be judged by a row that is wrong already.  An
operation that was at fault once is not told again: later scenes end before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from statemachine.binding import Binding, BindingError
from statemachine.commands.check_binding import apart, text
from statemachine.commands.check_binding.diagnoses import fault_of, note_on
from statemachine.commands.check_binding.recorder import Watched, told, way_out
from statemachine.commands.check_binding.row_counts import difference, in_transaction, in_words, row_counts
from statemachine.commands.check_binding.scenes import ASIDE, NEEDED, OWNER, SCENES, WITHOUT_CALL, Beat, Scene
from statemachine.commands.check_binding.step import Seen
from statemachine.history import events as history
from statemachine.report.console import say
from statemachine.world.example import Example
from statemachine.world.lane import Lane
from statemachine.world.operations import NotPossible, perform


@dataclass
class Walk:
    """A binding on its way through the scenes.

    ``missing`` are pieces that it has not got yet, ``started`` is the real time at which it began.
    """

    binding: Any
    missing: list[str]
    started: datetime
    faults: int = 0
    _broken: set[str] = field(default_factory=set)
    _told: set[str] = field(default_factory=set)
    _before: Mapping[str, int] = field(default_factory=dict)

    def mend(self, sentence: str, mark: str = "") -> None:
        self.faults += 1
        for line in text.fault(sentence, mark):
            say(line)

    def _mend_step(self, seen: Seen, sentence: str) -> None:
        if self._is_new(seen, sentence):
            self.mend(sentence)
        else:
            say(f"{text.INDENT}the same as above")

    def _is_new(self, seen: Seen, sentence: str) -> bool:
        """Whether a sentence was not told yet, of whatever call."""
        same = sentence.replace(seen.call, "").replace(seen.method, "")
        known = same in self._told
        self._told.add(same)
        return not known

    def _tell(self, seen: Seen) -> None:
        """A step that is right, with what there is to note of it."""
        note = note_on(seen)
        say(self._columns.step(seen, "ok" if note is None else "note"))
        if note is not None and self._is_new(seen, note):
            for line in text.fault(note):
                say(line)

    def go(self) -> None:
        """Open a lane on the database that is there, and play all that can be played."""
        self._watched = Watched(self.binding)
        self._columns = text.Columns(self.binding.lifecycle, self.binding.tenants)
        self._lane = Lane(cast(Binding, self._watched))
        try:
            with self._lane.open():
                self._play_all()
        except BindingError as error:
            self.mend(str(error), "MEND")

    def _play_all(self) -> None:
        self._before = row_counts()
        say()
        say(self._columns.header())
        for scene in SCENES:
            if not scene.plays(self.binding.lifecycle) or self._is_told(scene):
                continue
            say()
            say(scene.title)
            try:
                self._play(scene)
                self._reset(tell=scene is SCENES[0])
            except BindingError as error:
                self.mend(self._in_its_call(error), "MEND")
                self._leave_transactions()
                return
            if "reset" in self.missing:
                say("      the other scenes need an empty database: write reset(jobs) to see them")
                return
        if "create" in self._broken:
            return
        say()
        say("Two jobs side by side")
        for call, sentence in apart.look(self.binding, self._lane):
            say(self._columns.line("ok" if sentence is None else "MEND", call))
            if sentence is not None:
                self.mend(sentence)

    def _in_its_call(self, error: BindingError) -> str:
        """What stopped a scene, with the call in which it showed; an error of that call comes first."""
        heard = self._watched.heard
        if heard is None:
            return str(error)
        if heard.error is not None:
            return f"{heard.call} raised {told(heard.error)}: {way_out(heard.error)}; then {error}"
        return f"after {heard.call}, {error}"

    def _leave_transactions(self) -> None:
        if in_transaction():
            self._lane.abandon()

    def _is_told(self, scene: Scene) -> bool:
        """Whether something that this scene begins with was at fault before."""
        return any(_key(beat) in self._broken for beat in scene.beats if beat.quiet)

    def _play(self, scene: Scene) -> None:
        example = self._lane.begin()
        for beat in scene.beats:
            if not beat.plays(self.binding.lifecycle):
                continue
            if _key(beat) in self._broken:
                if beat.operation in ASIDE:
                    continue
                return
            needed = NEEDED.get(beat.operation, (beat.operation,))
            lacking = [piece for piece in needed if piece in self.missing]
            if lacking:
                say(self._columns.line("todo", _key(beat), "", "", f"needs {', '.join(lacking)}"))
                if beat.operation in ASIDE:
                    continue
                return
            seen = self._take(example, beat)
            sentence = fault_of(seen)
            if sentence is not None:
                say(self._columns.step(seen, "MEND"))
                self._broken.add(_key(beat))
                self._mend_step(seen, sentence)
                return
            if beat.operation in WITHOUT_CALL:
                say(text.passage(seen))
            elif not beat.quiet:
                self._tell(seen)

    def _take(self, example: Example, beat: Beat) -> Seen:
        """Play one beat and gather all that it showed.

        Raises ``BindingError`` for rows that cannot be read.
        """
        arguments = {
            name: self.binding.tenants[0] if value == OWNER else value
            for name, value in beat.arguments.items()
        }
        place, known, before = len(example.events), len(example.judge.violations), row_counts()
        self._watched.heard, impossible = None, ""
        try:
            perform(example, beat.operation, arguments)
        except NotPossible as error:
            impossible = str(error)
        open_transaction = in_transaction()
        self._leave_transactions()
        events = tuple(example.events[place:])
        called = [event.job for event in events if isinstance(event, history.Invoked) and event.job]
        return Seen(
            example=example,
            operation=beat.operation,
            job=called[0] if called else "j1",
            heard=self._watched.heard,
            rows=self._watched.rows,
            events=events,
            violations=tuple(example.judge.violations[known:]),
            impossible=impossible,
            added=difference(before, row_counts()),
            open_transaction=open_transaction,
            in_transactions=example.committed_in_call,
            started=self.started,
        )

    def _reset(self, tell: bool) -> None:
        """Empty the database by the binding's own reset, and see that it is."""
        if "reset" in self.missing or "reset" in self._broken:
            return
        jobs = list(self._lane.example.jobs)
        self._lane.begin()
        left = difference(self._before, row_counts())
        more = {table: count for table, count in left.items() if count > 0}
        if left:
            self._broken.add("reset")
            say(self._columns.line("MEND", f"reset({jobs})"))
            verb = f"left {in_words(more)}" if more else f"took {in_words(left)} that it did not make"
            self.mend(
                f"reset({jobs}) {verb}: delete all that these jobs brought with them, their results first, "
                "and nothing else"
            )
        elif tell:
            say(self._columns.line("ok", f"reset({jobs})", "", "no row left"))


def _key(beat: Beat) -> str:
    """Under which a fault is remembered: a stray call by what it calls."""
    return str(beat.arguments.get("operation", beat.operation))
