"""A broken claim with the lines that show it, as ``FILE:LINE`` and what stands there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from statemachine.history.words import counted
from statemachine.invariants import BY_NAME
from statemachine.logs.judging import Cited
from statemachine.logs.lines import Place
from statemachine.logs.reading import texts
from statemachine.report.text.paper import MARGIN, WIDE, Paper

MOST_OF_A_NAME = 40
UNREADABLE = "(this line cannot be read again)"


def evidence(cited: Cited, with_lines: bool = True, paper: Paper = WIDE) -> Iterator[str]:
    """The claim, its story, expected against actual, and the lines about the job, as wide as ``paper``.

    Without ``with_lines`` only the line that shows it is given.
    """
    seen = cited.violation
    claim = BY_NAME[seen.invariant]
    yield f"FAIL  {seen.invariant}"
    yield from paper.wrap(seen.story, MARGIN)
    yield from paper.wrap(f"{claim.protects.splitlines()[0]} (gate report {claim.section})", MARGIN)
    for what, expected, actual in seen.compared:
        yield from paper.wrap(f"{what}: expected {expected}, found {actual}", MARGIN)
    if cited.others:
        yield f"      ({counted(cited.others, 'more failure')} of this kind)"
    yield ""
    yield from _lines(cited if with_lines else cited._replace(trail=()), paper)


def _lines(cited: Cited, paper: Paper) -> Iterator[str]:
    """The lines about the job, in the order in which they were judged; the one that shows it is marked."""
    places = list(cited.trail)
    if cited.line.place not in places:
        places.append(cited.line.place)
    found, named = texts(places), _short_names(places)
    width = max(len(name) for name in named.values())
    for place in places:
        mark = paper.spelt("✗") if place == cited.line.place else " "
        said = _said(found[place]) if place in found else UNREADABLE
        yield _shortened(f"  {mark} {named[place]:<{width}}  {paper.spelt(said)}", paper)


def _said(text: str) -> str:
    """A line in few words: its time of day, its worker and its sentence, or the text if it is no JSON."""
    try:
        values: Any = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict) or not values.get("event"):
        return " ".join(text.split())
    told = " ".join(str(values.get("text") or values["event"]).split())
    return f"{str(values.get('at', ''))[11:26]}  {values.get('worker', '')}  {told}"


def _short_names(places: Iterable[Place]) -> dict[Place, str]:
    """Each place as ``file:line``, without the folder where the names stay distinct."""
    files = {place.file for place in places}
    last = {file: file.replace("\\", "/").rpartition("/")[2] for file in files}
    if len(set(last.values())) < len(files):
        last = {file: file for file in files}
    return {place: f"{last[place.file][-MOST_OF_A_NAME:]}:{place.number}" for place in places}


def _shortened(text: str, paper: Paper) -> str:
    more = paper.spelt("…")
    return text if len(text) <= paper.width else f"{text[: paper.width - len(more)]}{more}"
