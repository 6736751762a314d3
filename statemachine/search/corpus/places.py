"""Where a corpus is kept: in a directory, or in a Redis that several machines share.

A directory can be read by eye and travels as a CI artifact; a Redis, used through Hypothesis's example
database, is for runs on several machines at once.  Either holds the same texts under the same names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from statemachine.history.foreign import Unfit, read_text
from statemachine.history.shown import without_passwords

REDIS = ("redis://", "rediss://", "unix://")
SUFFIX = ".ndjson"


class PlaceError(ValueError):
    """A place that cannot be used; the message names one that can."""


class CorpusPlace(Protocol):
    """Stores texts by kind and name.  All methods raise ``OSError`` when the place does not answer."""

    def texts(self, kind: str) -> Iterator[tuple[str, str | Unfit]]:
        """Yield the name, for messages, and the text of each entry, or why it cannot be read."""

    def save(self, kind: str, name: str, text: str) -> None:
        """Save a text whole or not at all; one that is there already stays."""

    def drop(self, kind: str, name: str, text: str) -> None: ...


def place_for(where: str) -> CorpusPlace:
    """Return the place that ``where`` names: a directory, or the address of a Redis.

    Raise :class:`PlaceError` when nothing can be saved there.
    """
    scheme, separator, rest = where.partition("://")
    if f"{scheme.lower()}{separator}" in REDIS:
        return SharedRedis(f"{scheme.lower()}{separator}{rest}")
    if separator or not where.strip() or "\0" in where:
        raise PlaceError(
            f"{without_passwords(where)!r} names no corpus: give a directory, or {REDIS[0]}HOST:PORT/NUMBER"
        )
    folder = Path(where)
    above = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not above.is_dir():
        raise PlaceError(f"{above} is no directory: give another place for the corpus")
    return Directory(folder)


class Directory:
    """A file for each entry, in a folder for each kind; neither is made before there is an entry."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __str__(self) -> str:
        return self.folder.as_posix()

    def texts(self, kind: str) -> Iterator[tuple[str, str | Unfit]]:
        for file in sorted((self.folder / kind).glob(f"*{SUFFIX}")):
            try:
                text: str | Unfit = read_text(file)
            except FileNotFoundError:  # another run has pruned it
                continue
            except PermissionError as error:
                text = Unfit(error.strerror)
            except Unfit as error:
                text = error
            yield file.as_posix(), text

    def save(self, kind: str, name: str, text: str) -> None:
        file = self._file(kind, name)
        # Names are digests of contents: a file of this name has the same steps already.
        if file.exists():
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        # The process's own name for it: several may save the same entry at the same moment.
        part = file.with_name(f"{name}.{os.getpid()}.part")
        try:
            part.write_text(text, encoding="utf-8", newline="\n")
            part.replace(file)
        except OSError:
            part.unlink(missing_ok=True)
            raise

    def drop(self, kind: str, name: str, text: str) -> None:
        self._file(kind, name).unlink(missing_ok=True)

    def _file(self, kind: str, name: str) -> Path:
        return self.folder / kind / f"{name}{SUFFIX}"


class SharedRedis:
    """A set for each kind in Hypothesis's Redis example database, where unused entries expire after 8 days.

    It writes and deletes only below keys of its own.
    """

    def __init__(self, address: str) -> None:
        try:
            from hypothesis.extra.redis import RedisExampleDatabase
            from redis import Redis, RedisError
        except ImportError:
            raise PlaceError(
                f"{without_passwords(address)}: a corpus in Redis needs its client: "
                "pip install 'leased-job-statemachine[fuzz]'"
            ) from None
        # Kept, since redis is optional and cannot be imported by the module.
        self._error: type[Exception] = RedisError
        try:
            client = Redis.from_url(address, socket_timeout=10, socket_connect_timeout=10)
            client.ping()  # from_url does not connect: a wrong address is to fail now, not after the search
        except ValueError:  # its message may quote a piece of the password
            raise PlaceError(
                f"{without_passwords(address)}: this address cannot be read; write "
                f"{REDIS[0]}USER:PASSWORD@HOST:PORT/NUMBER, with every / @ : ? # of the password as "
                "%2F %40 %3A %3F %23"
            ) from None
        except (RedisError, OSError) as error:
            raise PlaceError(
                f"{without_passwords(address)}: no Redis answers there ({error}); start one, or mend the "
                "address"
            ) from None
        self._address = address
        self._database: Any = RedisExampleDatabase(client)

    def __str__(self) -> str:
        return without_passwords(self._address)

    def texts(self, kind: str) -> Iterator[tuple[str, str | Unfit]]:
        found = self._asked("fetch", _key(kind))
        for value in sorted(found):  # a Redis set has no order, and the same corpus must play the same way
            yield f"{self}, {kind}", value.decode("utf-8", errors="replace")

    def save(self, kind: str, name: str, text: str) -> None:
        self._asked("save", _key(kind), text.encode())

    def drop(self, kind: str, name: str, text: str) -> None:
        self._asked("delete", _key(kind), text.encode())

    def _asked(self, what: str, *arguments: bytes) -> list[bytes]:
        try:
            return list(getattr(self._database, what)(*arguments) or ())
        except self._error as error:
            raise OSError(str(error)) from None


def _key(kind: str) -> bytes:
    return f"leased-job-statemachine/{kind}".encode()
