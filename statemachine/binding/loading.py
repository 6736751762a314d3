"""Find a binding by its path and check that every piece of it is there.

What a check cannot show is that the pieces do what they say, which is what a run is for.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import cast

from statemachine.binding import conformance
from statemachine.binding.errors import BindingError, OwnFault
from statemachine.binding.port import Binding, Delivery
from statemachine.lifecycle import Lifecycle, LifecycleError, Operation

_OPTIONAL_PIECES = {
    "release": Operation.RELEASE,
    "close": Operation.CLOSE,
    "renew": Operation.RENEW,
    "recover": Operation.RECOVER,
}
"""Methods of a binding that are needed only where the lifecycle has their operation."""

_NEVER_NEEDED = {"others", "unreachable"}

_OPTIONAL_STEPS = {"extend": Operation.EXTEND, "renew": Operation.RENEW}
"""Methods of a delivery that are needed only where the lifecycle has their operation."""


def load(path: str, defect: str | None = None) -> Binding:
    """Import the binding at ``package.module:Factory``, plant ``defect`` if one is named, and check it.

    Raises :class:`BindingError`, in one sentence, for the first thing that is wrong.
    """
    binding = make(path)
    for fault in faults_of(binding):
        raise BindingError(f"--binding {path}: {fault}")
    if defect is not None:
        _plant(path, cast(Binding, binding), defect)
    return cast(Binding, binding)


def make(path: str) -> object:
    """Import what ``package.module:Factory`` names and call it, without checking that it is a binding.

    Raises :class:`BindingError` when there is no such module or factory, :class:`OwnFault` when its code
    fails.
    """
    module_name, _, factory_name = path.partition(":")
    if not module_name or not factory_name:
        raise BindingError(f"--binding {path}: write it as package.module:Factory")
    if "" not in sys.path:
        # As ``python -m`` does and an installed pytest does not: the binding lies in the user's own project.
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
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also one that would end the process, with exit code 0 perhaps
        raise OwnFault(
            f"--binding {path}: importing {module_name} raised {type(error).__name__}: {error}; mend it, or "
            "import Django models in open() only: this happens before Django is configured"
        ) from error
    factory = getattr(module, factory_name, None)
    if factory is None:
        raise BindingError(f"--binding {path}: {module_name} has no {factory_name}; name the binding in it")
    try:
        binding: object = factory()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise OwnFault(
            f"--binding {path}: {factory_name}() raised {type(error).__name__}: {error}; it is called "
            "without arguments, before Django is configured"
        ) from error
    return binding


def faults_of(binding: object) -> Iterator[str]:
    """Yield what keeps ``binding`` from being used, a sentence each.  Calls nothing of it."""
    missing = lacks(binding)
    if missing:
        yield f"it lacks {', '.join(missing)}; statemachine/binding/port.py says what each one is"
    yield from misfits_of(binding)


def misfits_of(binding: object) -> Iterator[str]:
    """Yield which pieces of ``binding`` are there and cannot be used, a sentence each."""
    lifecycle = getattr(binding, "lifecycle", None)
    if hasattr(binding, "lifecycle") and not isinstance(lifecycle, Lifecycle):
        yield (
            f"its lifecycle is a {type(lifecycle).__name__}; make it a statemachine.lifecycle.Lifecycle, "
            "Lifecycle() for one like the deployed system's"
        )
        return
    yield from conformance.misfits(binding, Binding, [*_needed(binding, lifecycle), "others"])
    yield from conformance.faults_of_fields(binding, lifecycle)


def lacks(binding: object) -> list[str]:
    """Return the pieces that the binding must have, by its own lifecycle, and lacks."""
    named = getattr(binding, "lifecycle", None)
    lifecycle = named if isinstance(named, Lifecycle) else None
    return [name for name in _needed(binding, lifecycle) if not conformance.offers(binding, Binding, name)]


def faults_of_delivery(delivery: object, lifecycle: Lifecycle) -> Iterator[str]:
    """Yield what keeps a delivery procedure from being driven, a sentence each.  Takes no step of it."""
    needed = [
        name
        for name in conformance.names_of(Delivery)
        if name not in _OPTIONAL_STEPS or lifecycle.has(_OPTIONAL_STEPS[name])
    ]
    missing = [name for name in needed if not conformance.offers(delivery, Delivery, name)]
    if missing:
        yield (
            f"what deliver() returned, a {type(delivery).__name__}, lacks {', '.join(missing)}; "
            "statemachine.binding.Delivery says what each one is"
        )
    yield from (
        f"of what deliver() returned, {misfit}" for misfit in conformance.misfits(delivery, Delivery, needed)
    )


def _needed(binding: object, lifecycle: Lifecycle | None) -> list[str]:
    """Return the names: nothing optional without a lifecycle, ``plant`` only where there are defects."""
    needed = []
    for name in conformance.names_of(Binding):
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
