"""Read JSON that another machine or another person wrote: within bounds, with the types of our annotations.

Nothing of such a value is used before it is checked.  What does not fit is an error that names the field, the
value and what it must be; a name that nobody knows is an error too, since it is a misspelt one or of a later
release.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import MISSING, fields
from enum import Enum
from functools import cache
from math import isfinite
from pathlib import Path
from reprlib import Repr
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

MOST_BYTES = 64 * 2**20
"""Of a file that is read whole.  The history of an example has 100 kB; logs are read line by line."""
MOST_CHARACTERS = 4 * 2**20
"""Of one line.  An event is one line, and has a few hundred but for what the system itself said."""
MOST_IN_ARGUMENT = 1_000
"""Characters of a text among a step's arguments: a name, or a statement without its values."""
MOST_IN_NAME = 100
"""Characters of a name that a message quotes."""
MOST = 2**63 - 1
"""Of a whole number: what a database can hold."""
MOST_SECONDS = 1e12
"""Of a time: 30,000 years."""

_BRIEF = Repr()
_BRIEF.maxstring = _BRIEF.maxother = 60
_BRIEF.maxlong = 30
_BRIEF.maxlevel = 2

Check = Callable[[Any], Any]
"""Returns its value, as the type that is meant; raises :class:`MustBe`."""


class Unfit(ValueError):
    """A value is not what it must be; the message is a sentence about it."""


class MustBe(ValueError):
    """A check does not hold; the message says only what its value must be."""


def brief(value: object) -> str:
    """Return ``value`` as a message quotes it, shortened."""
    return _BRIEF.repr(value)


def read_text(file: Path) -> str:
    """Return the text of ``file``.

    Raise ``OSError`` when it cannot be read, and :class:`Unfit` when it is no file, no text or longer than
    :data:`MOST_BYTES`.
    """
    # A pipe or a device would be waited for, or read without end.
    if not stat.S_ISREG(file.stat().st_mode):
        raise Unfit("it is a folder" if file.is_dir() else "it is no file")
    with file.open("rb") as stream:
        content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise Unfit(f"it has more than {MOST_BYTES // 2**20} MB")
    try:
        return content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise Unfit("it is not text") from None


