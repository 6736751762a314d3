"""The fixtures ``leased_jobs`` and ``interleaved_jobs``, which play a plain test without Hypothesis.

A failing run saves such a test beside its history.  It fails as long as the system breaks a claim and
passes once it does not.  A step that the repaired system does not allow is left out, and a test of which
too much is left out would pass and show nothing.  So the first step must be possible, every step must be
one that some state allows, and all but the last must have been played when the claims are judged.  With a
drain none of them needs to be: then the end of every job is judged, however it came about.

A pass shows that this one order of events is handled, not that similar orders are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statemachine.history.in_flight import GOES_ON, KILLED
from statemachine.invariants import BY_NAME
from statemachine.report.text.failure import what_broke
from statemachine.search.triage.failure import Failure
from statemachine.world.lane import Lane
from statemachine.world.operations import STEPWISE, NotPossible, Unplayable, perform
from statemachine.world.operations.drain import drain, let_all_end


class Misused(ValueError):
    """The test cannot mean what it says; the message says what is wrong and how to correct it."""


class LeasedJobs:
    """One history, played step by step on the system under test; its clock starts at second 0::

        leased_jobs.play("create", job="j1", tenant="t1")
        leased_jobs.play("publish", job="j1")  # sends message m2
        leased_jobs.check()

    ``lane`` must be open; ``binding`` is the path of the system under test.
    """

    def __init__(self, lane: Lane, binding: str) -> None:
        self._example = lane.begin()
        self._binding = binding
        self._claims = {claim.name for claim in lane.claims}
        self._step = 0
        self._drained = False
        # The steps that were not possible, each with the reason.
        self._left_out: list[tuple[int, str]] = []

        self.unjudged = False
        """Whether steps were played and never checked: such a test would pass whatever they did."""

    def expect_binding(self, path: str) -> None:
        """Raise :class:`Misused` unless ``path`` is the binding of the system under test."""
        __tracebackhide__ = True
        if path != self._binding:
            raise self._misused(
                f"this history was found with --binding {path} and is played on {self._binding}, about which "
                f"it says nothing: give --binding {path}"
            )

    def play(self, operation: str, /, *, step: int | None = None, **arguments: Any) -> None:
        """Play a named operation (``statemachine/world/operations/``), unless a claim is broken already.

        Steps count from 1, or from ``step``: a job of step 1 is j1, a message of step 2 is m2.
        A step that the system does not allow in its present state is left out.

        Raise :class:`Misused` if no state allows the step, or if the first step is not possible.
        """
        __tracebackhide__ = True
        if step is not None and (type(step) is not int or step < 1):
            raise self._misused(f"step={step!r} is no number of a step: they are whole and count from 1")
        self._step = self._step + 1 if step is None else step
        self.unjudged = True
        if self._example.judge.violations:
            return
        self._check_lane(operation, arguments)
        try:
            self._perform(operation, arguments)
        except Unplayable as error:
            raise self._misused(f"step {self._step} ({operation}): {error}") from None
        except NotPossible as error:
            if not self._example.steps:
                raise self._misused(
                    f"step {self._step} ({operation}), the first one, is not possible: {error}; "
                    "begin with a step that every system allows, such as create"
                ) from None
            self._left_out.append((self._step, f"step {self._step} ({operation}) is not possible: {error}"))

    def _check_lane(self, operation: str, arguments: Mapping[str, Any]) -> None:
        __tracebackhide__ = True
        asked = operation in (GOES_ON, KILLED) or arguments.get(STEPWISE)
        if asked and not self._example.lane.most_in_flight:
            raise self._misused(
                f"step {self._step} ({operation}): leased_jobs plays operations whole; use the fixture "
                "interleaved_jobs, which plays them statement by statement on PostgreSQL"
            )

    def _perform(self, operation: str, arguments: dict[str, Any]) -> None:
        perform(self._example, operation, arguments, key=self._step)

    def drain(self) -> None:
        """Stop all faults and let time pass and workers work until all is quiet; every job must end."""
        self.unjudged = True
        self._drained = True
        if not self._example.judge.violations:
            drain(self._example)

    def check(self, claim: str | None = None) -> None:
        """Raise ``AssertionError`` with the story and the table of steps if a claim is broken.

        Raise it too if an invariant crashed, or if a step before the last was left out and no drain was
        played: a pass would show nothing then.  ``claim`` is the one that the test is about; raise
        :class:`Misused` if it is not judged on this system, or if no step was played.
        """
        __tracebackhide__ = True
        self._check_claim(claim)
        let_all_end(self._example)
        self.unjudged = False
        failure = Failure.of(self._example)
        if failure is not None:
            seen = failure.headline
            steps = "\n".join(what_broke(self._example.lifecycle, failure))
            raise AssertionError(f"{seen.invariant}: {seen.story}\n\n{steps}")
        for crash in self._example.judge.crashed:
            raise AssertionError(f"{crash.invariant} could not judge: it crashed with {crash.error}")
        missing = [why for step, why in self._left_out if step != self._step]
        if missing and not self._drained:
            raise AssertionError(
                f"this test shows nothing any more: {missing[0]}; the system takes another way before the "
                "last step, so let the search judge that way and delete this test"
            )

    def _check_claim(self, claim: str | None) -> None:
        __tracebackhide__ = True
        if not self._example.steps:
            raise self._misused("no step was played, so there is nothing to judge: play one first")
        if claim is None or claim in self._claims:
            return
        if claim in BY_NAME:
            raise self._misused(f"{self._binding} waives {claim}, so it is not judged: delete this test")
        raise self._misused(f"there is no invariant {claim}; there are {', '.join(sorted(self._claims))}")

    def _misused(self, what: str) -> Misused:
        # One error is enough: without this the fixture would add that the test judged nothing.
        self.unjudged = False
        return Misused(what)


class InterleavedJobs(LeasedJobs):
    """The same, statement by statement; ``lane`` must be an open transactions lane::

        interleaved_jobs.play("prepare", worker="A", stepwise=True)
        interleaved_jobs.play("prepare", worker="B")  # waits for a lock that A holds
        interleaved_jobs.play("proceed", by="A", statement="COMMIT")

    A system that was repaired, say by a lock, has other statements.  So ``proceed`` gives a turn: the
    operation of ``by`` executes its next statement, whatever that is now, and does nothing if it waits for a
    lock or has ended.  If a step is not possible while operations are in flight, all of them are finished and
    it is played again.  They are finished as well before the claims are judged.
    """

    def _perform(self, operation: str, arguments: dict[str, Any]) -> None:
        if operation in (GOES_ON, KILLED):
            self._take_turn(operation, arguments)
            return
        try:
            super()._perform(operation, arguments)
        except NotPossible:
            if not self._example.in_flight:
                raise
            let_all_end(self._example)
            if not self._example.judge.violations:
                super()._perform(operation, arguments)

    def _take_turn(self, operation: str, arguments: dict[str, Any]) -> None:
        named = self._example.in_flight.get(str(arguments.get("by")))
        # As the first step it is played all the same, and refused: a test must begin with a possible one.
        if named is None and self._example.steps:
            return
        if named is not None and operation == GOES_ON:
            if named.blocked_by:
                return
            # The saved statement is that of the failing system; the repaired one may have another.
            arguments = {**arguments, "statement": named.statement}
        super()._perform(operation, arguments)
