"""Write and read a history as NDJSON: a header line, then one event a line, to be cut, grepped and diffed.

The format is versioned and independent of Hypothesis, so that a file can be judged or replayed years later.
A line that cannot be read is an error with its number, never skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from statemachine.history.events import Assumed, Event, Invoked, Observed, Returned, RowRead, StepBegan
from statemachine.lifecycle import Answer, JobRow, Lifecycle, LifecycleError, Operation

FORMAT = "leased-job-history"
VERSION = 1


class HistoryError(ValueError):
    """A history file cannot be read.  The message names the file, the line and what is wrong there."""


# The class names are the names in the files: renaming an event breaks every saved history.
KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in Event.__args__}


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a file: where the history comes from, and the lifecycle by which it is judged."""

    binding: str  # package.module:Factory
    lifecycle: Lifecycle
    seed: int | None = None
    defect: str | None = None  # the planted bug, if any
    lane: str = "embedded"

    described: ClassVar[tuple[str, ...]] = ("binding", "seed", "defect", "lane")


def lifecycle_to_json(lifecycle: Lifecycle) -> dict[str, Any]:
    """Return the fields of ``lifecycle`` as JSON values, without the derived ones."""
    values = {f.name: getattr(lifecycle, f.name) for f in fields(lifecycle) if f.init}
    return values | {"offers": sorted(lifecycle.offers)}


def lifecycle_from_json(values: Mapping[str, Any]) -> Lifecycle:
    """Return the lifecycle with these values: the reverse of :func:`lifecycle_to_json`.

    Raises ``KeyError``, ``TypeError``, ``ValueError`` or ``LifecycleError`` for values of anything else.
    """
    known = dict(values)
    known["late_completion"] = Answer(known["late_completion"])
    if known.get("late_renewal") is not None:  # older files have none
        known["late_renewal"] = Answer(known["late_renewal"])
    known["offers"] = frozenset(map(Operation, known["offers"]))
    known["further_terminal"] = tuple(known["further_terminal"])
    return Lifecycle(**known)


def dumps(header: Header, events: Iterable[Event]) -> str:
    """Return the NDJSON text: the header line, then one line an event, keys in a fixed order."""
    first = {"format": FORMAT, "version": VERSION} | {
        name: getattr(header, name) for name in header.described
    }
    lines = [json.dumps(first | {"lifecycle": lifecycle_to_json(header.lifecycle)})]
    for event in events:
        lines.append(json.dumps({"event": type(event).__name__, **asdict(event)}))
    return "\n".join(lines) + "\n"


def _event_from_json(values: dict[str, Any]) -> Event:
    kind = KINDS[values.pop("event")]
    if kind is Observed:
        values["rows"] = tuple(JobRow(*row) for row in values["rows"])
        values["gone"] = tuple(values["gone"])
    elif kind is StepBegan:
        plain = (str, int, float, bool, type(None))
        if type(values["step"]) is not int or not all(
            isinstance(v, plain) for v in values["arguments"].values()
        ):
            raise ValueError("a step needs a number, and arguments that are text or numbers")
    elif kind is Invoked:
        values["operation"] = Operation(values["operation"])
    elif kind is Returned:
        values["answer"] = Answer(values["answer"])
    elif kind in (Assumed, RowRead):
        values["row"] = JobRow(*values["row"])
    return kind(**values)


_BROKEN = (KeyError, TypeError, ValueError, AttributeError, RecursionError)
"""What reading a line of another origin can raise."""


def loads(text: str, name: str) -> tuple[Header, list[Event]]:
    """Read a history from the text of its file, which errors call ``name``.

    Raises :class:`HistoryError` for an empty, truncated or foreign file, or one of another version.
    """
    # Not splitlines: it would also split at a line separator inside of a JSON string.
    lines = text.removesuffix("\n").split("\n")
    try:
        first = json.loads(lines[0])
        if first["format"] != FORMAT:
            raise KeyError(first["format"])
    except (IndexError, *_BROKEN):
        raise HistoryError(
            f"{name} is not a history of this project: its first line must be a JSON object with "
            f'"format": "{FORMAT}"; give the history.ndjson that a failing run saved'
        ) from None
    if first.get("version") != VERSION:
        raise HistoryError(
            f"{name} is a history of version {first.get('version')!r} and this statemachine reads version "
            f"{VERSION}: replay it with the release that wrote it"
        )
    try:
        header = Header(
            lifecycle=lifecycle_from_json(first["lifecycle"]),
            # Older files name no lane.
            **{name: first[name] for name in Header.described if name != "lane" or name in first},
        )
    except (*_BROKEN, LifecycleError) as error:
        raise HistoryError(
            f"{name}, line 1: its header is broken ({error!r}); save the history again"
        ) from None
    events: list[Event] = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            events.append(_event_from_json(json.loads(line)))
        except _BROKEN as error:
            raise HistoryError(
                f"{name}, line {number}: not an event of version {VERSION} "
                f"({type(error).__name__}: {error}); the file is cut off or was edited, so download it again"
            ) from None
    if not any(isinstance(event, StepBegan) for event in events):
        raise HistoryError(f"{name} holds no step: there is nothing to replay; save or download it again")
    return header, events


def read(path: Path) -> tuple[Header, list[Event]]:
    """Read the history at ``path``, a file or a failure folder that holds ``history.ndjson``.

    Raises :class:`HistoryError` when there is none, or when it cannot be read.
    """
    file = path / "history.ndjson" if path.is_dir() else path
    inside = sorted(saved.parent.as_posix() for saved in path.glob("*/history.ndjson"))
    if inside and not file.exists():
        raise HistoryError(f"{path} holds {len(inside)} saved failures: give one of {', '.join(inside[:5])}")
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise HistoryError(f"{file} cannot be read ({reason}): give a saved history or its folder") from None
    return loads(text, str(file))