def parse(text: str) -> Any:
    """Return the JSON value of one line, or of a whole file.  Raise :class:`Unfit` for anything else."""
    try:
        return json.loads(text, parse_constant=_not_a_number, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise Unfit(f"no JSON: {error.msg} at character {error.pos + 1}") from None
    except Unfit:
        raise
    except RecursionError:
        raise Unfit("it is nested too deeply") from None
    except ValueError:  # of Python itself, which bounds the digits
        raise Unfit("a number in it is too long") from None


def parse_line(text: str) -> Any:
    """Return the JSON value of one line of a file.  Raise :class:`Unfit`."""
    if len(text) > MOST_CHARACTERS:
        raise Unfit(f"it has {len(text)} characters, and at most {MOST_CHARACTERS} are read")
    return parse(text)


def _not_a_number(name: str) -> Any:
    raise Unfit(f"{name} is no number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unfit(f"{brief(twice)} is in it twice")
    return found


# -- values ---------------------------------------------------------------------------------


def as_text(value: Any) -> str:
    if not isinstance(value, str):
        raise MustBe("text")
    return value


def as_whole(value: Any) -> int:
    if type(value) is not int:
        raise MustBe("a whole number")
    if abs(value) > MOST:
        raise MustBe(f"a whole number of at most {MOST}")
    return value


def as_number(value: Any) -> float:
    # A bool is an int to Python, and ``1e400`` infinite.
    if type(value) not in (int, float) or not isfinite(value) or abs(value) > MOST_SECONDS:
        raise MustBe(f"a number of at most {MOST_SECONDS:g}")
    found: float = value
    return found


def as_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise MustBe("true or false")
    return value


def as_nothing(value: Any) -> None:
    if value is not None:
        raise MustBe("null")


def plain_values(value: Any) -> dict[str, Any]:
    """Check an object whose values are text, numbers, true, false or null: the arguments of a step."""
    if not isinstance(value, dict):
        raise MustBe("an object")
    for name, argument in value.items():
        if not isinstance(argument, str | int | float | bool | NoneType):
            raise MustBe(f"an object of texts and numbers; its {brief(name)} is {brief(argument)}")
        if isinstance(argument, float):
            as_number(argument)
    return value


_PLAIN: Mapping[Any, Check] = {
    str: as_text,
    int: as_whole,
    float: as_number,
    bool: as_flag,
    NoneType: as_nothing,
}


@cache
def check_for(annotation: Any) -> Check:
    """Return the check of values that are annotated so: a plain type, an enum, a row, or several of one."""
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return _any_of([check_for(one) for one in inside])
    if origin in (tuple, frozenset, list):
        return _each(origin, check_for(inside[0]))
    if origin is not None and issubclass(origin, Mapping):
        return plain_values
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _one_of(annotation)
    if isinstance(annotation, type) and hasattr(annotation, "_fields"):
        return _row(annotation)
    raise TypeError(f"no value of JSON is {annotation}")


def _any_of(checks: list[Check]) -> Check:
    def check(value: Any) -> Any:
        reasons = []
        for one in checks:
            try:
                return one(value)
            except MustBe as error:
                reasons.append(str(error))
        raise MustBe(" or ".join(reasons))

    return check


def _each(kind: Callable[[Iterable[Any]], Any], check: Check) -> Check:
    def check_each(value: Any) -> Any:
        if not isinstance(value, list):
            raise MustBe("a list")
        try:
            return kind(check(one) for one in value)
        except MustBe as error:
            raise MustBe(f"a list, each of it {error}") from None

    return check_each


def _one_of(kind: type[Enum]) -> Check:
    def check(value: Any) -> Enum:
        # An unhashable value raises TypeError in some releases of Python.
        if isinstance(value, str):
            for member in kind:
                if member.value == value:
                    return member
        raise MustBe(f"one of {', '.join(str(member.value) for member in kind)}")

    return check


def _row(kind: Any) -> Check:
    """Check a list with the fields of a NamedTuple in their order; those with a default may be left out."""
    names = kind._fields
    least = len(names) - len(kind._field_defaults)
    checks = [check_for(hint) for hint in get_type_hints(kind).values()]

    def check(value: Any) -> Any:
        if not isinstance(value, list) or not least <= len(value) <= len(names):
            raise MustBe(f"a list of {', '.join(names)}")
        for name, one, found in zip(names, checks, value, strict=False):
            try:
                one(found)
            except MustBe as error:
                raise MustBe(f"a list whose {name}, here {brief(found)}, is {error}") from None
        return kind(*value)

    return check


# -- objects --------------------------------------------------------------------------------


def fit(name: str, value: Any, check: Check) -> Any:
    """Return ``value`` as ``check`` gives it; raise :class:`Unfit` with a sentence about ``name``."""
    try:
        return check(value)
    except MustBe as error:
        raise Unfit(f"{name} is {brief(value)}, and must be {error}") from None


@cache
def _checks_of(kind: Any, but: frozenset[str]) -> Mapping[str, Check]:
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind) if field.init and field.name not in but]
    return {name: check_for(hints[name]) for name in names}


def made(kind: type[T], values: Mapping[str, Any], checks: Mapping[str, Check] | None = None) -> T:
    """Return the dataclass ``kind`` with these ``values``, each checked by the annotation of its field.

    ``checks`` replaces those of single fields.  Raise :class:`Unfit` for a value of another type, a field
    that is missing or one that ``kind`` does not have; whatever ``kind`` itself raises is passed on.
    """
    own = checks or {}
    known = {**_checks_of(cast(Hashable, kind), frozenset(own)), **own}
    for name in values:
        if name not in known:
            raise Unfit(f"{kind.__name__} has no {brief(name)}")
    found = {name: fit(name, value, known[name]) for name, value in values.items()}
    for field in fields(kind):  # type: ignore[arg-type]
        without = field.default is MISSING and field.default_factory is MISSING
        if field.init and without and field.name not in found:
            raise Unfit(f"{field.name} is missing")
    return kind(**found)
