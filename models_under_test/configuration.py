"""What a worker is told from outside, checked before it takes its first message.

Every value comes from a variable of the environment or from a ``.env`` file that is named on the
command line; the environment wins, and an empty value counts as none.  Nothing else is read: no
default AWS credentials, no profile, no ambient ``DATABASE_URL``.  All problems are told at once, and
none repeats a secret.  What it cannot show is whether database and queue answer.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from models_under_test import database_url, domain

PREFIX = "JOBS_"
DATABASE, SQS = "database", "sqs"
"""What a command needs; variables without a default are required by the commands that need theirs."""

LONGEST_VISIBILITY_SECONDS = 43_200
"""SQS hides no message for more than 12 hours."""
LONGEST_POLL_SECONDS = 20
"""SQS answers a receive after 20 s at the latest."""
LONGEST_NAME = 128
"""What the column ``locked_by`` holds."""


class Problem(NamedTuple):
    """``seen`` is what was found, with nothing secret in it."""

    variable: str
    seen: str
    rule: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.variable} is {self.seen}: it must be {self.rule}; {self.way_out}"


class ConfigurationError(ValueError):
    """The worker cannot start; a line for each problem."""

    def __init__(self, problems: Collection[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Configuration:
    """Durations are in seconds.  A worker id is shared by the whole fleet, as deployed fleets do."""

    database_url: str
    sqs_endpoint_url: str
    sqs_region: str
    sqs_access_key_id: str
    sqs_secret_access_key: str
    visibility_seconds: int
    lease_margin_seconds: int
    max_receives: int
    inference_cap_seconds: float
    poll_seconds: int
    extend_every_seconds: float
    grace_seconds: float
    worker_id: str
    worker_name: str
    log_file: str

    @property
    def lease_seconds(self) -> int:
        """The lease ends this much before its message returns."""
        return self.visibility_seconds - self.lease_margin_seconds

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log may hold."""
        password = database_url.password_of(self.database_url) if self.database_url else None
        found = (self.sqs_secret_access_key, self.sqs_access_key_id, password)
        return tuple(secret for secret in found if secret)


@dataclass(frozen=True, slots=True)
class Variable:
    """``read`` turns the text into the value and raises ``ValueError`` where it breaks ``rule``."""

    read: Callable[[str], Any]
    rule: str
    way_out: str
    default: Any = None
    needed_for: str = ""
    shown: Callable[[str], str] = repr


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError
        return number

    return read


