"""A broken claim with the lines that show it, as ``FILE:LINE`` and what stands there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from statemachine.logs.judging import Cited
from statemachine.logs.lines import Place
from statemachine.logs.reading import texts
from statemachine.report import WIDTH


def evidence(cited: Cited) -> Iterator[str]:
    """The claim, its story, expected against actual, and all lines about the job that are kept."""
    broken = cited.violation
    yield f"FAIL  {broken.invariant}"
    yield f"      {broken.story}"
    for compared in broken.compared:
        yield f"      {compared.what}: expected {compared.expected}, got {compared.actual}"
    if cited.others:
        yield f"      (and {cited.others} more like it)"
    found = texts((*cited.trail, cited.line.place))
    for place in sorted({*cited.trail, cited.line.place}, key=lambda place: _time(found.get(place, ""))):
        mark = "✗" if place == cited.line.place else " "
        yield f"  {mark} {_short(place, found.get(place, ''))}"


def _read(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _time(text: str) -> str:
    return str(_read(text).get("at", ""))


def _short(place: Place, text: str) -> str:
    values = _read(text)
    where = f"{place.file.rpartition('/')[2]}:{place.number}"
    when = str(values.get("at", ""))[11:23]
    said = str(values.get("text", text)).strip()
    return f"{where}  {when} {said}"[: WIDTH - 4]
