"""The planted defects of a binding, with what is expected of each.

What is expected stands where a person reads it: the story of a defect ends with "Caught by
`invariant`.", or "Caught by `invariant` in the transactions lane." where the embedded lane cannot
see it.  It is hunted in that lane.  The histories written by hand are the binding's optional attribute
``minimal``: the name of a defect to its steps, each an operation's name with its arguments, numbered
from 1 by their places.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from statemachine.binding import Binding, BindingError
from statemachine.invariants import BY_NAME

EMBEDDED, TRANSACTIONS = "embedded", "transactions"
LANES = (EMBEDDED, TRANSACTIONS, "processes")

_CAUGHT_BY = re.compile(r"Caught by `(\w+)`(?: in the (\w+) lane)?\.")


class Planted(NamedTuple):
    """A defect: the invariant that its story names, its lane, and the length of its history by hand."""

    name: str
    invariant: str
    lane: str = EMBEDDED
    by_hand: int | None = None


def catalogue(binding: Binding) -> list[Planted]:
    """All defects of a binding by name.  Raises ``BindingError`` for what is said wrongly of one."""
    by_hand: Mapping[str, Sequence[Any]] = getattr(binding, "minimal", {})
    strangers = sorted(set(by_hand) - set(binding.defects))
    if strangers:
        raise BindingError(
            f"minimal holds a history for {', '.join(strangers)}, which is no defect of the binding; "
            f"its defects are {', '.join(sorted(binding.defects)) or 'none'}"
        )
    return [_planted(name, story, by_hand.get(name)) for name, story in sorted(binding.defects.items())]


def _planted(name: str, story: str, steps: Sequence[Any] | None) -> Planted:
    told = _CAUGHT_BY.findall(story)
    if len(told) != 1:
        raise BindingError(
            f"the story of the defect {name} says {len(told)} times what catches it: "
            "end it once with: Caught by `invariant`."
        )
    invariant, lane = told[0]
    if invariant not in BY_NAME:
        raise BindingError(
            f"the story of the defect {name} names {invariant}, which is no invariant; "
            f"the invariants are {', '.join(BY_NAME)}"
        )
    if lane and lane not in LANES:
        raise BindingError(f"the story of the defect {name} names the lane {lane}; say {', '.join(LANES)}")
    return Planted(name, invariant, lane or EMBEDDED, None if steps is None else len(steps))
