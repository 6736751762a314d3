"""What is played, as data: short scenes of named operations, most of them the machine's own.

A scene begins on an empty database at second 0, with job j1; a message is named by the step that sends
it.  What a lifecycle does not offer is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from statemachine.lifecycle import FINISHES, Lifecycle, Operation

Plays = Callable[[Lifecycle], bool]


def always(lifecycle: Lifecycle) -> bool:
    return True


class Beat(NamedTuple):
    """One named operation with its arguments.

    ``plays`` says under which lifecycles.  ``quiet``: another scene tells it, unless it goes wrong.
    """

    operation: str
    arguments: dict[str, Any]
    plays: Plays = always
    quiet: bool = False


class Scene(NamedTuple):
    """Beats under one title, of lifecycles under which there is anything to play."""

    title: str
    beats: tuple[Beat, ...]
    plays: Plays = always


def _beat(named: str, /, *, when: Plays = always, **arguments: Any) -> Beat:
    return Beat(named, arguments, when)


def _offers(operation: Operation) -> Plays:
    return lambda lifecycle: lifecycle.has(operation)


def _fenced(lifecycle: Lifecycle) -> bool:
    return lifecycle.fenced


def _waits(lifecycle: Lifecycle) -> bool:
    return lifecycle.recover_after_seconds > 0


OWNER = "(the first tenant)"
"""Stands for the name of the binding's first tenant."""

_CREATE = _beat("create", job="j1", tenant=OWNER)
_IN_HAND = tuple(
    beat._replace(quiet=True)
    for beat in (
        _CREATE,
        _beat("publish", job="j1"),
        _beat("receive", worker="A", message="m2"),
        _beat("prepare", worker="A"),
    )
)
_RETURNS = _beat("advance_to", deadline="visibility", of="m2")
_ENDS = (_beat("complete", worker="B"), _beat("acknowledge", worker="B"))


SCENES: tuple[Scene, ...] = (
    Scene(
        "A job's whole way",
        (
            _CREATE,
            _beat("create_again", job="j1", tenant=OWNER),
            _beat("publish", job="j1"),
            _beat("receive", worker="A", message="m3"),
            _beat("prepare", worker="A"),
            _beat("wait", seconds=30),
            _beat("extend", worker="A", when=_offers(Operation.EXTEND)),
            _beat("renew", worker="A", when=_offers(Operation.RENEW)),
            _beat("complete", worker="A"),
            _beat("stray", operation="complete", job="j1", attempt="current"),
            _beat("acknowledge", worker="A"),
        ),
    ),
    Scene(
        "A job that fails",
        (
            *_IN_HAND,
            _beat("fail", worker="A"),
            _beat("stray", operation="fail", job="j1", attempt="current"),
            _beat("acknowledge", worker="A"),
        ),
    ),
    Scene(
        "A job given back",
        (
            *_IN_HAND,
            _beat("release", worker="A"),
            _beat("stray", operation="release", job="j1", attempt="current"),
            _RETURNS,
            _beat("receive", worker="B", message="m2"),
            _beat("prepare", worker="B"),
        ),
        _offers(Operation.RELEASE),
    ),
    Scene(
        "A job closed without a result",
        (
            *_IN_HAND,
            _beat("close", worker="A"),
            _beat("stray", operation="close", job="j1", attempt="foreign"),
            _beat("acknowledge", worker="A"),
        ),
        _offers(Operation.CLOSE),
    ),
    Scene(
        "A worker dies, another takes over",
        (
            *_IN_HAND,
            _beat("kill_worker", worker="A"),
            _RETURNS,
            _beat("receive", worker="B", message="m2"),
            _beat("prepare", worker="B"),
            *_ENDS,
        ),
    ),
    Scene(
        "A message delivered twice",
        (*_IN_HAND, _beat("duplicate", worker="B", message="m2"), _beat("prepare", worker="B")),
    ),
    Scene(
        "Stray calls, to the second of the lease",
        (
            *_IN_HAND[:2],
            _beat("mark_running", job="j1", foreign=True),
            _beat("mark_running", job="j1"),
            _beat("advance_to", deadline="lease", of="j1", offset=-1),
            _beat("mark_running", job="j1"),
            _beat("advance_to", deadline="lease", of="j1", offset=0),
            _beat("mark_running", job="j1"),
            _beat("stray", operation="complete", job="j1", attempt="foreign"),
            _beat("stray", operation="renew", job="j1", attempt="foreign", when=_offers(Operation.RENEW)),
            _beat("stray", operation="complete", job="j1", attempt="previous", when=_fenced),
        ),
    ),
    Scene(
        "A publisher dies, the sweep sends",
        (
            _IN_HAND[0],
            _beat("kill_publisher", job="j1"),
            _beat("recover", when=_waits),
            _beat("advance_to", deadline="recovery", of="j1", when=_waits),
            _beat("recover"),
        ),
        _offers(Operation.RECOVER),
    ),
)

_DELIVERED = ("receive", "duplicate", "prepare", "extend", "renew", "acknowledge", *FINISHES)
NEEDED: dict[str, tuple[str, ...]] = {
    "create_again": ("create",),
    "stray": ("renew", *FINISHES),
    **dict.fromkeys(_DELIVERED, ("deliver",)),
}
"""The pieces of a binding that an operation calls, where they have other names than the operation."""

ASIDE = ("stray", "create_again", "extend", "renew")
"""Operations without which a scene can go on."""

WITHOUT_CALL = ("wait", "advance_to", "kill_worker", "kill_publisher")
"""What happens to the world, and calls nothing."""
