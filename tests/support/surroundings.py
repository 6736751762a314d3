"""The same surroundings for every test, however the run was started: under nohup, by CI, by an editor.

What a test starts inherits all of this, so a signal that the run ignores would end none of its children,
and a narrow terminal would fold what they print.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.commandline import REPO

ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Signals that end a program.  Under nohup SIGHUP is ignored, in the background of a shell SIGINT."""

UNSET = (
    *("CI", "PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTHONWARNINGS"),
    *("COLUMNS", "LINES", "TERM", "COLORTERM", "FORCE_COLOR", "NO_COLOR", "PY_COLORS"),
    *("LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES"),
)
"""Variables that change what programs print, or how they run."""

UMASK = 0o022


@contextmanager
def surroundings() -> Iterator[None]:
    """Heed signals, and set working directory, umask, standard input and environment to fixed values."""
    heed_signals()
    if not _is_open(0):
        # Or the next file that is opened would be the standard input of whatever a test starts.
        os.open(os.devnull, os.O_RDONLY)
    umask = os.umask(UMASK)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPO)
        patch.setenv("LANG", "C.UTF-8")
        for name in UNSET:
            patch.delenv(name, raising=False)
        yield
    os.umask(umask)


def heed_signals() -> None:
    """Neither ignore nor block the signals that end a program; what a test starts inherits that."""
    for number in ENDING:
        if signal.getsignal(number) is signal.SIG_IGN:
            usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, usual)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
