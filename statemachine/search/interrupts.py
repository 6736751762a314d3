"""What ends a run from outside: Ctrl-C, and SIGTERM, by which CI services and ``timeout`` end a job.

Python dies of SIGTERM without a word, and leaves behind what it has started: it is made to interrupt as well.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], None]


def interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` for SIGTERM within, unless somebody handles it already."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is interrupt:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def handled_by(handler: Handler) -> Iterator[None]:
    """Let ``handler`` decide within what Ctrl-C does, and SIGTERM where that interrupts as well."""
    if threading.current_thread() is not threading.main_thread():  # only that one may set handlers
        yield
        return
    numbers = [signal.SIGINT]
    if signal.getsignal(signal.SIGTERM) is interrupt:
        numbers.append(signal.SIGTERM)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, handled in before.items():
            signal.signal(number, handled)
