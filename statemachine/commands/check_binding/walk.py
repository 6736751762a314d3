"""Play the scenes on a lane that is open, print a line for each step, and count what is to mend.

A scene ends at its first fault, since the steps after it would be judged by a row that is already wrong.
An operation that was at fault once is not played again: later scenes end before it, so that one mistake is
explained once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from statemachine.binding import Binding, BindingError
from statemachine.commands.check_binding import text
from statemachine.commands.check_binding.diagnoses import fault_of, note_on
from statemachine.commands.check_binding.django_state import (
    difference,
    in_transaction,
    in_words,
    row_counts,
)
from statemachine.commands.check_binding.played_step import PlayedStep
from statemachine.commands.check_binding.recorder import RecordingBinding, described, remedy
from statemachine.commands.check_binding.scenes import (
    DISPENSABLE,
    FIRST_TENANT,
    NEEDED,
    SCENES,
    WITHOUT_CALL,
    Scene,
    SceneStep,
)
from statemachine.history import events as history
from statemachine.report.console import say
from statemachine.world.example import Example
from statemachine.world.lane import Lane
from statemachine.world.operations import NotPossible, perform


@dataclass
class Walk:
    """One walk of a binding through all scenes that its lifecycle offers."""

    binding: Any
    missing: list[str]
    """Names of the binding's pieces that are still to write; steps that need them are skipped."""
    started: datetime
    """The real time at which the command began, in UTC."""
    faults: int = 0
    """How many distinct things are to mend."""
    _broken: set[str] = field(default_factory=set)
    """Operations that were at fault, by :func:`_key`."""
    _explained: set[str] = field(default_factory=set)
    """Sentences printed so far, without the call that they are about."""
    _before: Mapping[str, int] = field(default_factory=dict)
    """Rows by table before the first scene."""

    def mend(self, sentence: str, mark: str = "") -> None:
        """Print what is to mend and count it."""
        self.faults += 1
        for line in text.fault(self._recorder.named(sentence), mark):
            say(line)

    def _mend_step(self, seen: PlayedStep, sentence: str) -> None:
        if self._is_new(seen, sentence):
            self.mend(sentence)
        else:
            say(f"{text.INDENT}the same as above")

    def _is_new(self, seen: PlayedStep, sentence: str) -> bool:
        """Return whether the sentence is printed for the first time, whichever call it is about."""
        same = sentence.replace(seen.call, "").replace(seen.method, "")
        known = same in self._explained
        self._explained.add(same)
        return not known

    def _print(self, seen: PlayedStep) -> None:
        """Print a step that is right, with the remark on it if there is one."""
        note = note_on(seen)
        say(self._columns.step(seen, "ok" if note is None else "note"))
        if note is not None and self._is_new(seen, note):
            for line in text.fault(note):
                say(line)

    def go(self) -> None:
        """Open a lane on the connected database and play everything that can be played."""
        self._recorder = RecordingBinding(self.binding)
        self._columns = text.Columns(self.binding.lifecycle, self.binding.tenants)
        lane = self._lane = Lane(cast(Binding, self._recorder))
        self._recorder.named = lambda seen: lane.current.ids.named(seen) if lane.current is not None else seen
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
            if not scene.plays(self.binding.lifecycle) or self._begins_broken(scene):
                continue
            say()
            say(scene.title)
            try:
                self._play(scene)
                self._reset(show=scene is SCENES[0])
            except BindingError as error:
                # Rows cannot be read any more, so no later scene could be judged either.
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
        for call, sentence in play_two_jobs(self.binding, self._lane):
            say(self._columns.line("ok" if sentence is None else "MEND", call))
            if sentence is not None:
                self.mend(sentence)

    def _in_its_call(self, error: BindingError) -> str:
        """Return what stopped a scene, with the latest call; an error of that call comes first."""
        latest = self._recorder.latest
        if latest is None:
            return str(error)
        if latest.error is not None:
            return f"{latest.call} raised {described(latest.error)}: {remedy(latest.error)}; then {error}"
        return f"after {latest.call}, {error}"

    def _leave_transactions(self) -> None:
        if in_transaction():
            self._lane.abandon()

    def _begins_broken(self, scene: Scene) -> bool:
        """Return whether an operation that this scene begins with was at fault in an earlier one."""
        return any(_key(step) in self._broken for step in scene.steps if step.quiet)

    def _play(self, scene: Scene) -> None:
        example = self._lane.begin()
        for step in scene.steps:
            if not step.plays(self.binding.lifecycle):
                continue
            if _key(step) in self._broken:
                if step.operation in DISPENSABLE:
                    continue
                return
            needed = NEEDED.get(step.operation, (step.operation,))
            lacking = [piece for piece in needed if piece in self.missing]
            if lacking:
                say(self._columns.line("todo", _key(step), "", "", f"needs {', '.join(lacking)}"))
                if step.operation in DISPENSABLE:
                    continue
                return
            seen = self._play_step(example, step)
            sentence = fault_of(seen)
            if sentence is not None:
                say(self._columns.step(seen, "MEND"))
                self._broken.add(_key(step))
                self._mend_step(seen, sentence)
                return
            if step.operation in WITHOUT_CALL:
                say(text.passage(seen))
            elif not step.quiet:
                self._print(seen)

    def _play_step(self, example: Example, step: SceneStep) -> PlayedStep:
        """Play one step and return everything that it showed.

        Raise ``BindingError`` for rows that cannot be read.
        """
        arguments = {
            name: self.binding.tenants[0] if value == FIRST_TENANT else value
            for name, value in step.arguments.items()
        }
        first_event, first_violation = len(example.events), len(example.judge.violations)
        before = row_counts()
        self._recorder.latest, impossible = None, ""
        try:
            perform(example, step.operation, arguments)
        except NotPossible as error:
            impossible = str(error)
        open_transaction = in_transaction()
        self._leave_transactions()
        events = tuple(example.events[first_event:])
        called = [event.job for event in events if isinstance(event, history.Invoked) and event.job]
        return PlayedStep(
            example=example,
            operation=step.operation,
            job=called[0] if called else "j1",
            recorded=self._recorder.latest,
            rows=self._recorder.rows,
            events=events,
            violations=tuple(example.judge.violations[first_violation:]),
            impossible=impossible,
            added=difference(before, row_counts()),
            open_transaction=open_transaction,
            committed=example.committed_in_call,
            started=self.started,
        )

    def _reset(self, show: bool) -> None:
        """Empty the database by the binding's own ``reset`` and compare the row counts with those at first.

        ``show`` prints a reset that is right as well.
        """
        if "reset" in self.missing or "reset" in self._broken:
            return
        jobs = list(self._lane.example.jobs)
        self._lane.begin()
        left = difference(self._before, row_counts())
        more = {table: count for table, count in left.items() if count > 0}
        if left:
            self._broken.add("reset")
            say(self._columns.line("MEND", f"reset({jobs})"))
            verb = f"left {in_words(more)}" if more else f"deleted {in_words(left)} that the jobs did not add"
            self.mend(
                f"reset({jobs}) {verb}: delete all that these jobs brought with them, their results first, "
                "and nothing else"
            )
        elif show:
            say(self._columns.line("ok", f"reset({jobs})", "", "no row left"))


