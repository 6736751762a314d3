"""The port to one system under test, and the loader that finds its binding.

A binding is the only place that knows the names of a system.  ``--binding package.module:Factory``
names a callable without required arguments that returns one.  The loader checks that every piece is
there; what it cannot show is that the pieces do what they say, which is what a run is for.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, cast

from statemachine.binding import conformance as pieces
from statemachine.lifecycle import Lifecycle, LifecycleError, Operation

DEFAULT_BINDING = "models_under_test.binding:AIJobsBinding"


class BindingError(ValueError):
    """A binding that cannot be used; the message says what is missing and how to mend it."""


class OwnFault(BindingError):
    """The binding was found, and its own code does not let it be used."""


class Message(NamedTuple):
    """What a receive hands out: one receipt of one message.

    ``job`` and ``tenant`` are None when the body of the message cannot be read.
    """

    receipt_handle: str
    job: str | None
    tenant: str | None


class QueuePort(Protocol):
    """The world's queue, in the hands of one worker or of the publisher.

    Everything that the system under test asks of its queue must go through it, or stays unseen.
    """

    def send(self, job: str, tenant: str) -> None: ...

    def receive(self) -> Message | None: ...

    def delete(self, receipt_handle: str) -> None: ...

    def change_visibility(self, receipt_handle: str, seconds: int) -> None: ...


class PublisherPort(Protocol):
    """Where the system hands a job over once it is committed; the world publishes it as a step."""

    def enqueue(self, job: str, tenant: str) -> None: ...


class Delivery(Protocol):
    """The system's own procedure for one message, driven one step at a time.

    ``next_step`` names what the worker does next: ``receive``, ``prepare``, ``finish``,
    ``acknowledge``, or None when it is done with the message.
    """

    @property
    def next_step(self) -> str | None: ...

    def receive(self) -> bool:
        """Ask the queue once; False when nothing came."""

    def prepare(self) -> int | None:
        """The attempt number (fencing token) of the lease that was granted, or None when refused."""

    def finish(self, operation: Operation, payload: str) -> bool:
        """COMPLETE with ``payload`` as the result, FAIL, RELEASE, or CLOSE in the status ``payload``.

        False when refused.
        """

    def acknowledge(self) -> None:
        """Delete the message."""

    def extend(self) -> None:
        """During inference: hide the message for longer.  Only where the lifecycle offers ``EXTEND``."""

    def renew(self) -> bool:
        """During inference: renew the lease; False when refused.  Only where it offers ``RENEW``."""


DELIVERY_STEPS = ("receive", "prepare", "finish", "acknowledge")
"""What ``next_step`` may say, besides None."""


class ObservedRow(NamedTuple):
    """One job as the database shows it.  Datetimes may be naive: they are then read as UTC."""

    job: str
    tenant: str
    status: str
    attempt: int
    locked_by: str | None
    lease_expires_at: datetime | None
    published_at: datetime | None
    results: int
    result: str | None


class Binding(Protocol):
    """One system under test.  Jobs and tenants are strings that the verifier chooses (``j4``, ``t1``).

    ``settings_module`` is read before Django is configured, so a binding imports Django models only
    in :meth:`open`, which is called once, with the test database in place.  ``waived`` maps an
    invariant's name to the reason why it does not apply; every report prints it.  ``unreachable``, which
    is optional, does the same for required situations, named as a run prints them, that cannot come about.
    """

    settings_module: str
    lifecycle: Lifecycle
    tenants: Sequence[str]
    waived: Mapping[str, str]
    unreachable: Mapping[str, str]
    defects: Mapping[str, str]

    def plant(self, defect: str) -> None:
        """Use a planted bug, one of ``defects``, from :meth:`open` on.  Not needed where there are none."""

    def open(self, queue: QueuePort, publisher: PublisherPort) -> None:
        """Connect the system to the world: ``queue`` serves publisher and sweep."""

    def create(self, job: str, tenant: str) -> None:
        """Create a PENDING job and hand it to the publisher after the commit; IntegrityError if it exists."""

    def publish(self, job: str, tenant: str) -> None:
        """Send the job's message and remember that."""

    def deliver(self, worker: str, queue: QueuePort) -> Delivery:
        """A new delivery procedure for ``worker``, which reaches the queue only through ``queue``."""

    def mark_running(self, job: str, tenant: str) -> int | None:
        """Take the lease outside of any delivery: its attempt number, or None when refused."""

    def complete(self, job: str, tenant: str, attempt: int, result: str) -> bool:
        """End the job with this result in the name of ``attempt``; False when refused."""

    def fail(self, job: str, tenant: str, attempt: int, error: str) -> bool:
        """End the job without a result in the name of ``attempt``; False when refused."""

    def release(self, job: str, tenant: str, attempt: int, error: str) -> bool:
        """Give the job back for another attempt.  Needed where ``RELEASE`` is offered."""

    def close(self, job: str, tenant: str, attempt: int, status: str) -> bool:
        """End the job in one of the lifecycle's ``further_terminal`` statuses; needed where there are any."""

    def renew(self, job: str, tenant: str, attempt: int) -> bool:
        """Begin the attempt's lease anew.  Needed where ``RENEW`` is offered."""

    def recover(self) -> None:
        """The sweep: send every job whose publisher has died.  Needed where ``RECOVER`` is offered."""

    def observe(self, jobs: Sequence[str]) -> Iterable[ObservedRow]:
        """The committed rows of these jobs with their result counts, in one query."""

    def others(self, jobs: Sequence[str]) -> object:
        """Optional: one aggregate over all rows that are not of these jobs, to see that none changes."""

    def reset(self, jobs: Sequence[str]) -> None:
        """Delete these jobs and their results, and nothing else."""


