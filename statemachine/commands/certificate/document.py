"""The certificate as a page of Markdown: what was measured, the tables, and every goal that is missed."""

from __future__ import annotations

import json
import statistics
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence

from statemachine.commands.certificate.catalogue import EMBEDDED, LANES, TRANSACTIONS
from statemachine.commands.certificate.citation import Certificate, figures
from statemachine.commands.certificate.hunt import HuntResult
from statemachine.commands.certificate.rows import GOALS, Row, misses
from statemachine.report.text.paper import WIDTH

COLUMNS = ("defect", "invariant", "found", "examples", "seconds", "steps found", "shrunk", "by hand")
PLAIN_COLUMN = "plain machine"
MARK = "¹"
NOTHING = "–"
READING = (
    "Each defect and seed is a search of its own, of {examples} examples at most, without an example "
    "database. "
)
READING_COLUMNS = (
    "Pairs are median / worst over the seeds on which it was found. *Examples* and *seconds* are "
    "those until it was found; seconds depend on the machine and its load, the rest does not. *Steps found* "
    "is the failing example as it was met, *shrunk* is what a run reports, *by hand* is the shortest history "
    "that a person wrote, all without the drain."
)
READING_PLAIN = (
    " *Plain machine* is a Hypothesis machine of the same operations with a rule for each and no weights, "
    "which gets as many examples: on how many of its seeds it finds the defect, and after how many examples "
    "in the median."
)
READING_INTERLEAVED = (
    "They take two transactions at once, and are hunted by the [transactions lane](transactions.md) on the "
    "same seeds, on {servers}: each defect and seed is a search of its own on a new database, of {examples} "
    "examples at most. The columns are those above, and each statement that is chosen is a step."
)
GOAL = "Every defect is found on every seed by the invariant that its story names"
GOALS_IN_WORDS: Mapping[str, str] = {
    EMBEDDED: (
        f"{GOAL}, in less than {GOALS[EMBEDDED].median_seconds} s in the median, and shrunk to no more than "
        f"{GOALS[EMBEDDED].longer_than_by_hand} step above the history by hand."
    ),
    TRANSACTIONS: (
        f"{GOAL}, and shrunk to no more than {GOALS[TRANSACTIONS].longer_than_by_hand} steps above the "
        "history by hand."
    ),
}


def document(certificate: Certificate, rows: Sequence[Row], command: str, missing: str = "") -> str:
    """Return the whole page.

    ``command`` is the command line that measures it again.  ``missing`` says why the transactions lane was
    not played and how to get what it needs; empty when it was.
    """
    whole = [row for row in rows if row.planted.lane == EMBEDDED]
    return "\n".join(
        [
            "# Sensitivity certificate",
            "",
            *_head(certificate, rows, command),
            "",
            *_reading(certificate, whole),
            *(["", *table(whole), "", "## Goals", "", *_goals(whole, EMBEDDED)] if whole else []),
            *_other_lanes(certificate, [row for row in rows if row not in whole], missing),
            "",
            # For programs: the same figures as in certificate.json.
            f"<!-- certificate: {json.dumps(figures(certificate))} -->",
            "",
        ]
    )


def _head(certificate: Certificate, rows: Sequence[Row], command: str) -> Iterator[str]:
    versions = _named(rows, lambda found: found.hypothesis)
    seeds = certificate.seeds
    yield f"**{certificate.counts()} on {seeds} of {seeds} seeds.**"
    yield f"Measured on {certificate.origin}, with Hypothesis {versions}:"
    yield ""
    yield f"    {command}"


def _reading(certificate: Certificate, whole: Sequence[Row]) -> Iterator[str]:
    """Yield how to read the tables; ``whole`` are the rows of the embedded lane."""
    own = READING.format(examples=f"{certificate.examples:,}") if whole else ""
    yield from textwrap.wrap(
        f"{own}{READING_COLUMNS}{READING_PLAIN if _hunted_plainly(whole) else ''}", WIDTH
    )


def _hunted_plainly(rows: Sequence[Row]) -> bool:
    return any(row.plain for row in rows)


def _named(rows: Sequence[Row], of: Callable[[HuntResult], str]) -> str:
    """Return the values of one field of the results, each once."""
    return ", ".join(sorted({of(found) for row in rows for found in (*row.searched, *row.plain)}))


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the table of a lane, a line for each defect; with a column of the baseline if it was measured."""
    columns = (*COLUMNS, PLAIN_COLUMN) if _hunted_plainly(rows) else COLUMNS
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for row in rows:
        yield f"| {' | '.join(_cells(row)[: len(columns)])} |"
    if any(row.by_others for row in rows):
        yield ""
        yield f"{MARK} On some seeds another invariant caught it; see below."


def _cells(row: Row) -> list[str]:
    hits, by_hand = row.hits, row.planted.by_hand
    return [
        row.planted.name,
        row.planted.invariant + (MARK if row.by_others else ""),
        f"{len(hits)}/{len(row.searched)}",
        _pair([found.examples for found in hits], 0),
        _pair([found.seconds for found in hits], 1),
        _pair([found.steps for found in hits], 0),
        _pair([found.shrunk for found in hits], 0),
        NOTHING if by_hand is None else str(by_hand),
        _plain(row.plain),
    ]


def _pair(figures: Sequence[float], digits: int) -> str:
    if not figures:
        return NOTHING
    return f"{statistics.median(figures):.{digits}f} / {max(figures):.{digits}f}"


def _plain(plain: Sequence[HuntResult]) -> str:
    hits = [found.examples for found in plain if found.invariant]
    if not plain:
        return NOTHING
    return f"{len(hits)}/{len(plain)}" + (f" ({statistics.median(hits):.0f})" if hits else "")


def _goals(rows: Sequence[Row], lane: str) -> Iterator[str]:
    yield from textwrap.wrap(GOALS_IN_WORDS[lane], WIDTH)
    yield ""
    missed = [sentence for row in rows for sentence in misses(row)]
    if missed:
        yield "Missed:"
        yield ""
        yield from (f"- {sentence}" for sentence in missed)
    else:
        yield "No goal is missed."


def _other_lanes(certificate: Certificate, rows: Sequence[Row], missing: str) -> Iterator[str]:
    if rows:
        yield ""
        yield "## Defects that the embedded lane cannot see"
    played = [row for row in rows if row.played]
    if played and certificate.transactions is not None:
        servers = _named(played, lambda found: found.server)
        examples = f"{certificate.transactions.examples:,}"
        yield ""
        yield from textwrap.wrap(READING_INTERLEAVED.format(servers=servers, examples=examples), WIDTH)
        yield ""
        yield from table(played)
        yield ""
        yield from _goals(played, TRANSACTIONS)
    for lane in LANES:
        listed = [row.planted for row in rows if row.planted.lane == lane and not row.played]
        why = f", since {missing}" if missing and lane == TRANSACTIONS else ""
        if listed:
            yield ""
            yield from textwrap.wrap(f"Listed and not played here{why}:", WIDTH)
            yield ""
            yield from (f"- `{one.name}` ({one.lane} lane): `{one.invariant}`" for one in listed)
