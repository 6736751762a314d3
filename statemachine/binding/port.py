"""The port: what a binding writes for one system under test, and what it is handed in return.

A binder writes a class like :class:`Binding`, and one like :class:`Delivery` that its ``deliver`` returns.
The verifier hands it a :class:`QueuePort` and a :class:`PublisherPort`, and reads back
:class:`ObservedRow` s.  These are protocols: nothing needs to be inherited.  A binding is the only place
that knows the names of a system; what each operation must answer is the table in
``statemachine/history/legality.py``.

Tenants and workers are strings that the verifier chooses (``t1``, ``A``).  So are the ids of jobs and receipt
handles, and none of these occurs twice in the life of a process: the job that a history calls ``j4`` is
``e12-j4`` for the system, in the process's twelfth example.

The loader checks that every piece is there.  That it does what it says is what a run is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from statemachine.lifecycle import Lifecycle, Operation

DEFAULT_BINDING = "models_under_test.binding:AIJobsBinding"
"""The binding that is used when ``--binding`` is not given."""


class Message(NamedTuple):
    """One received message, under one receipt."""

    receipt_handle: str
    """Names this receipt in ``delete`` and ``change_visibility``.  Every receive gives a new one."""
    job: str | None
    """The job that the message is about; None when its body cannot be read."""
    tenant: str | None
    """The tenant that the message names; None when its body cannot be read."""


class QueuePort(Protocol):
    """The verifier's queue, as one worker, the publisher or the sweep sees it.

    It behaves as SQS documents: at-least-once delivery, a visibility timeout, a DLQ after
    ``max_receives``.  Everything that the system under test asks of its queue must go through it: what
    does not is neither seen nor judged.
    """

    def send(self, job: str, tenant: str) -> None:
        """Send a message about ``job``.  It may be received at once."""

    def receive(self) -> Message | None:
        """Return one message and hide it for the visibility timeout, or None when there is none."""

    def delete(self, receipt_handle: str) -> None:
        """Delete the message, unless a later receive has replaced this handle."""

    def change_visibility(self, receipt_handle: str, seconds: int) -> None:
        """Hide the message for ``seconds`` from now; 0 makes it visible at once."""


class PublisherPort(Protocol):
    """Takes over each job that the system has committed and wants to have sent."""

    def enqueue(self, job: str, tenant: str) -> None:
        """Accept ``job`` for sending.  The verifier publishes it later, or kills the publisher."""


class Delivery(Protocol):
    """The system's own procedure for one message, driven one step at a time.

    The verifier calls the method that ``next_step`` names, and other workers act between two calls.
    """

    @property
    def next_step(self) -> str | None:
        """What the worker does next, one of :data:`DELIVERY_STEPS`; None when it is done with the message."""

    def receive(self) -> bool:
        """Ask the queue once.  Return False when it had no message."""

    def prepare(self) -> int | None:
        """Take the lease.  Return its attempt number, the fencing token, or None when refused."""

    def finish(self, operation: Operation, payload: str) -> bool:
        """End the attempt; return False when refused.

        ``operation`` is COMPLETE (``payload`` is the result), FAIL or RELEASE (``payload`` is the error),
        or CLOSE (``payload`` is the status to end in).
        """

    def acknowledge(self) -> None:
        """Delete the message."""

    def extend(self) -> None:
        """During inference: hide the message for longer.  Only where the lifecycle offers ``EXTEND``."""

    def renew(self) -> bool:
        """During inference: renew the lease; return False when refused.  Only where it offers ``RENEW``."""


DELIVERY_STEPS = ("receive", "prepare", "finish", "acknowledge")
"""What :attr:`Delivery.next_step` may say, besides None."""


class ObservedRow(NamedTuple):
    """One job as the database shows it.  Naive datetimes are read as UTC."""

    job: str
    """The job's id."""
    tenant: str
    """The tenant that owns the job."""
    status: str
    """One of the statuses that the lifecycle names."""
    attempt: int
    """The number of acquisitions so far; the latest one is the fencing token.  0 before the first."""
    locked_by: str | None
    """The worker id that holds the lease; None while nobody does."""
    lease_expires_at: datetime | None
    """When the lease ends; None while there is none."""
    published_at: datetime | None
    """When the job's message was sent, as the system remembers it; None before."""
    results: int
    """How many result rows the job has."""
    result: str | None
    """The payload of its result; the first one should there be several, None without any."""


class Binding(Protocol):
    """One system under test.

    ``python -m statemachine check-binding MODULE:FACTORY`` tries each piece and says what is wrong.
    """

    settings_module: str
    """The Django settings to run under.  Read before Django is configured."""
    lifecycle: Lifecycle
    """The statuses, durations (seconds) and policies of the system."""
    tenants: Sequence[str]
    """At least two tenants' names, so that mixing them up shows."""
    waived: Mapping[str, str]
    """Invariants that do not apply: name to reason.  Every report prints them.  ``{}`` for none."""
    unreachable: Mapping[str, str]
    """Optional: required situations that cannot come about, named as a run prints them, to the reason."""
    defects: Mapping[str, str]
    """Planted bugs: name to what is wrong.  ``{}`` for none."""

    def plant(self, defect: str) -> None:
        """From ``open`` on, use the planted bug ``defect``.  Needed only where ``defects`` has any."""

    def open(self, queue: QueuePort, publisher: PublisherPort) -> None:
        """Connect the system to the verifier: ``queue`` serves the publisher and the sweep.

        Called once, with Django configured and the test database in place: import Django models here.
        Workers get a queue of their own from :meth:`deliver`.
        """

    def create(self, job: str, tenant: str) -> None:
        """Create a PENDING job, for the publisher after the commit; ``IntegrityError`` for a taken id."""

    def publish(self, job: str, tenant: str) -> None:
        """Send the job's message, then store that it was sent."""

    def deliver(self, worker: str, queue: QueuePort) -> Delivery:
        """Return a new delivery procedure for ``worker``, which reaches the queue only through ``queue``."""

    def mark_running(self, job: str, tenant: str) -> int | None:
        """Take the lease outside of any delivery.  Return its attempt number, or None when refused."""

    def complete(self, job: str, tenant: str, attempt: int, result: str) -> bool:
        """End the job with ``result`` in the name of ``attempt``.  Return False when refused."""

    def fail(self, job: str, tenant: str, attempt: int, error: str) -> bool:
        """End the job without a result in the name of ``attempt``.  Return False when refused."""

    def release(self, job: str, tenant: str, attempt: int, error: str) -> bool:
        """Give the job back for another attempt; needed where ``RELEASE`` is offered.

        Return False when refused.
        """

    def close(self, job: str, tenant: str, attempt: int, status: str) -> bool:
        """End the job in ``status``, one of ``further_terminal``; needed where there are any.

        Return False when refused.
        """

    def renew(self, job: str, tenant: str, attempt: int) -> bool:
        """Begin the lease of ``attempt`` anew; needed where ``RENEW`` is offered.

        Return False when refused.
        """

    def recover(self) -> None:
        """The sweep: send every job whose publisher died first.  Needed where ``RECOVER`` is offered."""

    def observe(self, jobs: Sequence[str]) -> Iterable[ObservedRow]:
        """Return the committed rows of these jobs with their result counts, in one query."""

    def others(self, jobs: Sequence[str]) -> object:
        """Optional: return one aggregate over all rows of other jobs, compared to see that none changes."""

    def reset(self, jobs: Sequence[str]) -> None:
        """Delete these jobs and their results, and nothing else."""
