"""A failure as a value: the claim that broke, and the history that breaks it."""

from __future__ import annotations

from dataclasses import dataclass

from statemachine.history.events import Event, StepBegan
from statemachine.invariants import Violation
from statemachine.search.triage.signature import Signature, signature_of
from statemachine.world.example import Example


@dataclass(frozen=True)
class Failure:
    """A broken claim with the history that breaks it, from its first step to the failing one."""

    headline: Violation
    """The violation that is reported."""
    others: tuple[Violation, ...]
    """What else the failing step broke."""
    events: tuple[Event, ...]
    """The history, which ends with the failing step."""
    signature: Signature
    """Failures with equal signatures are one finding."""

    @classmethod
    def of(cls, example: Example) -> Failure | None:
        """Return what broke in ``example``, or None."""
        headline = example.judge.headline()
        if headline is None:
            return None
        others = tuple(seen for seen in example.judge.violations if seen is not headline)
        signature = signature_of(example.ledger, example.events, headline)
        return cls(headline, others, tuple(example.events), signature)

    @property
    def steps(self) -> list[StepBegan]:
        """The beginnings of all steps, those of the drain included."""
        return [event for event in self.events if isinstance(event, StepBegan)]
