"""The port to one system under test, and the loader that finds its binding.

A binding is the only place that knows the names of a system.  ``--binding package.module:Factory``
names a callable without required arguments that returns one.  The loader checks that every piece is
there; what it cannot show is that the pieces do what they say, which is what a run is for.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, cast

from statemachine.invariants import BY_NAME
from statemachine.lifecycle import Lifecycle, Operation

DEFAULT_BINDING = "models_under_test.binding:AIJobsBinding"


class BindingError(ValueError):
    """A binding that cannot be used; the message says what is missing and how to mend it."""


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
    invariant's name to the reason why it does not apply; every report prints it.
    """

    settings_module: str
    lifecycle: Lifecycle
    tenants: Sequence[str]
    waived: Mapping[str, str]
    defects: Mapping[str, str]

    def plant(self, defect: str) -> None:
        """Use a planted bug, one of ``defects``, from :meth:`open` on."""

    def open(self, queue: QueuePort, publisher: PublisherPort) -> None:
        """Connect the system to the world: ``queue`` serves publisher and sweep."""

    def create(self, job: str, tenant: str) -> None:
        """Create a PENDING job and hand it to the publisher after the commit; IntegrityError if it exists."""

    def publish(self, job: str, tenant: str) -> None:
        """Send the job's message and remember that."""

    def deliver(self, worker: str, queue: QueuePort) -> Delivery:
        """A new delivery procedure for ``worker``, which reaches the queue only through ``queue``."""

    def mark_running(self, job: str, tenant: str) -> int | None: ...

    def complete(self, job: str, tenant: str, attempt: int, result: str) -> bool: ...

    def fail(self, job: str, tenant: str, attempt: int, error: str) -> bool: ...

    def release(self, job: str, tenant: str, attempt: int, error: str) -> bool:
        """Optional: left out by a lifecycle that does not offer ``RELEASE``."""

    def close(self, job: str, tenant: str, attempt: int, status: str) -> bool:
        """Optional: needed by a lifecycle with ``further_terminal`` statuses."""

    def renew(self, job: str, tenant: str, attempt: int) -> bool:
        """Optional: needed by a lifecycle that offers ``RENEW``."""

    def recover(self) -> None:
        """The sweep: send every job whose publisher has died.  Optional: ``RECOVER``."""

    def observe(self, jobs: Sequence[str]) -> Iterable[ObservedRow]:
        """The committed rows of these jobs with their result counts, in one query."""

    def others(self, jobs: Sequence[str]) -> object:
        """Optional: one aggregate over all rows that are not of these jobs, to see that none changes."""

    def reset(self, jobs: Sequence[str]) -> None:
        """Delete these jobs and their results, and nothing else."""


_PIECES = tuple(name for name in (*Binding.__annotations__, *vars(Binding)) if not name.startswith("_"))
_OPTIONAL_PIECES = {
    "release": Operation.RELEASE,
    "close": Operation.CLOSE,
    "renew": Operation.RENEW,
    "recover": Operation.RECOVER,
}
"""Methods that are needed only where the lifecycle has their operation."""


def load(path: str, defect: str | None = None) -> Binding:
    """Import the binding at ``package.module:Factory``, plant ``defect`` if one is named, and check it.

    Raises :class:`BindingError` with one sentence for whatever is wrong.
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
    except Exception as error:
        raise BindingError(
            f"--binding {path}: importing {module_name} raised {type(error).__name__}: {error}; mend it, or "
            "import Django models in open() only: this happens before Django is configured"
        ) from error
    factory = getattr(module, factory_name, None)
    if factory is None:
        raise BindingError(f"--binding {path}: {module_name} has no {factory_name}; name the binding in it")
    try:
        binding = factory()
    except Exception as error:
        raise BindingError(
            f"--binding {path}: {factory_name}() raised {type(error).__name__}: {error}; it is called "
            "without arguments, before Django is configured"
        ) from error
    _check(path, binding)
    if defect is not None:
        _plant(path, binding, defect)
    return cast(Binding, binding)


def _check(path: str, binding: object) -> None:
    lifecycle = getattr(binding, "lifecycle", None)
    if hasattr(binding, "lifecycle") and not isinstance(lifecycle, Lifecycle):
        raise BindingError(
            f"--binding {path}: its lifecycle is a {type(lifecycle).__name__}; "
            "make it a statemachine.lifecycle.Lifecycle"
        )
    missing = [name for name in _PIECES if not hasattr(binding, name) and _is_needed(name, lifecycle)]
    if missing:
        raise BindingError(
            f"--binding {path}: it lacks {', '.join(missing)}; statemachine/binding.py says what each one is"
        )
    complete = cast(Binding, binding)
    if not isinstance(complete.waived, Mapping):
        raise BindingError(
            f"--binding {path}: its waived is a {type(complete.waived).__name__}; "
            "make it a mapping from an invariant's name to the reason, {} for none"
        )
    unknown = sorted(set(complete.waived) - set(BY_NAME))
    if unknown:
        raise BindingError(
            f"--binding {path}: it waives {', '.join(unknown)}, which is no invariant; "
            f"the invariants are {', '.join(BY_NAME)}"
        )
    blank = sorted(
        name for name, reason in complete.waived.items() if not isinstance(reason, str) or not reason.strip()
    )
    if blank:
        raise BindingError(f"--binding {path}: it waives {', '.join(blank)} without a reason; give one")
    if not complete.lifecycle.fenced and "only_the_holder_finishes" not in complete.waived:
        raise BindingError(
            f"--binding {path}: its lifecycle says fenced=False, so anybody may finish a job: waive "
            "only_the_holder_finishes, with the reason why this system can live with that"
        )
    tenants = complete.tenants
    names = tenants if isinstance(tenants, Sequence) and not isinstance(tenants, str) else ()
    if len(set(names)) < 2 or not all(isinstance(name, str) for name in names):
        raise BindingError(
            f"--binding {path}: its tenants are {tenants!r}; "
            "name two different ones at least, as text, to see whether they mix"
        )
    if not isinstance(complete.defects, Mapping):
        raise BindingError(
            f"--binding {path}: its defects is a {type(complete.defects).__name__}; "
            "make it a mapping from a planted bug's name to its story, {} for none"
        )


def _is_needed(piece: str, lifecycle: Lifecycle | None) -> bool:
    if piece == "others":
        return False
    operation = _OPTIONAL_PIECES.get(piece)
    return operation is None or lifecycle is None or lifecycle.has(operation)


def _plant(path: str, binding: Binding, defect: str) -> None:
    if defect not in binding.defects:
        known = ", ".join(sorted(binding.defects)) or "none"
        raise BindingError(f"--defect {defect}: {path} has no such defect; it has: {known}")
    binding.plant(defect)
