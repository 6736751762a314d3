"""A pool of processes, each with one task at a time, which Ctrl-C and failures end at once.

``concurrent.futures`` cannot stop a task that runs, a worker that dies breaks its whole pool and every task
in it, and with ``max_tasks_per_child`` it hangs on Python 3.11.  Each worker here is a process with a pipe
of its own, and ends with its parent, however that ends.  Tasks and results are pickled.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from os import _exit  # by name: the one of ``os`` is watched while code under test runs (world/exits.py)
from typing import Any, Generic, NamedTuple, TypeVar, cast

Task = TypeVar("Task")
Result = TypeVar("Result")


class WorkFailed(Exception):
    """A worker could not do its task; the message names the task, the error and where it was raised."""


class _Failed(NamedTuple):
    reason: str


class _Worker(Generic[Task, Result]):
    def __init__(self, work: Callable[[Task], Result]) -> None:
        # Not forked: a fresh process has no database connection and no frozen clock of ours.  It costs about
        # 1 s of CPU to start, so a worker is kept from task to task.
        context = multiprocessing.get_context("spawn")
        pipe, theirs = context.Pipe()
        self.pipe = pipe
        self.process: BaseProcess = context.Process(target=_serve, args=(theirs, work), daemon=True)
        with _interrupts_ignored():
            self.process.start()
        theirs.close()
        self.task: Task | None = None

    def give(self, task: Task) -> None:
        self.task = task
        with suppress(OSError):  # killed while it was idle: take() will find no answer
            self.pipe.send(task)

    def take(self) -> Result:
        task, self.task = self.task, None
        try:
            answer = self.pipe.recv()
        except (EOFError, OSError):  # gone, or killed in the middle of its answer
            self.process.join()
            raise WorkFailed(
                f"{task}: its process ended with exit code {self.process.exitcode}: was it killed, or out of "
                "memory? run fewer at a time"
            ) from None
        if isinstance(answer, _Failed):
            raise WorkFailed(f"{task}: {answer.reason}")
        return cast(Result, answer)

    def end(self) -> None:
        # SIGTERM is for the parent alone (_serve), and code under test may catch it.
        self.process.kill()
        self.process.join()
        self.pipe.close()


def run_tasks(
    work: Callable[[Task], Result],
    next_task: Callable[[], Task | None],
    jobs: int,
    patience: float = 30,
    lost: Callable[[Task, str], Result] | None = None,
) -> Generator[Result | None]:
    """Yield results as they come, with at most ``jobs`` tasks under way; None after ``patience`` seconds.

    ``work`` must be a function of a module.  ``next_task`` is asked whenever a worker is free; None means
    that there is no task for now, and the end when no worker is busy.  ``lost`` makes the result of a task
    whose process died or failed, from the task and the reason; without it :class:`WorkFailed` is raised.
    Closing the iterator ends all work at once.
    """
    workers: list[_Worker[Task, Result]] = []
    try:
        while True:
            while sum(worker.task is not None for worker in workers) < jobs:
                task = next_task()
                if task is None:
                    break
                idle = next((worker for worker in workers if worker.task is None), None)
                if idle is None:
                    idle = _Worker(work)
                    workers.append(idle)
                idle.give(task)
            busy = {worker.pipe: worker for worker in workers if worker.task is not None}
            if not busy:
                return
            # The pipe of a process that died is ready too: take() then reads the end of it.
            ready = wait(list(busy), patience)
            if not ready:
                yield None
            for pipe in ready:
                worker = busy[cast(Connection, pipe)]
                task = cast(Task, worker.task)
                try:
                    result = worker.take()
                except WorkFailed as error:
                    if lost is None:
                        raise
                    # Even if the process lives: what the failed task left in it would reach the next one.
                    workers.remove(worker)
                    worker.end()
                    result = lost(task, str(error))
                yield result
    finally:
        for worker in workers:
            worker.end()


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ignore Ctrl-C for a moment: a process that is started now inherits that, from its first import on."""
    if threading.current_thread() is not threading.main_thread():  # only that one may set handlers
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(pipe: Connection, work: Callable[[Any], Any]) -> None:
    """Do one task at a time, in a worker process, until its pipe is closed."""
    # Ctrl-C reaches the whole group of processes; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # So may SIGTERM.  Not ignored but caught: processes that the code under test starts must not inherit it.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        while True:
            task = pipe.recv()
            try:
                answer = work(task)
            except Exception as error:  # noqa: BLE001  the parent reports it
                answer = _Failed(_reason(error))
            pipe.send(answer)
    except (EOFError, OSError):  # the parent is gone
        sys.exit(1)


def _end_with_parent() -> None:
    """End this process with its parent: it would go on with its task otherwise, for minutes as measured."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        _exit(1)


def _reason(error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})"