_OPTIONAL_PIECES = {
    "release": Operation.RELEASE,
    "close": Operation.CLOSE,
    "renew": Operation.RENEW,
    "recover": Operation.RECOVER,
}
"""Methods that are needed only where the lifecycle has their operation."""

_NEVER_NEEDED = {"others", "unreachable"}

_OPTIONAL_STEPS = {"extend": Operation.EXTEND, "renew": Operation.RENEW}
"""The same, of a delivery."""


def load(path: str, defect: str | None = None) -> Binding:
    """Import the binding at ``package.module:Factory``, plant ``defect`` if one is named, and check it.

    Raises :class:`BindingError` with one sentence for whatever is wrong.
    """
    binding = make(path)
    for fault in faults_of(binding):
        raise BindingError(f"--binding {path}: {fault}")
    if defect is not None:
        _plant(path, cast(Binding, binding), defect)
    return cast(Binding, binding)


def make(path: str) -> object:
    """Import what ``package.module:Factory`` names and call it; whether it is a binding is not checked.

    Raises :class:`BindingError` when there is no such thing, and :class:`OwnFault` when its code fails.
    """
    module_name, _, factory_name = path.partition(":")
    if not module_name or not factory_name:
        raise BindingError(f"--binding {path}: write it as package.module:Factory")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise BindingError(
            f"--binding {path}: {module_name} cannot be imported ({error}); run from the directory that "
            "holds it, in the environment that has its requirements"
        ) from None
    except LifecycleError as error:
        raise OwnFault(f"--binding {path}: its lifecycle contradicts itself: {error}") from None
    except Exception as error:
        raise OwnFault(
            f"--binding {path}: importing {module_name} raised {type(error).__name__}: {error}; mend it, or "
            "import Django models in open() only: this happens before Django is configured"
        ) from error
    factory = getattr(module, factory_name, None)
    if factory is None:
        raise BindingError(f"--binding {path}: {module_name} has no {factory_name}; name the binding in it")
    try:
        binding: object = factory()
    except Exception as error:
        raise OwnFault(
            f"--binding {path}: {factory_name}() raised {type(error).__name__}: {error}; it is called "
            "without arguments, before Django is configured"
        ) from error
    return binding


def faults_of(binding: object) -> Iterator[str]:
    """What keeps ``binding`` from being used, a sentence each, before anything of it is called."""
    missing = lacks(binding)
    if missing:
        yield f"it lacks {', '.join(missing)}; statemachine/binding/__init__.py says what each one is"
    yield from misfits_of(binding)


def misfits_of(binding: object) -> Iterator[str]:
    """What of ``binding`` is there and cannot be used, a sentence each."""
    lifecycle = getattr(binding, "lifecycle", None)
    if hasattr(binding, "lifecycle") and not isinstance(lifecycle, Lifecycle):
        yield (
            f"its lifecycle is a {type(lifecycle).__name__}; make it a statemachine.lifecycle.Lifecycle, "
            "Lifecycle() for one like the deployed system's"
        )
        return
    yield from pieces.misfits(binding, Binding, [*_needed(binding, lifecycle), "others"])
    yield from pieces.faults_of_fields(binding, lifecycle)


def lacks(binding: object) -> list[str]:
    """The pieces that the binding must have, by its own lifecycle, and has not."""
    named = getattr(binding, "lifecycle", None)
    lifecycle = named if isinstance(named, Lifecycle) else None
    return [name for name in _needed(binding, lifecycle) if not pieces.offers(binding, Binding, name)]


def faults_of_delivery(delivery: object, lifecycle: Lifecycle) -> Iterator[str]:
    """What keeps a delivery procedure from being driven, a sentence each, before any step of it is taken."""
    needed = [
        name
        for name in pieces.names_of(Delivery)
        if name not in _OPTIONAL_STEPS or lifecycle.has(_OPTIONAL_STEPS[name])
    ]
    missing = [name for name in needed if not pieces.offers(delivery, Delivery, name)]
    if missing:
        yield (
            f"what deliver() returned, a {type(delivery).__name__}, lacks {', '.join(missing)}; "
            "statemachine.binding.Delivery says what each one is"
        )
    yield from (
        f"of what deliver() returned, {misfit}" for misfit in pieces.misfits(delivery, Delivery, needed)
    )


def _needed(binding: object, lifecycle: Lifecycle | None) -> list[str]:
    """By name: nothing optional without a lifecycle, and ``plant`` only of a binding with bugs to plant."""
    needed = []
    for name in pieces.names_of(Binding):
        operation = _OPTIONAL_PIECES.get(name)
        offered = operation is None or (lifecycle is not None and lifecycle.has(operation))
        if offered and name not in _NEVER_NEEDED and (name != "plant" or getattr(binding, "defects", None)):
            needed.append(name)
    return needed


def _plant(path: str, binding: Binding, defect: str) -> None:
    if defect not in binding.defects:
        known = ", ".join(sorted(binding.defects)) or "none"
        raise BindingError(f"--defect {defect}: {path} has no such defect; it has: {known}")
    binding.plant(defect)
