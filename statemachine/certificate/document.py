"""The certificate as a page of Markdown: what was measured, the table, and every goal that is missed."""

from __future__ import annotations

import json
import statistics
import textwrap
from collections.abc import Iterator, Sequence

from statemachine.certificate.catalogue import EMBEDDED
from statemachine.certificate.citation import Certificate
from statemachine.certificate.hunt import Finding
from statemachine.certificate.rows import LONGER_THAN_BY_HAND, MEDIAN_SECONDS, Row, misses
from statemachine.report import WIDTH

COLUMNS = (
    "defect",
    "invariant",
    "found",
    "examples",
    "seconds",
    "steps found",
    "shrunk",
    "by hand",
    "plain machine",
)
MARK = "¹"
NOTHING = "–"
READING = (
    "Each defect and seed is a search of its own, of {examples} examples at most, without an example "
    "database. Pairs are median / worst over the seeds on which it was found. *Examples* and *seconds* are "
    "those until it was found; seconds depend on the machine and its load, the rest does not. *Steps found* "
    "is the failing example as it was met, *shrunk* is what a run reports, *by hand* is the shortest history "
    "that a person wrote, all without the drain. *Plain machine* is a Hypothesis machine of the same "
    "operations with a rule for each and no weights, which gets as many examples: on how many of its seeds "
    "it finds the defect, and after how many examples in the median."
)
GOALS = (
    "Every defect is found on every seed by the invariant that its story names, in less than "
    f"{MEDIAN_SECONDS} s in the median, and shrunk to no more than {LONGER_THAN_BY_HAND} step above the "
    "history by hand."
)


def document(certificate: Certificate, rows: Sequence[Row], command: str) -> str:
    """The whole page; ``command`` is what measures it again."""
    played = [row for row in rows if row.planted.lane == EMBEDDED]
    return "\n".join(
        [
            "# Sensitivity certificate",
            "",
            *_head(certificate, played, command),
            "",
            *table(played),
            "",
            *_missed(played),
            *_other_lanes(rows),
            "",
            # For a reader that is a program; the same figures as in the package.
            f"<!-- certificate: {json.dumps(_figures(certificate))} -->",
            "",
        ]
    )


def _figures(certificate: Certificate) -> dict[str, object]:
    whole = certificate._asdict()
    return {name: whole[name] for name in whole if name not in ("machine", "system", "defects")}


def _head(certificate: Certificate, rows: Sequence[Row], command: str) -> Iterator[str]:
    versions = sorted({found.hypothesis for row in rows for found in (*row.searched, *row.plain)})
    found, measured, seeds = certificate.found, certificate.measured, certificate.seeds
    yield f"**{found} of {measured} defects on {seeds} of {seeds} seeds.**"
    yield f"Measured on {certificate.origin}, with Hypothesis {', '.join(versions)}:"
    yield ""
    yield f"    {command}"
    yield ""
    yield from textwrap.wrap(READING.format(examples=f"{certificate.examples:,}"), WIDTH)


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The table, a line a defect."""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" * len(COLUMNS) + "|"
    for row in rows:
        yield f"| {' | '.join(_cells(row))} |"
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


def _plain(plain: Sequence[Finding]) -> str:
    hits = [found.examples for found in plain if found.invariant]
    if not plain:
        return NOTHING
    return f"{len(hits)}/{len(plain)}" + (f" ({statistics.median(hits):.0f})" if hits else "")


def _missed(rows: Sequence[Row]) -> Iterator[str]:
    yield "## Goals"
    yield ""
    yield from textwrap.wrap(GOALS, WIDTH)
    yield ""
    missed = [sentence for row in rows for sentence in misses(row)]
    if missed:
        yield "Missed:"
        yield ""
        yield from (f"- {sentence}" for sentence in missed)
    else:
        yield "No goal is missed."


def _other_lanes(rows: Sequence[Row]) -> Iterator[str]:
    elsewhere = [row.planted for row in rows if row.planted.lane != EMBEDDED]
    if elsewhere:
        yield ""
        yield "## Defects that the embedded lane cannot see"
        yield ""
        yield "Listed and not played here:"
        yield ""
        yield from (f"- `{one.name}` ({one.lane} lane): `{one.invariant}`" for one in elsewhere)
