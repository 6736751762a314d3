"""What a binding adds so that its real workers can be run: a fleet for each pipeline.

``python -m statemachine processes`` configures Django by :meth:`FleetBinding.environment`, then asks
:meth:`FleetBinding.fleets` for objects like :class:`Fleet`.  That a worker does what its log says is not
checked here: the rows at the end of a run are.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

from statemachine.binding.port import Binding, ObservedRow
from statemachine.lifecycle import Lifecycle


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the processes of one run meet, and the durations that they work with."""

    database_url: str = field(repr=False)
    """The run's own database.  Not in the repr: it may hold a password."""
    sqs_endpoint: str
    """The run's own queue server, ``http://127.0.0.1:PORT``."""
    directory: Path
    """A temporary directory of the run."""
    visibility_seconds: int = 3
    """The visibility timeout.  Real processes cannot share a frozen clock, so it is a few seconds."""
    margin_seconds: int = 1
    """By how many seconds the lease is shorter than the visibility timeout."""
    max_receives: int = 3
    """How often a message may be received before it moves to the DLQ."""
    defect: str | None = None
    """The planted bug that the workers are to have, if any."""

    @property
    def lease_seconds(self) -> int:
        """The length of a lease, in seconds."""
        return self.visibility_seconds - self.margin_seconds


class FleetError(RuntimeError):
    """The workers cannot be run as their fleet says; the message names the command and how it ended."""


class End(StrEnum):
    """How the inference of a job is to end."""

    COMPLETE = "complete"
    """With a result."""
    FAIL = "fail"
    """With an error that another attempt would meet again."""


class Work(NamedTuple):
    """What each attempt at a job is to do."""

    seconds: float
    """How long inference takes."""
    ends: End = End.COMPLETE
    """How it ends."""
    transient_attempts: int = 0
    """How many first attempts end in a transient error instead."""


class Stop(StrEnum):
    """The ways in which a worker is stopped."""

    CTRL_C = "ctrl-c"
    """As by an operator at the terminal."""
    TERM = "term"
    """As by a deployment: the worker may finish what it is doing."""
    KILL = "kill"
    """As by the kernel: at once, in the middle of anything."""


SIGNALS: Mapping[Stop, signal.Signals] = {
    Stop.CTRL_C: signal.SIGINT,
    Stop.TERM: signal.SIGTERM,
    # Windows has no SIGKILL; real workers are refused there, and this module must still import.
    Stop.KILL: getattr(signal, "SIGKILL", signal.SIGTERM),
}
"""The signal for each way of stopping, where the fleet has no command for it."""


class Fleet(Protocol):
    """The workers of one pipeline, and what feeds them."""

    name: str
    """The pipeline's name, as reports call it."""
    binding: str
    """The path, ``package.module:Factory``, of the binding whose statuses the workers' logs use."""
    lifecycle: Lifecycle
    """The pipeline's lifecycle with the durations of the stage."""
    tenants: Sequence[str]
    """The tenants that jobs are created for."""
    queues: tuple[str, str]
    """The names of its queue and of that queue's DLQ."""
    stop_commands: Mapping[Stop, Sequence[str]]
    """Commands that stop a worker where a signal to the started process does not reach it; ``{}`` for none.

    ``("docker", "kill", "{name}")``, say: ``{name}`` stands for the worker's name.  They must end the started
    process as well.  Such a worker cannot be frozen, so the gate can be run, and a fault plan cannot.
    """

    def command(self, worker: str) -> Sequence[str]:
        """Return the command that starts one worker in the foreground.

        The worker logs JSON lines, as docs/logs.md describes, to standard output.
        """

    def environment(self, worker: str) -> Mapping[str, str]:
        """Return the variables of this worker, to be added to those of the run."""

    def create_queues(self) -> None:
        """Create the queue and its DLQ."""

    def enqueue(self, job: str, tenant: str, work: Work) -> Sequence[str]:
        """Create a job and send its message.  Return the log lines that say so."""

    def send_again(self, job: str, tenant: str) -> Sequence[str]:
        """Send one more message of a job, as after a send without an answer.  Return the log lines."""

    def observe(self, jobs: Sequence[str]) -> Iterable[ObservedRow]:
        """Return the committed rows of these jobs with their result counts."""


class FleetBinding(Binding, Protocol):
    """A binding whose workers can be run."""

    def environment(self, stage: Stage) -> Mapping[str, str]:
        """Return the variables by which the settings module and the workers find the stage.

        Called before Django is configured.
        """

    def fleets(self, stage: Stage) -> Sequence[Fleet]:
        """Return a fleet for each pipeline.  Called with Django configured and the schema in place."""
