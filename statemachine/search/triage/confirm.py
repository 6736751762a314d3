"""Confirms a finding alone in a fresh process, before it is told as minimal.

Where it breaks nothing there, the process that found it remembered something.  Then one of the examples that
were played before it is looked for, with which it breaks its claim in a fresh process: both are the finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from statemachine.search.findings import Finding
from statemachine.search.triage.alone import FreshProcess, NoAnswer, Script
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.rewriting import renumbered
from statemachine.search.triage.script import Steps, in_drain, steps_of
from statemachine.world.clock import real_seconds

SECONDS = 20
"""Real time for one finding: of an embedded example some hundred can be played in it."""

PLAYS = 8
"""How often a history that broke nothing in a fresh process is played in another one."""


def confirmed(as_found: Finding, minimal: Finding, process: FreshProcess) -> Finding:
    """Return ``minimal`` as it is told: alone, with the earlier example that it needs, or as unconfirmed.

    ``as_found`` is the same finding before it was minimised.
    """
    return _Confirmation(as_found, process).of(minimal)


class _Confirmation:
    """The questions about one finding."""

    def __init__(self, found: Finding, process: FreshProcess) -> None:
        self.found = found
        self.process = process
        self.until = real_seconds() + SECONDS

    def of(self, minimal: Finding) -> Finding:
        if self.found.unstable:
            return minimal
        try:
            if self._broken_by([_script_of(minimal.failure)]) is not None:
                return minimal
            # A system that does not repeat itself would pass for one that remembers something.
            again = sum(self._broken_by([_script_of(minimal.failure)]) is not None for _ in range(PLAYS))
            if again:
                return replace(minimal, unstable=_at_times(again))
            whole = _script_of(self.found.failure)
            needed = self._first_that_breaks(chain([[whole]], self._with_one_before(whole)))
            if needed is None:
                return replace(minimal, misled=True, breaks_alone=False)
            *before, last = self._shrunk(needed)
            failure = self._broken_by([*before, last]) or self.found.failure
        except NoAnswer as error:
            return replace(minimal, unconfirmed=str(error))
        earlier = tuple(before[0].steps) if before else ()
        return replace(minimal, failure=failure, misled=True, breaks_alone=not before, earlier=earlier)

    def _with_one_before(self, whole: Script) -> Iterator[Sequence[Script]]:
        # What was played last is likeliest to be remembered.
        return ([Script(steps, drained=True), whole] for steps in reversed(self.found.played_before))

    def _first_that_breaks(self, candidates: Iterator[Sequence[Script]]) -> list[Script] | None:
        for examples in candidates:
            if self._is_late:
                return None
            if self._broken_by(examples) is not None:
                return list(examples)
        return None

    def _shrunk(self, examples: list[Script]) -> list[Script]:
        """Drop runs of steps, long ones first, from each example as long as the last one breaks the claim."""
        for place, script in enumerate(examples):
            length = max(len(script.steps) // 2, 1)
            while length:
                begin = 0
                while begin < len(examples[place].steps) and not self._is_late:
                    steps = examples[place].steps
                    shorter = _with_steps(examples, place, [*steps[:begin], *steps[begin + length :]])
                    if self._broken_by(shorter) is not None:
                        examples = shorter
                    else:
                        begin += length
                length //= 2
        renamed = [script._replace(steps=renumbered(script.steps)) for script in examples]
        return renamed if self._broken_by(renamed) is not None else examples

    def _broken_by(self, examples: Sequence[Script]) -> Failure | None:
        failure = self.process.play(examples)
        same = failure is not None and failure.signature.invariant == self.found.signature.invariant
        return failure if same else None

    @property
    def _is_late(self) -> bool:
        return real_seconds() > self.until


def _at_times(broken: int) -> str:
    return (
        f"the system does not repeat itself: in fresh processes the same steps broke the claim in {broken} "
        f"of {PLAYS + 1} plays; make it depend on nothing but its input, its rows and timezone.now()"
    )


def _script_of(failure: Failure) -> Script:
    return Script(steps_of(failure), in_drain(failure))


def _with_steps(examples: Sequence[Script], place: int, steps: Steps) -> list[Script]:
    """Return the examples with other steps in the one at ``place``."""
    return [
        script._replace(steps=steps) if number == place else script for number, script in enumerate(examples)
    ]
