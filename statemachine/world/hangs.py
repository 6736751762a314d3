"""Watches the steps of a run by the real clock: one that does not end is told and given up.

A thread looks at the step that is being played.  Where Python can be interrupted, :class:`GivenUp` is raised
inside the code under test, by a signal, which also ends a sleep or a wait for a lock; a process that is stuck
in C is ended, since nothing else would ever end it.

Not seen: a hang outside of the steps, in other threads of the system, and one that a debugger looks at.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from statemachine.history.events import StepBegan
from statemachine.world import exits
from statemachine.world.clock import real_seconds
from statemachine.world.exits import GivenUp

if TYPE_CHECKING:
    from statemachine.world.example import Example

DEFAULT_SECONDS = 60.0
"""A step takes milliseconds; the slowest ones wait some seconds for a lock."""
ATTEMPTS = 5
"""Code that catches ``BaseException`` is interrupted again, a second later each time, this often."""
FRAMES_SHOWN = 6

_SIGNAL: int | None = getattr(signal, "SIGURG", None)
# Ignored by default, so one that comes late does no harm, and used by nothing else: code under test may have
# an alarm of its own.

_NOT_THEIRS = tuple(
    f"{os.sep}{name}{os.sep}" for name in ("hypothesis", "_pytest", "pluggy", "greenlet", "freezegun")
)
_OURS = str(Path(__file__).parents[1]) + os.sep
_BEGIN = (
    str(Path(__file__).with_name("lane.py")),
    str(Path(__file__).with_name("operations") / "__init__.py"),
)
"""Where a step or an example begins: what called it is no part of the system."""
_DEBUGGERS = ("pdb", "bdb", "pydevd", "debugpy", "ipdb", "pudb")


class HangWatch:
    """What is watched in this process.  There is one, :data:`WATCH`: a process plays one step at a time."""

    def __init__(self) -> None:
        self.seconds = DEFAULT_SECONDS
        """How long a step may take; 0 watches nothing."""
        self._doing: Callable[[], str] | None = None
        """Says what is being done; None while nothing is watched."""
        self._token = 0
        self._since = 0.0
        self._reason = ""
        """Why the present step is given up; empty while it may go on."""
        self._thread: threading.Thread | None = None
        self._main = 0

    def begin(self, doing: Callable[[], str]) -> None:
        """Note that something begins; ``doing`` says what it is when it hangs."""
        self._token += 1
        self._reason = ""
        self._since = real_seconds()
        self._doing = doing
        exits.playing = threading.get_ident()

    def end(self) -> None:
        """Note that the step has ended.  Raise :class:`GivenUp` if it was, even where its code caught it."""
        self._doing = None
        exits.playing = 0
        reason, self._reason = self._reason or exits.asked, ""
        exits.asked = ""
        if reason:
            raise GivenUp(reason)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch all steps that this thread plays within; only the main thread's can be interrupted."""
        if self._thread is not None or threading.current_thread() is not threading.main_thread():
            yield
            return
        ended = threading.Event()
        self._main = threading.get_ident()
        self._thread = threading.Thread(target=self._watch, args=(ended,), name="hang watch", daemon=True)
        before = signal.signal(_SIGNAL, self._interrupted) if _SIGNAL is not None else None
        self._thread.start()
        try:
            yield
        finally:
            ended.set()
            self._thread.join()
            self._thread = None
            if _SIGNAL is not None and signal.getsignal(_SIGNAL) == self._interrupted:
                signal.signal(_SIGNAL, before)

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        if self._reason and self._doing is not None:
            raise GivenUp(self._reason)

    def _watch(self, ended: threading.Event) -> None:
        attempts, token = 0, 0
        while not ended.wait(min(max(self.seconds / 10, 0.05), 1)):
            doing, present, since = self._doing, self._token, self._since
            if doing is None or not self.seconds or real_seconds() - since < self.seconds:
                continue
            frame = sys._current_frames().get(self._main)
            if frame is None or _is_debugged(frame):
                continue
            if present != token:
                attempts, token = 0, present
                self._reason = f"the system hung for {self.seconds:g} s in {doing()}: {_stack(frame)}"
            attempts += 1
            if self._token != present:
                self._reason = ""
            elif attempts > ATTEMPTS:
                exits.end_process(
                    f"{self._reason}; it cannot be interrupted, so the run ends here; what it had found by "
                    "then is in its corpus"
                )
            else:
                self._interrupt(attempts)

    def _interrupt(self, attempt: int) -> None:
        """Raise :class:`GivenUp` in the main thread."""
        if attempt <= 2 and _SIGNAL is not None and signal.getsignal(_SIGNAL) == self._interrupted:
            with suppress(OSError):
                signal.pthread_kill(self._main, _SIGNAL)
        else:
            raised = ctypes.py_object(_GivenUpAgain)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._main), raised)


class _GivenUpAgain(GivenUp):
    """Raised where the signal did not help; it takes no message."""


WATCH = HangWatch()


@contextmanager
def watched(doing: Callable[[], str]) -> Iterator[None]:
    """Watch what is done within; raise :class:`GivenUp` when it is over if it was given up."""
    WATCH.begin(doing)
    try:
        yield
    finally:
        WATCH.end()


def step_of(example: Example) -> str:
    """Return the call, or else the operation, of the step that ``example`` plays."""
    began = next((event for event in reversed(example.events) if isinstance(event, StepBegan)), None)
    if began is None:
        return "its first step"
    flying = example.in_flight.get(str(began.arguments.get("by", "")))
    if flying is not None:
        call = f"{flying.operation} of {flying.job} by {flying.by}"
    else:
        known = example.ledger.calls.get(example.current_call)
        asked = known.invoked if known is not None else None
        call = (
            f"{asked.operation} of {asked.job or 'all jobs'} by {asked.actor}" if asked else began.operation
        )
    return f"{call} (step {began.step}{', in the drain' if began.drain else ''})"


def _frames(innermost: FrameType) -> Iterator[FrameType]:
    frame: FrameType | None = innermost
    while frame is not None:
        yield frame
        frame = frame.f_back


def _stack(innermost: FrameType) -> str:
    """Return the frames of the code under test, the innermost last."""
    called = takewhile(lambda frame: frame.f_code.co_filename not in _BEGIN, _frames(innermost))
    theirs = [frame for frame in called if _is_theirs(frame.f_code.co_filename)]
    shown = theirs[:FRAMES_SHOWN] or [innermost]
    return " → ".join(
        f"{_short(frame.f_code.co_filename)}:{frame.f_lineno} {frame.f_code.co_name}" for frame in shown[::-1]
    )


def _is_theirs(file: str) -> bool:
    return not file.startswith((_OURS, "<")) and not any(part in file for part in _NOT_THEIRS)


def _short(file: str) -> str:
    here = os.getcwd() + os.sep
    return file.removeprefix(here)


def _is_debugged(innermost: FrameType) -> bool:
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID) is not None:
        return True
    return any(
        frame.f_trace is not None or frame.f_globals.get("__name__", "").partition(".")[0] in _DEBUGGERS
        for frame in _frames(innermost)
    )
