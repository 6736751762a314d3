"""Check that an object has the pieces of its port and can be called as the verifier will call it.

A port is a ``typing.Protocol`` whose methods do nothing: a class that inherits one without writing a method
does not offer that method.  What a method does cannot be seen here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from statemachine.history.reach import required
from statemachine.invariants import BY_NAME
from statemachine.lifecycle import Lifecycle


def names_of(port: type[Any]) -> tuple[str, ...]:
    """Return the attributes and methods of ``port``: attributes first, then methods, as declared."""
    declared = (*getattr(port, "__annotations__", ()), *vars(port))
    return tuple(dict.fromkeys(name for name in declared if not name.startswith("_")))


def offers(offered: object, port: type[Any], name: str) -> bool:
    """Whether ``offered`` has a piece of its own by that name, not only the port's empty body."""
    # Unbound on both sides, as vars() gives it: getattr would bind a classmethod and compare unequal.
    return inspect.getattr_static(type(offered), name, None) is not vars(port).get(name, offered) and hasattr(
        offered, name
    )


def misfits(offered: object, port: type[Any], names: Collection[str]) -> Iterator[str]:
    """Yield a clause for each method that cannot be called as the verifier will, and how to write it."""
    for name in names:
        declared = vars(port).get(name)
        if not inspect.isfunction(declared) or not offers(offered, port, name):
            continue
        given = [parameter for parameter in inspect.signature(declared).parameters if parameter != "self"]
        method = getattr(offered, name)
        if not callable(method):
            yield f"its {name} is {method!r} and no method; write def {_call(name, ['self', *given])}"
        elif not _takes(method, len(given)):
            yield (
                f"its {_call(name, _parameters(method))} cannot be called as {_call(name, given)}, which "
                f"is how the verifier calls it; write def {_call(name, ['self', *given])}"
            )


def faults_of_fields(binding: object, lifecycle: Lifecycle | None) -> Iterator[str]:
    """Yield a clause for each attribute of a binding that is there and does not fit."""
    waived = getattr(binding, "waived", {})
    if not isinstance(waived, Mapping):
        yield (
            f"its waived is a {type(waived).__name__}; "
            "make it a mapping from an invariant's name to the reason, {} for none"
        )
        waived = {}
    unknown = sorted(set(waived) - set(BY_NAME))
    if unknown:
        yield (
            f"it waives {', '.join(unknown)}, which is no invariant; the invariants are {', '.join(BY_NAME)}"
        )
    blank = _without_a_reason(waived)
    if blank:
        yield f"it waives {', '.join(blank)} without a reason; give one"
    if lifecycle is not None:
        yield from _faults_of_unreachable(getattr(binding, "unreachable", {}), lifecycle)
    if lifecycle is not None and not lifecycle.fenced and "only_the_holder_finishes" not in waived:
        yield (
            "its lifecycle says fenced=False, so any attempt may finish a job: waive "
            "only_the_holder_finishes, with the reason why this system can live with that"
        )
    if hasattr(binding, "tenants"):
        tenants = binding.tenants
        names = tenants if isinstance(tenants, Sequence) and not isinstance(tenants, str) else ()
        if len(set(names)) < 2 or not all(isinstance(name, str) for name in names):
            yield (
                f"its tenants are {tenants!r}; "
                "name two different ones at least, as text, to see whether they mix"
            )
    defects = getattr(binding, "defects", {})
    if not isinstance(defects, Mapping):
        yield (
            f"its defects is a {type(defects).__name__}; "
            "make it a mapping from a planted bug's name to its story, {} for none"
        )


def _faults_of_unreachable(unreachable: object, lifecycle: Lifecycle) -> Iterator[str]:
    if not isinstance(unreachable, Mapping):
        yield (
            f"its unreachable is a {type(unreachable).__name__}; "
            "make it a mapping from a required situation to the reason, or leave it out"
        )
        return
    known = required(lifecycle)
    for cell in unreachable:
        if cell not in known:
            nearest = get_close_matches(str(cell), known, n=3, cutoff=0)
            yield (
                f"it calls {cell!r} unreachable, which is no situation that a run under its lifecycle must "
                f"meet; the nearest are {', '.join(map(repr, nearest))}"
            )
    blank = _without_a_reason(unreachable)
    if blank:
        yield f"it calls {', '.join(blank)} unreachable without a reason; give one"


def _without_a_reason(reasons: Mapping[Any, Any]) -> list[str]:
    return sorted(
        str(name) for name, reason in reasons.items() if not isinstance(reason, str) or not reason.strip()
    )


def _takes(method: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(method).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # a builtin without a signature
        return True
    return True


def _parameters(method: Callable[..., Any]) -> list[str]:
    return [str(parameter.replace(annotation=inspect.Parameter.empty)) for parameter in _of(method)]


def _of(method: Callable[..., Any]) -> Collection[inspect.Parameter]:
    return inspect.signature(method).parameters.values()


def _call(name: str, parameters: Collection[str]) -> str:
    return f"{name}({', '.join(parameters)})"
