"""Write and read a history as NDJSON: a header line, then one event a line, to be cut, grepped and diffed.

The format is versioned and independent of Hypothesis, so that a file can be judged or replayed years later.
A line that cannot be read is an error with its number, never skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from statemachine.history.events import (
    Committed,
    Event,
    FaultStruck,
    Invoked,
    LockGranted,
    LockWaited,
    Observed,
    PublicationQueued,
    Raised,
    Returned,
    StatementBegan,
    StepBegan,
    Unknown,
)
from statemachine.history.foreign import (
    MOST_IN_ARGUMENT,
    Check,
    MustBe,
    Unfit,
    as_number,
    brief,
    fit,
    made,
    parse_line,
    read_text,
)
from statemachine.history.words import counted
from statemachine.lifecycle import Lifecycle, LifecycleError

FORMAT = "leased-job-history"
VERSION = 1


class HistoryError(ValueError):
    """A history file cannot be read.  The message names the file, the line and what is wrong there."""


# The class names are the names in the files: renaming an event breaks every saved history.
KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in Event.__args__}


_ENDS = (Returned, Raised, Unknown)
_OF_A_CALL = (
    *_ENDS,
    *(FaultStruck, StatementBegan, LockWaited, LockGranted, Committed, Observed, PublicationQueued),
)
"""Events of a call that an earlier line began."""

_NEVER_LEFT_OUT = ("late_completion", "offers", "further_terminal")
"""Fields of a lifecycle that every file has had; a later one has its default where a file is older."""

_DURATIONS: Mapping[str, Check] = {
    field.name: as_number for field in fields(Lifecycle) if field.name.endswith("_seconds")
}
"""A binding may say 90.5 s, whatever the annotation."""


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
    return values | {"offers": sorted(lifecycle.offers), "strays": sorted(lifecycle.strays)}


def lifecycle_from_json(values: Any) -> Lifecycle:
    """Return the lifecycle with these values: the reverse of :func:`lifecycle_to_json`.

    Raises :class:`Unfit` for values of another type, and ``LifecycleError`` for a lifecycle that contradicts
    itself.
    """
    if not isinstance(values, dict):
        raise Unfit(f"lifecycle is {brief(values)}, and must be an object")
    for name in _NEVER_LEFT_OUT:
        if name not in values:
            raise Unfit(f"the lifecycle lacks {name}")
    return made(Lifecycle, values, _DURATIONS)


def dumps(header: Header, events: Iterable[Event]) -> str:
    """Return the NDJSON text: the header line, then one line an event, keys in a fixed order."""
    first = {"format": FORMAT, "version": VERSION} | {
        name: getattr(header, name) for name in header.described
    }
    lines = [json.dumps(first | {"lifecycle": lifecycle_to_json(header.lifecycle)})]
    for event in events:
        lines.append(json.dumps({"event": type(event).__name__, **asdict(event)}))
    return "\n".join(lines) + "\n"


def _event_from_json(values: Any) -> Event:
    if not isinstance(values, dict):
        raise Unfit(f"an event is an object, and this is {brief(values)}")
    name = values.pop("event", None)
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise Unfit(f"there is no event {brief(name)}")
    return made(kind, values)


def loads(
    text: str, name: str, check_step: Callable[[StepBegan], None] | None = None
) -> tuple[Header, list[Event]]:
    """Read a history from the text of its file, which errors call ``name``.

    ``check_step`` raises ``ValueError`` for a step that is none of the operations.

    Raises :class:`HistoryError` for an empty, truncated or foreign file, one of another version, and one
    whose events cannot be those of one history.
    """
    # Not splitlines: it would also split at a line separator inside of a JSON string.
    lines = text.removesuffix("\n").split("\n")
    header = _header(lines[0], name)
    events: list[Event] = []
    order = _Order()
    for number, line in enumerate(lines[1:], start=2):
        try:
            event = _event_from_json(parse_line(line))
            order.take(event)
            if check_step is not None and isinstance(event, StepBegan):
                check_step(event)
        except ValueError as error:
            raise HistoryError(
                f"{name}, line {number}: not an event of version {VERSION} ({error}); the file is cut off or "
                "was edited, so download it again"
            ) from None
        events.append(event)
    if not order.steps:
        raise HistoryError(f"{name} holds no step: there is nothing to replay; save or download it again")
    return header, events


def _header(line: str, name: str) -> Header:
    try:
        first = parse_line(line)
    except Unfit:
        first = None
    if not isinstance(first, dict) or first.pop("format", None) != FORMAT:
        raise HistoryError(
            f"{name} is not a history of this project: its first line must be a JSON object with "
            f'"format": "{FORMAT}"; give the history.ndjson that a failing run saved'
        )
    version = first.pop("version", None)
    if type(version) is not int or version != VERSION:
        raise HistoryError(
            f"{name} is a history of version {brief(version)} and this statemachine reads version "
            f"{VERSION}: replay it with the release that wrote it"
        )
    try:
        for described in Header.described:
            if described not in first and described != "lane":  # older files name no lane
                raise Unfit(f"it lacks {described}")
            fit(described, first.get(described), _encodable)
        if "lifecycle" not in first:
            raise Unfit("it lacks the lifecycle")
        return made(Header, first, {"lifecycle": lifecycle_from_json})
    except (Unfit, LifecycleError) as error:
        raise HistoryError(f"{name}, line 1: its header is broken: {error}; save the history again") from None


class _Order:
    """Checks that events follow one another as those of one history do.

    Steps need not rise: a shrunk history may have a later one earlier.
    """

    def __init__(self) -> None:
        self.steps: set[int] = set()
        """Numbers of the steps before the drain."""
        self._draining = False
        self._calls: dict[int, bool] = {}
        """By number: whether the call has ended."""

    def take(self, event: Event) -> None:
        """Take the next event; raise :class:`Unfit` when it cannot follow those before it."""
        if isinstance(event, StepBegan):
            self._step(event)
        elif isinstance(event, Invoked):
            if event.call in self._calls:
                raise Unfit(f"call {event.call} was begun by an earlier line")
            self._calls[event.call] = False
        elif isinstance(event, _OF_A_CALL):
            if event.call not in self._calls:
                raise Unfit(f"call {event.call} was begun by no earlier line")
            if isinstance(event, _ENDS):
                if self._calls[event.call]:
                    raise Unfit(f"call {event.call} was ended by an earlier line")
                self._calls[event.call] = True

    def _step(self, event: StepBegan) -> None:
        if event.step < 1:
            raise Unfit(f"step is {event.step}, and steps are counted from 1")
        for name, value in event.arguments.items():
            if isinstance(value, str):
                fit(name, value, _encodable)
        if event.drain:
            self._draining = True
            return
        if self._draining:
            raise Unfit(f"step {event.step} comes after the drain, which ends a history")
        if event.step in self.steps:
            raise Unfit(f"an earlier line is step {event.step} too")
        self.steps.add(event.step)


_HALF = re.compile(r"[\ud800-\udfff]")


def _encodable(value: Any) -> Any:
    """Check that a text can be given to a database: no half character, no NUL, not without end."""
    if isinstance(value, str):
        if len(value) > MOST_IN_ARGUMENT:
            raise MustBe(f"at most {MOST_IN_ARGUMENT} characters long")
        if "\0" in value or _HALF.search(value):
            raise MustBe("text that UTF-8 and a database can hold")
    return value


def read(path: Path, check_step: Callable[[StepBegan], None] | None = None) -> tuple[Header, list[Event]]:
    """Read the history at ``path``, a file or a failure folder that holds ``history.ndjson``.

    ``check_step`` is that of :func:`loads`.  Raises :class:`HistoryError` when there is none, or when it
    cannot be read.
    """
    file = path
    try:
        file = path / "history.ndjson" if path.is_dir() else path
        inside = sorted(saved.parent.as_posix() for saved in path.glob("*/history.ndjson"))
        if inside and not file.exists():
            raise HistoryError(
                f"{path} holds {counted(len(inside), 'saved failure')}: give one of {', '.join(inside[:5])}"
            )
        return loads(read_text(file), str(file), check_step)
    except HistoryError:
        raise
    except (OSError, ValueError) as error:  # a path may hold a NUL
        reason = getattr(error, "strerror", None) or error
        raise HistoryError(f"{file} cannot be read ({reason}): give a saved history or its folder") from None
