"""What an invariant is: a claim, judged event by event, that says what it saw when it is broken.

An invariant is a generator over (ledger, event), called after the ledger has taken the event.  Each time the
situation that it speaks of came about, it yields :data:`HELD` if the claim was true and a :class:`Broken`
if not.  A claim that yields nothing was not judged at all; runs count the yields to show that.  No invariant
looks further than the ledger, so none can see a row that was never observed.

To add a claim, write a generator in the module of its subject, decorate it with :func:`invariant`, and put it
into ``ALL`` (``invariants/__init__.py``) at its place in the order of blame.
ARCHITECTURE.md says what else a new claim needs.
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

    what: str  # a call, a column or a count
    expected: str
    actual: str


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken claim, as reports show it."""

    invariant: str  # the claim's name
    subject: str  # the job, or what else it is about
    step: int
    at: float  # seconds from the start
    story: str  # what happened, in one sentence
    compared: tuple[Compared, ...]


class _Held:
    def __repr__(self) -> str:
        return "HELD"


HELD: Final = _Held()


class Broken(NamedTuple):
    """What an invariant yields when its claim is false.  The judge makes a :class:`Violation` of it."""

    subject: str
    story: str
    compared: tuple[Compared, ...]


Judgements = Iterator[_Held | Broken]


@dataclass(frozen=True, slots=True)
class Invariant:
    """A claim, and the events on which it is judged."""

    name: str  # reads as the claim: ``only_the_holder_finishes``
    protects: str  # its docstring, which reports print
    section: str  # of the gate report that it comes from; docs/gate.md has the list
    on: tuple[type[Event], ...]
    judge: Callable[[Ledger, Any], Judgements]
    needs: Operation | None = None  # the optional operation without which it does not apply


def invariant(
    *on: type[Event], section: str, needs: Operation | None = None
) -> Callable[[Callable[[Ledger, Any], Judgements]], Invariant]:
    """Make a claim of a generator function: its name is the claim's, its docstring what the claim protects.

    ``on`` are the events that it is called with.  A claim that ``needs`` an optional operation does not apply
    to a system without it.  Raises ``TypeError`` for a function without a docstring.
    """

    def make(judge: Callable[[Ledger, Any], Judgements]) -> Invariant:
        protects = inspect.getdoc(judge)
        if not protects:
            raise TypeError(f"{judge.__name__} needs a docstring that says what it protects")
        return Invariant(judge.__name__, protects, section, on, judge, needs)

    return make


def broken(subject: str, story: str, *compared: tuple[str, object, object]) -> Broken:
    """Return a :class:`Broken` with (what, expected, actual) lines of any values, as text."""
    return Broken(subject, story, tuple(Compared(what, str(exp), str(act)) for what, exp, act in compared))


_OTHERS = {
    "stray": "a stray call",
    "application": "the application",
    "publisher": "the publisher",
    "sweep": "the sweep",
}


def who(actor: str) -> str:
    """Return how a story names ``actor``: a worker by its name, the others by their role."""
    return _OTHERS.get(actor, f"worker {actor}")
