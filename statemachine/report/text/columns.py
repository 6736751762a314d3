"""Cells of text side by side: the widths that fit and take the fewest lines, and the lines themselves.

A cell that is too long goes on in the next line, under its own beginning; nothing is ever cut off.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product, zip_longest

GAP = 2
"""Columns between two cells."""

TOGETHER = "\u00a0"
"""A no-break space, between two words that must stay in one line; it is printed as a plain space."""


# The search for the best widths folds the same few cells at the same few widths again and again.
@lru_cache(maxsize=1 << 14)
def folded(text: str, width: int) -> tuple[str, ...]:
    """Return ``text`` in lines of at most ``width`` columns; only a word that is longer is broken.

    A no-break space joins two words, and a newline always ends a line.
    """
    return tuple(
        line.replace(TOGETHER, " ")
        for part in text.split("\n")
        for line in textwrap.wrap(part, width, break_on_hyphens=False) or [""]
    )


def useful_widths(texts: Sequence[str]) -> list[int]:
    """Return the widths at which a text folds differently, widest first: from one line to one word a line.

    Any width between two of them folds as the lower one does, and only takes more room.
    """
    widest = max((len(line) for text in texts for line in text.split("\n")), default=0)
    least = max((len(word) for text in texts for word in text.replace("\n", " ").split(" ")), default=0)
    met = {
        max(len(line) for text in texts for line in folded(text, width))
        for width in range(max(least, 1), widest + 1)
    }
    return sorted(met or {0}, reverse=True)


def fitting(rows: Sequence[Sequence[str]], usual: Sequence[int], room: int) -> Sequence[int]:
    """Return a width for each column, so that ``rows`` with their gaps take at most ``room`` columns.

    Each is at least its ``usual`` width if that fits, else as wide as its widest cell if that fits, else the
    cells are folded into as few lines as possible.
    """
    columns = list(zip(*rows, strict=True))
    room -= GAP * (len(usual) - 1)
    natural = [max(map(len, column)) for column in columns]
    padded = [max(pair) for pair in zip(natural, usual, strict=True)]
    for widths in (padded, natural):
        if sum(widths) <= room:
            return widths
    choices = [choice for choice in product(*map(useful_widths, columns)) if sum(choice) <= room]
    if not choices:
        return squeezed([min(useful_widths(column)) for column in columns], room)
    return min(choices, key=lambda widths: (sum(height(row, widths) for row in rows), -sum(widths)))


def height(cells: Sequence[str], widths: Sequence[int]) -> int:
    """The number of lines that one row takes."""
    return max(len(folded(cell, max(width, 1))) for cell, width in zip(cells, widths, strict=True))


def squeezed(widths: Sequence[int], room: int) -> list[int]:
    """Narrow the widest of ``widths``, column by column, until they fit: long words are broken then."""
    fitting = list(widths)
    while sum(fitting) > room:
        fitting[fitting.index(max(fitting))] -= 1
    return fitting


def side_by_side(cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Yield the lines of one row, ``GAP`` columns between its cells, without blanks at their ends."""
    columns = [folded(cell, max(width, 1)) for cell, width in zip(cells, widths, strict=True)]
    for parts in zip_longest(*columns, fillvalue=""):
        aligned = (part.ljust(width) for part, width in zip(parts, widths, strict=True))
        yield (" " * GAP).join(aligned).rstrip()