def _seconds(low: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        number = float(text)
        if not low <= number or not math.isfinite(number):
            raise ValueError
        return number

    return read


def _endpoint(text: str) -> str:
    split = urlsplit(text)
    if split.scheme not in {"http", "https"} or not split.hostname or split.username or split.query:
        raise ValueError
    _ = split.port
    return text.rstrip("/")


def _database(text: str) -> str:
    found = database_url.database(text)
    if "sqlite3" in found["ENGINE"] and not Path(found["NAME"]).parent.is_dir():
        raise ValueError
    return text


def _plain(text: str) -> str:
    if not text.isprintable() or len(text) > LONGEST_NAME:
        raise ValueError
    return text


def _word(text: str) -> str:
    if not text.isprintable() or " " in text:
        raise ValueError
    return text


def _log_file(text: str) -> str:
    if Path(text).is_dir() or not Path(text).absolute().parent.is_dir():
        raise ValueError
    return text


def _hidden(text: str) -> str:
    return f"a secret of {len(text)} characters"


def _without_user(text: str) -> str:
    return repr(text) if "@" not in text else f"{text.partition('://')[0]!r} and more, with a user in it"


_NAME_RULE = f"at most {LONGEST_NAME} printable characters"

VARIABLES: Mapping[str, Variable] = {
    "JOBS_DATABASE_URL": Variable(
        _database,
        database_url.RULE,
        "name the database; a SQLite file's directory must exist",
        None,
        DATABASE,
        database_url.shown,
    ),
    "JOBS_SQS_ENDPOINT_URL": Variable(
        _endpoint,
        "http(s)://HOST or http(s)://HOST:PORT",
        "name the SQS endpoint; none is ever guessed",
        None,
        SQS,
        _without_user,
    ),
    "JOBS_SQS_REGION": Variable(_word, "a region's name", "write for example us-east-1", None, SQS),
    "JOBS_SQS_ACCESS_KEY_ID": Variable(
        _word,
        "an access key id",
        "name one here: AWS_* variables and profiles are not read",
        None,
        SQS,
        _hidden,
    ),
    "JOBS_SQS_SECRET_ACCESS_KEY": Variable(
        _word, "a secret key", "name one here: AWS_* variables and profiles are not read", None, SQS, _hidden
    ),
    "JOBS_VISIBILITY_SECONDS": Variable(
        _whole(1, LONGEST_VISIBILITY_SECONDS),
        f"a whole number from 1 to {LONGEST_VISIBILITY_SECONDS}",
        f"deployed is {domain.VISIBILITY_SECONDS}",
        domain.VISIBILITY_SECONDS,
    ),
    "JOBS_LEASE_MARGIN_SECONDS": Variable(
        _whole(0, LONGEST_VISIBILITY_SECONDS),
        "a whole number, less than JOBS_VISIBILITY_SECONDS",
        f"deployed is {domain.LEASE_MARGIN_SECONDS}; the lease is the visibility less this, at least 1 s",
        domain.LEASE_MARGIN_SECONDS,
    ),
    "JOBS_MAX_RECEIVES": Variable(
        _whole(1, 1000), "a whole number from 1 to 1000", "deployed is 3", domain.MAX_RECEIVES
    ),
    "JOBS_INFERENCE_CAP_SECONDS": Variable(
        _seconds(0.001), "a number of seconds above 0", "leave it out for JOBS_VISIBILITY_SECONDS"
    ),
    "JOBS_POLL_SECONDS": Variable(
        # 0 would ask only some of SQS's servers, and ask them without end while there is no work.
        _whole(1, LONGEST_POLL_SECONDS),
        f"a whole number from 1 to {LONGEST_POLL_SECONDS}",
        f"leave it out for {LONGEST_POLL_SECONDS}",
        LONGEST_POLL_SECONDS,
    ),
    "JOBS_EXTEND_EVERY_SECONDS": Variable(
        _seconds(0),
        "0 for never, or a number of seconds less than JOBS_VISIBILITY_SECONDS",
        "leave it out for half of JOBS_VISIBILITY_SECONDS",
    ),
    "JOBS_GRACE_SECONDS": Variable(
        _seconds(0), "a number of seconds, 0 or more", "leave it out for 8, less than docker stop waits", 8.0
    ),
    "JOBS_WORKER_ID": Variable(_plain, _NAME_RULE, "leave it out for the pipeline's", ""),
    "JOBS_WORKER_NAME": Variable(
        _plain, _NAME_RULE, "leave it out for the pipeline's and the process id", ""
    ),
    "JOBS_LOG_FILE": Variable(
        _log_file, "a file in a directory that exists", "make the directory, or leave it out for stdout", ""
    ),
}


def read(values: Mapping[str, str | None], needs: Collection[str]) -> Configuration:
    """The configuration in ``values``, for a command that needs ``DATABASE``, ``SQS``, both or none.

    What is not needed may be missing and is then ``""``; what is there must be right.  Raises
    :class:`ConfigurationError`.
    """
    problems = list(_unknown(values))
    found: dict[str, Any] = {}
    for name, variable in VARIABLES.items():
        text = (values.get(name) or "").strip()
        try:
            found[name] = variable.read(text) if text else variable.default
        except ValueError:
            problems.append(Problem(name, variable.shown(text), variable.rule, variable.way_out))
            continue
        if not text and variable.needed_for in needs:
            problems.append(Problem(name, "not set", variable.rule, variable.way_out))
    if not problems:
        _derive(found)
        problems += _contradictions(found)
    if problems:
        raise ConfigurationError(problems)
    by_field = {name.removeprefix(PREFIX).lower(): value for name, value in found.items()}
    return Configuration(**{field.name: by_field[field.name] for field in fields(Configuration)})


def _unknown(values: Mapping[str, str | None]) -> Iterator[Problem]:
    """A misspelt name would otherwise leave the default in force without a word."""
    for name in sorted(values):
        if name.startswith(PREFIX) and name not in VARIABLES:
            close = difflib.get_close_matches(name, VARIABLES, n=1)
            way_out = f"did you mean {close[0]}?" if close else f"the variables are {', '.join(VARIABLES)}"
            yield Problem(name, "set", "a variable that is known here", way_out)


def _derive(found: dict[str, Any]) -> None:
    visibility = found["JOBS_VISIBILITY_SECONDS"]
    derived = {"JOBS_INFERENCE_CAP_SECONDS": float(visibility), "JOBS_EXTEND_EVERY_SECONDS": visibility / 2}
    for name in VARIABLES:
        if found[name] is None:
            found[name] = derived.get(name, "")


def _contradictions(found: Mapping[str, Any]) -> Iterator[Problem]:
    visibility = found["JOBS_VISIBILITY_SECONDS"]
    for name in ("JOBS_LEASE_MARGIN_SECONDS", "JOBS_EXTEND_EVERY_SECONDS"):
        if found[name] >= visibility:
            variable = VARIABLES[name]
            seen = f"{found[name]} where JOBS_VISIBILITY_SECONDS is {visibility}"
            yield Problem(name, seen, variable.rule, variable.way_out)


def from_file(path: str | None, environment: Mapping[str, str]) -> dict[str, str | None]:
    """The ``.env`` file at ``path``, if one is named, with ``environment`` laid over it.

    Raises :class:`ConfigurationError` when there is no such file, or nothing that could read one.
    """
    if path is None:
        return dict(environment)
    way_out = "name a file of lines NAME=value"
    try:
        from dotenv import dotenv_values
    except ImportError:
        rule, way_out = "left out while python-dotenv is missing", "pip install '.[worker]'"
        raise ConfigurationError([Problem("--env-file", repr(path), rule, way_out)]) from None
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        seen = f"{path!r} ({getattr(error, 'strerror', None) or 'no UTF-8 text'})"
        raise ConfigurationError([Problem("--env-file", seen, "a readable file", way_out)]) from None
    named = dotenv_values(stream=StringIO(text), interpolate=False)
    return {**named, **{name: value for name, value in environment.items() if value}}
