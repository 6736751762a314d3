"""What check-binding plays, as data: short scenes, each a sequence of named operations.

Most operations are those of the search.  A scene begins on an empty database at second 0, and is about
job j1.  A message is named after the step that sends it: m2 is sent by the second step.  Steps and scenes
that the binding's lifecycle does not offer are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from statemachine.lifecycle import FINISHES, Lifecycle, Operation

Condition = Callable[[Lifecycle], bool]
"""Whether a step or a scene is played under a lifecycle."""


def always(lifecycle: Lifecycle) -> bool:
    return True


class SceneStep(NamedTuple):
    """One named operation with its arguments."""

    operation: str
    """A name in ``OPERATIONS`` of ``statemachine.world.operations``."""
    arguments: dict[str, Any]
    plays: Condition = always
    quiet: bool = False
    """Print the step only when something is wrong with it: an earlier scene has shown it already."""


class Scene(NamedTuple):
    """Steps under one title, played in order on an empty database."""

    title: str
    steps: tuple[SceneStep, ...]
    plays: Condition = always


def _step(operation: str, /, *, when: Condition = always, **arguments: Any) -> SceneStep:
    if operation != "stray":
        return SceneStep(operation, arguments, when)
    direct = _directly(Operation(arguments["operation"]))
    return SceneStep(operation, arguments, lambda lifecycle: when(lifecycle) and direct(lifecycle))


def _directly(operation: Operation) -> Condition:
    return lambda lifecycle: operation in lifecycle.strays


def _offers(operation: Operation) -> Condition:
    return lambda lifecycle: lifecycle.has(operation)


def _fenced(lifecycle: Lifecycle) -> bool:
    return lifecycle.fenced


def _sweeps_late(lifecycle: Lifecycle) -> bool:
    return lifecycle.recover_after_seconds > 0


FIRST_TENANT = "(the first tenant)"
"""Placeholder in a step's arguments, replaced by the binding's first tenant."""

_CREATE = _step("create", job="j1", tenant=FIRST_TENANT)
_UNTIL_RUNNING = tuple(
    step._replace(quiet=True)
    for step in (
        _CREATE,
        _step("publish", job="j1"),
        _step("receive", worker="A", message="m2"),
        _step("prepare", worker="A"),
    )
)
_MESSAGE_RETURNS = _step("advance_to", deadline="visibility", of="m2")


SCENES: tuple[Scene, ...] = (
    Scene(
        "One job, from create to acknowledge",
        (
            _CREATE,
            _step("create_again", job="j1", tenant=FIRST_TENANT),
            _step("publish", job="j1"),
            _step("receive", worker="A", message="m3"),
            _step("prepare", worker="A"),
            _step("wait", seconds=30),
            _step("extend", worker="A", when=_offers(Operation.EXTEND)),
            _step("renew", worker="A", when=_offers(Operation.RENEW)),
            _step("complete", worker="A"),
            _step("stray", operation="complete", job="j1", attempt="current"),
            _step("acknowledge", worker="A"),
        ),
    ),
    Scene(
        "A job that fails",
        (
            *_UNTIL_RUNNING,
            _step("fail", worker="A"),
            _step("stray", operation="fail", job="j1", attempt="current"),
            _step("acknowledge", worker="A"),
        ),
    ),
    Scene(
        "A job given back",
        (
            *_UNTIL_RUNNING,
            _step("release", worker="A"),
            _step("stray", operation="release", job="j1", attempt="current"),
            _MESSAGE_RETURNS,
            _step("receive", worker="B", message="m2"),
            _step("prepare", worker="B"),
        ),
        _offers(Operation.RELEASE),
    ),
    Scene(
        "A job closed without a result",
        (
            *_UNTIL_RUNNING,
            _step("close", worker="A"),
            _step("stray", operation="close", job="j1", attempt="foreign"),
            _step("acknowledge", worker="A"),
        ),
        _offers(Operation.CLOSE),
    ),
    Scene(
        "A worker dies, another takes over",
        (
            *_UNTIL_RUNNING,
            _step("kill_worker", worker="A"),
            _MESSAGE_RETURNS,
            _step("receive", worker="B", message="m2"),
            _step("prepare", worker="B"),
            _step("complete", worker="B"),
            _step("acknowledge", worker="B"),
        ),
    ),
    Scene(
        "A message delivered twice",
        (*_UNTIL_RUNNING, _step("duplicate", worker="B", message="m2"), _step("prepare", worker="B")),
    ),
    Scene(
        "Calls outside of any delivery, around the end of the lease",
        (
            *_UNTIL_RUNNING[:2],
            _step("mark_running", job="j1", foreign=True),
            _step("mark_running", job="j1"),
            _step("advance_to", deadline="lease", of="j1", offset=-1),
            _step("mark_running", job="j1"),
            _step("advance_to", deadline="lease", of="j1", offset=0),
            _step("mark_running", job="j1"),
            _step("stray", operation="complete", job="j1", attempt="foreign"),
            _step("stray", operation="renew", job="j1", attempt="foreign", when=_offers(Operation.RENEW)),
            _step("stray", operation="complete", job="j1", attempt="previous", when=_fenced),
        ),
        _directly(Operation.MARK_RUNNING),
    ),
    Scene(
        "A publisher dies, the sweep sends",
        (
            _UNTIL_RUNNING[0],
            _step("kill_publisher", job="j1"),
            _step("recover", when=_sweeps_late),
            _step("advance_to", deadline="recovery", of="j1", when=_sweeps_late),
            _step("recover"),
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
"""The methods of a binding that an operation calls, for operations that bear another name than these."""

DISPENSABLE = ("stray", "create_again", "extend", "renew")
"""Operations that a scene can leave out and still go on."""

WITHOUT_CALL = ("wait", "advance_to", "kill_worker", "kill_publisher")
"""Operations that move the clock or kill a process, and call nothing of the binding."""