def _key(step: SceneStep) -> str:
    """Return the name under which a fault is remembered; of a stray call, the operation that it calls."""
    return str(step.arguments.get("operation", step.operation))


def play_two_jobs(binding: Any, lane: Lane) -> Iterator[tuple[str, str | None]]:
    """Yield each call with the sentence on what is wrong with it, None for nothing.

    Two jobs exist at once: ``observe``, ``others`` and ``reset`` must concern the jobs that they are given,
    and no other.  ``others`` is called on ``binding`` itself, since the recorder of ``lane`` hides it.
    ``lane`` must be open.
    """
    example = lane.begin()
    others = getattr(binding, "others", None)
    # Compared as text: a binding may return any value, and may return the same changed object each time.
    first, second = both = example.ids.of("j1"), example.ids.of("j2")
    empty = str(others(both)) if others else ""
    for job, tenant in zip(("j1", "j2"), binding.tenants, strict=False):
        perform(example, "create", {"job": job, "tenant": tenant})

    shown = [example.ids.named(row.job) for row in lane.binding.observe([second])]
    yield (
        "observe(['j2'])",
        None if shown == ["j2"] else f"observe(['j2']) returned {shown}: return the jobs that it is given",
    )
    tenants = {example.ids.named(row.job): row.tenant for row in lane.binding.observe(both)}
    created = dict(zip(("j1", "j2"), binding.tenants, strict=False))
    yield (
        "observe(['j1', 'j2'])",
        None
        if tenants == created
        else f"observe(['j1', 'j2']) shows tenants {tenants} and create() was given {created}: "
        "show the tenant of each job",
    )
    if others:
        yield "others(['j1', 'j2'])", _of_others(others, empty, both)
    lane.binding.reset([first])
    left = [example.ids.named(row.job) for row in lane.binding.observe(both)]
    yield (
        "reset(['j1'])",
        None
        if left == ["j2"]
        else f"reset(['j1']) left {left or 'no job'} of j1 and j2: "
        "delete the jobs that it is given, and no other",
    )


def _of_others(others: Any, empty: str, both: Sequence[str]) -> str | None:
    if str(others(both)) != empty:
        return (
            f"others(['j1', 'j2']) is {others(both)} with these jobs in the database and was {empty} "
            "without: leave out the rows of the jobs that it is given"
        )
    if str(others(both[:1])) == empty:
        return (
            f"others(['j1']) is {empty} whether j2 is there or not: count the rows of all other jobs, "
            "and add up the columns that an operation might change"
        )
    return None
