"""Keeps what code under test does inside of the run: it sends no mail, reaches no server, writes no upload.

Mail goes to ``django.core.mail.outbox``, as in Django's own tests.  File storages and caches in files lie in
a folder of the run.  A connection that Python makes during a call is refused: the run ends with a sentence
that names the server and the place of the call.  ``--allow`` lets each of these pass.

Not seen: connections of C code (libpq) and of other threads, and files that the code opens by itself.
"""

from __future__ import annotations

import shutil
import socket
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from statemachine.binding import BindingError
from statemachine.world.example import ends_with

ALLOWABLE: Mapping[str, str] = {
    "mail": "send mail by the settings' own backend",
    "files": "write to the settings' own storages and caches in files",
    "network": "connect to other servers",
}
"""What ``--allow`` lets code under test do, by its name there."""

allowed: frozenset[str] = frozenset()
"""What it may do in this process, by name."""

_OURS = Path(__file__).parents[1]
_LIBRARIES = tuple(Path(path) for name, path in sysconfig.get_paths().items() if "lib" in name)
_KEPT_BY_TESTS = ("locmem", "dummy", "console")
"""Backends of mail by which nothing leaves the process."""


def parse(asked: str) -> frozenset[str]:
    """Return the names in ``asked``, between commas.  Raise ``ValueError`` for one that is none of them."""
    names = frozenset(name for name in asked.replace(" ", "").split(",") if name)
    unknown = sorted(names - ALLOWABLE.keys())
    if unknown:
        raise ValueError(
            f"--allow {', '.join(unknown)}: what can be allowed is {', '.join(ALLOWABLE)}, between commas"
        )
    return names


@contextmanager
def kept_inside() -> Iterator[None]:
    """Keep inside, for a while, what is not :data:`allowed`.  Django must be set up."""
    from django.test.utils import override_settings

    with ExitStack() as stack:
        changed: dict[str, Any] = {}
        if "mail" not in allowed:
            changed |= _mail()
        if "files" not in allowed:
            # Made by the first file that is written: most systems write none, and a kill would leave it.
            folder = Path(tempfile.gettempdir()) / f"statemachine-files-{uuid4().hex}"
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            changed |= _files(folder)
        if changed:
            stack.enter_context(override_settings(**changed))
        if "network" not in allowed:
            stack.enter_context(_refusing())
        yield


def forget() -> None:
    """Forget the mail of the example before."""
    mail = sys.modules.get("django.core.mail")
    if mail is not None and hasattr(mail, "outbox"):
        mail.outbox.clear()


def _mail() -> dict[str, Any]:
    from django.conf import settings

    if settings.EMAIL_BACKEND.split(".")[-2] in _KEPT_BY_TESTS:
        return {}
    return {"EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend"}


def _files(folder: Path) -> dict[str, Any]:
    from django.conf import settings
    from django.core.cache.backends.filebased import FileBasedCache
    from django.core.files.storage import FileSystemStorage

    changed: dict[str, Any] = {"MEDIA_ROOT": str(folder / "media")}
    storages = {
        alias: {**entry, "OPTIONS": {**entry.get("OPTIONS", {}), "location": str(folder / alias)}}
        for alias, entry in settings.STORAGES.items()
        if alias != "staticfiles" and _is_a(entry["BACKEND"], FileSystemStorage)
    }
    if storages:
        changed["STORAGES"] = {**settings.STORAGES, **storages}
    caches = {
        alias: {**entry, "LOCATION": str(folder / f"cache-{alias}")}
        for alias, entry in settings.CACHES.items()
        if _is_a(entry["BACKEND"], FileBasedCache)
    }
    if caches:
        changed["CACHES"] = {**settings.CACHES, **caches}
    return changed


def _is_a(path: str, kind: type) -> bool:
    from django.utils.module_loading import import_string

    try:
        return issubclass(import_string(path), kind)
    except ImportError:  # a backend that is not installed fails where it is used
        return False


@contextmanager
def _refusing() -> Iterator[None]:
    """Refuse, within, each connection that is asked for in a call on the system."""
    if "connect" in vars(socket.socket):  # refused already: a lane is open
        yield
        return
    asked = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex")}
    for name, connect in asked.items():
        setattr(socket.socket, name, _refused(connect))
    try:
        yield
    finally:
        for name in asked:
            # They are inherited from the C class.
            delattr(socket.socket, name)


def _refused(connect: Callable[..., Any]) -> Callable[..., Any]:
    def checked(self: socket.socket, address: Any) -> Any:
        sentence = (
            f"the code under test connects to {_shown(address)}{_place()}: give it a stand-in in the "
            "settings or the binding, or give --allow network to pytest and check-binding"
        )
        if ends_with(BindingError(sentence)):
            raise ConnectionRefusedError(sentence)
        return connect(self, address)

    return checked


def _shown(address: Any) -> str:
    if isinstance(address, tuple):
        return ":".join(map(str, address[:2]))
    return address.decode(errors="replace") if isinstance(address, bytes) else str(address)


def _place() -> str:
    """Return `` at FILE:LINE`` of the user's own code, the innermost; empty where there is none."""
    frame = sys._getframe(2)
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if not file.is_relative_to(_OURS) and not any(file.is_relative_to(path) for path in _LIBRARIES):
            return f" at {file}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return ""
