"""The planted defects of a binding, and for each the invariant that must catch it and in which lane.

Both are read from the defect's story, which ends with "Caught by `invariant`.", or with "Caught by
`invariant` in the transactions lane." where the embedded lane cannot see it.

A binding may have an attribute ``minimal``, the shortest history that a person found for a defect: by the
defect's name, a sequence of steps, each an operation's name with its arguments, numbered from 1.
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
    """A planted defect and what is expected of the search for it."""

    name: str
    invariant: str
    """The invariant that its story names."""
    lane: str = EMBEDDED
    """The lane that can see it."""
    by_hand: int | None = None
    """How many steps the history written by hand has; None where there is none."""


def catalogue(binding: Binding) -> list[Planted]:
    """Return all defects of a binding, sorted by name.

    Raise ``BindingError`` for a story that does not end as above, and for a history of no defect.
    """
    by_hand: Mapping[str, Sequence[Any]] = getattr(binding, "minimal", {})
    unknown = sorted(set(by_hand) - set(binding.defects))
    if unknown:
        raise BindingError(
            f"minimal holds a history for {', '.join(unknown)}, which is no defect of the binding; "
            f"its defects are {', '.join(sorted(binding.defects)) or 'none'}"
        )
    return [_planted(name, story, by_hand.get(name)) for name, story in sorted(binding.defects.items())]


def _planted(name: str, story: str, steps: Sequence[Any] | None) -> Planted:
    caught = _CAUGHT_BY.findall(story)
    if len(caught) != 1:
        raise BindingError(
            f"the story of the defect {name} says {len(caught)} times what catches it: "
            "end it once with: Caught by `invariant`."
        )
    invariant, lane = caught[0]
    if invariant not in BY_NAME:
        raise BindingError(
            f"the story of the defect {name} names {invariant}, which is no invariant; "
            f"the invariants are {', '.join(BY_NAME)}"
        )
    if lane and lane not in LANES:
        raise BindingError(f"the story of the defect {name} names the lane {lane}; say {', '.join(LANES)}")
    return Planted(name, invariant, lane or EMBEDDED, None if steps is None else len(steps))
