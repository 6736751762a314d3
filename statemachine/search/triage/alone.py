"""Plays histories in a process in which nothing was played before.

What a search finds may need what an earlier example left in the process: a memo, a cache, a dictionary of a
class, the state of a connection.  So a process is set aside, by a fork, before the first example.  It waits,
and is forked again for each question.  Where processes cannot be forked (Windows), nothing is asked.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from os import _exit  # by name, as in search/pool.py
from typing import NamedTuple

from statemachine.search.triage.failure import Failure
from statemachine.search.triage.script import Steps, play
from statemachine.world.lane import Lane

PATIENCE = 120
"""Seconds until a process that does not answer is given up: it opens a lane and plays some hundred steps."""

OpensLane = Callable[[], AbstractContextManager[Lane]]


class Script(NamedTuple):
    """Steps to play as one example."""

    steps: Steps
    drained: bool = False


class NoAnswer(Exception):
    """The process set aside did not say what came of a question; the message says why."""


class FreshProcess:
    """The process that was set aside; made by :func:`set_aside`."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._late = False

    def play(self, examples: Sequence[Script]) -> Failure | None:
        """Play ``examples`` one after the other in a fresh process; return what the last one breaks.

        Raise :class:`NoAnswer`.
        """
        try:
            if not self._late:
                self._pipe.send(list(examples))
            # An answer that comes too late would be taken for that to the next question: none is asked.
            self._late = self._late or not self._pipe.poll(PATIENCE)
            if self._late:
                raise NoAnswer(f"no answer in {PATIENCE} s")
            answer: Failure | str | None = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise NoAnswer("the process that was set aside is gone") from error
        if isinstance(answer, str):
            raise NoAnswer(answer)
        return answer


@contextmanager
def set_aside(opened: OpensLane) -> Iterator[FreshProcess | None]:
    """Fork a process for later, before the code under test has done anything; None where that is impossible.

    ``opened`` is called there, for each question, and opens a lane on a database of its own.
    """
    if not hasattr(os, "fork"):
        yield None
        return
    ours, theirs = multiprocessing.Pipe()
    process = _forked(lambda: _wait_for_questions(ours, theirs, opened))
    theirs.close()
    try:
        yield FreshProcess(ours)
    finally:
        ours.close()
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def _forked(run: Callable[[], None]) -> int:
    with warnings.catch_warnings():
        # Python warns of threads, pytest-xdist's for instance: the new process needs none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process:
        return process
    try:
        run()
    finally:
        # Nothing of the parent's is to be cleaned up here: neither its buffers nor its databases.
        _exit(1)


def _wait_for_questions(ours: Connection, pipe: Connection, opened: OpensLane) -> None:
    ours.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    while True:
        try:
            examples: list[Script] = pipe.recv()
        except (EOFError, OSError):  # the parent has ended
            _exit(0)
        _, status = os.waitpid(_forked(partial(_answer, pipe, examples, opened)), 0)
        if status:
            pipe.send(f"the process ended with status {status}")


def _answer(pipe: Connection, examples: Sequence[Script], opened: OpensLane) -> None:
    try:
        with opened() as lane:
            for script in examples:
                answer: Failure | str | None = play(lane, script.steps, drained=script.drained).failure
    except BaseException as error:  # noqa: BLE001  nobody else would hear of it
        answer = f"{type(error).__name__}: {error}"
    pipe.send(answer)
    _exit(0)
