"""The configuration of a worker, checked before it takes its first message.

Every value comes from a variable of the environment or from a ``.env`` file that is named on the command
line; the environment wins, and an empty value counts as none.  Nothing else is read: no default AWS
credentials, no profile, no ambient ``DATABASE_URL``.  All problems are reported at once, and none repeats a
secret.  Whether database and queue answer is not checked here.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from models_under_test import database_url
from models_under_test.variables import PREFIX, VARIABLES


class Problem(NamedTuple):
    """One value that is missing or wrong."""

    variable: str
    seen: str  # the value found, without anything secret
    rule: str  # completes "it must be"
    way_out: str

    def __str__(self) -> str:
        return f"{self.variable} is {self.seen}: it must be {self.rule}; {self.way_out}"


class ConfigurationError(ValueError):
    """The configuration cannot be used.  The message has a line for each problem."""

    def __init__(self, problems: Collection[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Configuration:
    """The values of the ``JOBS_`` variables; ``variables.py`` says what each must be.  Durations: seconds."""

    database_url: str
    sqs_endpoint_url: str
    sqs_region: str
    sqs_access_key_id: str
    sqs_secret_access_key: str
    visibility_seconds: int  # for how long a received message stays hidden
    lease_margin_seconds: int  # by how much the lease is shorter than that
    max_receives: int  # receives before a message moves to the DLQ
    inference_cap_seconds: float  # when inference is cut off
    poll_seconds: int  # how long a receive waits for a message
    extend_every_seconds: float  # how often the message is hidden anew during inference; 0: never
    grace_seconds: float  # how long inference may go on after a signal to stop
    worker_id: str  # written to ``locked_by``; the whole fleet may share one
    worker_name: str  # names this process in its log
    log_file: str  # empty: standard output

    @property
    def lease_seconds(self) -> int:
        """How long a lease lasts: it ends ``lease_margin_seconds`` before its message returns."""
        return self.visibility_seconds - self.lease_margin_seconds

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that no log may hold."""
        password = database_url.password_of(self.database_url) if self.database_url else None
        found = (self.sqs_secret_access_key, self.sqs_access_key_id, password)
        return tuple(secret for secret in found if secret)


def read(values: Mapping[str, str | None], needs: Collection[str]) -> Configuration:
    """Return the configuration in ``values`` for a command that needs ``DATABASE``, ``SQS``, both or none.

    A value that is not needed may be missing and is then ``""``; one that is there must be right.  Raises
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
    # A misspelt name would otherwise leave the default in force without a word.
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
    """Return the variables of the ``.env`` file at ``path``, if any, with ``environment`` laid over it.

    Raises :class:`ConfigurationError` when the file cannot be read, or python-dotenv is missing.
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
