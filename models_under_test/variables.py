"""The variables of a worker as data: what each must be, and what to do when it is not.

Messages show a secret by its length only, and a URL without the part that may hold a password.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
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


@dataclass(frozen=True, slots=True)
class Variable:
    """One ``JOBS_`` variable."""

    read: Callable[[str], Any]  # turns the text into the value; ValueError where it breaks ``rule``
    rule: str  # completes "it must be"
    way_out: str
    default: Any = None  # None: derived from others, or needed
    needed_for: str = ""  # DATABASE or SQS: the commands that must have it
    shown: Callable[[str], str] = repr  # how messages show a wrong value


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
