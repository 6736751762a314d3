"""Keeps code under test from ending the process unnoticed: ``os._exit(0)`` would look like a pass.

In a step the call is refused and the example is given up; anywhere else the process ends, never with exit
code 0, and says where that was asked for.  Forked children end as they like.

Not seen: an exit of C code that does not pass through Python.  Its run leaves no verdict and no ``run.json``.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from statemachine.world.faults import EndOfExample

_really_exit = os._exit

UNFINISHED = 1
"""The exit code of a process that ends before its verdict."""

playing = 0
"""The identifier of the thread that plays a step of the system; 0 while none does."""
asked = ""
"""What the present step did to end the process; empty if it did nothing."""


class GivenUp(EndOfExample):
    """The example that is being played cannot go on; the message says why."""


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


say: Callable[[str], None] = _say
"""Prints the last line of a process that ends before its verdict."""


def end_process(reason: str, status: int = UNFINISHED) -> NoReturn:
    """End this process at once, whatever it does, with exit code ``status`` (1 for 0) and a last line."""
    try:
        say(f"UNKNOWN  {reason}")
    finally:
        _really_exit(status or UNFINISHED)


@contextmanager
def noticed() -> Iterator[None]:
    """Notice ``os._exit`` of code under test within."""
    # An outer one notices it, or the process that has started this one and waits for its answer.
    if os._exit is not _really_exit or multiprocessing.parent_process() is not None:
        yield
        return
    ours = os.getpid()

    def refused(status: int) -> NoReturn:
        global asked
        if os.getpid() != ours:
            _really_exit(status)
        caller = sys._getframe(1)
        place = f"{caller.f_code.co_filename}:{caller.f_lineno}"
        reason = f"the code under test called os._exit({status}) at {place}, which ends it without a verdict"
        if playing == threading.get_ident():
            asked = reason
            raise GivenUp(reason)
        end_process(reason, status)

    os._exit = refused
    try:
        yield
    finally:
        os._exit = _really_exit
