"""The ids of jobs and receipts as the system under test sees them: each occurs once in the life of a process.

A history calls a job ``j4``, whichever example it is from.  A process may remember ids: in a memo, a cache, a
dictionary of a class.  In production an id means one thing for ever, so the ``j4`` of one example must not be
the ``j4`` of an earlier one for the code under test.
"""

from __future__ import annotations

from itertools import count

_EXAMPLES = count(1)


class Ids:
    """Gives and takes back the ids of one example: what a history calls ``j4`` is ``e12-j4`` to the system.

    All ids of an example begin alike, so they have the order of their names.
    """

    def __init__(self) -> None:
        self._prefix = f"e{next(_EXAMPLES)}-"

    def of(self, name: str) -> str:
        """Return the id that the system sees for a name of the history; empty for an empty one.

        >>> ids = Ids()
        >>> ids.named(ids.of("j4")), ids.of("")
        ('j4', '')
        """
        return self._prefix + name if name else ""

    def named(self, seen: str) -> str:
        """Return a text of the system with the names of the history in place of its ids."""
        return seen.replace(self._prefix, "")
