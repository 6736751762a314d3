"""What an invariant is: a claim, judged event by event, that says what it saw when it is broken.

An invariant is a generator over (ledger, event), called after the ledger has taken the event.  It
yields :data:`HELD` each time the situation it speaks of came about and the claim was true, and a
:class:`Violation` each time it was not; one that yields nothing was not judged at all, and the
count of its yields shows that.  No invariant looks further than the ledger, so none can see a row
that was never observed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from statemachine.history.events import Event
from statemachine.history.ledger import Ledger
from statemachine.lifecycle import Operation


class Compared(NamedTuple):
    """One line of *expected against actual*."""

    what: str
    expected: str
    actual: str


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken claim: about whom, at which step and second, in one sentence, and expected against actual."""

    invariant: str
    subject: str
    step: int
    at: float
    story: str
    compared: tuple[Compared, ...]


class _Held:
    def __repr__(self) -> str:
        return "HELD"


HELD: Final = _Held()


class Broken(NamedTuple):
    """What an invariant yields when its claim is false; the judge adds name, step and time."""

    subject: str
    story: str
    compared: tuple[Compared, ...]


Judgements = Iterator[_Held | Broken]


@dataclass(frozen=True, slots=True)
class Invariant:
    """A claim with the events it is judged on and the section of the gate report it comes from."""

    name: str
    protects: str
    section: str
    on: tuple[type[Event], ...]
    judge: Callable[[Ledger, Any], Judgements]
    needs: Operation | None = None


def invariant(
    *on: type[Event], section: str, needs: Operation | None = None
) -> Callable[[Callable[[Ledger, Any], Judgements]], Invariant]:
    """Make a claim of a generator: its name is the claim, its docstring what the claim protects.

    A claim that ``needs`` an optional operation does not apply to a system without it.
    """

    def make(judge: Callable[[Ledger, Any], Judgements]) -> Invariant:
        protects = inspect.getdoc(judge)
        if not protects:
            raise TypeError(f"{judge.__name__} needs a docstring that says what it protects")
        return Invariant(judge.__name__, protects, section, on, judge, needs)

    return make


def broken(subject: str, story: str, *compared: tuple[str, object, object]) -> Broken:
    return Broken(subject, story, tuple(Compared(what, str(exp), str(act)) for what, exp, act in compared))


_OTHERS = {
    "stray": "a stray call",
    "application": "the application",
    "publisher": "the publisher",
    "sweep": "the sweep",
}


def who(actor: str) -> str:
    """How a story calls the one who acted: all others are workers."""
    return _OTHERS.get(actor, f"worker {actor}")
