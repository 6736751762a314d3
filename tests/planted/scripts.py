"""For each planted defect the shortest history that a person would write to show it, workers and all."""

from __future__ import annotations

from collections.abc import Sequence

from statemachine.script import Step


def script(*steps: tuple[str, dict[str, object]]) -> list[Step]:
    """Steps numbered from 1: a job or message created by step 2 is called j2 or m2."""
    return [
        Step(number, operation, arguments) for number, (operation, arguments) in enumerate(steps, start=1)
    ]


_CREATE = ("create", {"job": "j1", "tenant": "t1"})
_PUBLISH = ("publish", {"job": "j1"})
_A_RECEIVES = ("receive", {"worker": "A", "message": "m2"})
_A_PREPARES = ("prepare", {"worker": "A"})
_B_PREPARES = ("prepare", {"worker": "B"})
_B_GETS_A_DUPLICATE = ("duplicate", {"worker": "B", "message": "m2"})
_B_RECEIVES = ("receive", {"worker": "B", "message": "m2"})
_LEASE_ENDS = ("advance_to", {"deadline": "lease", "of": "j1"})
_MESSAGE_RETURNS = ("advance_to", {"deadline": "visibility", "of": "m2"})

MINIMAL: dict[str, Sequence[Step]] = {
    "refused_delivery_deletes_message": script(
        _CREATE,
        _PUBLISH,
        _A_RECEIVES,
        _A_PREPARES,
        _B_GETS_A_DUPLICATE,
        _B_PREPARES,
        ("acknowledge", {"worker": "B"}),
    ),
    "completion_without_token": script(
        _CREATE,
        _PUBLISH,
        _A_RECEIVES,
        _A_PREPARES,
        _MESSAGE_RETURNS,
        _B_RECEIVES,
        _B_PREPARES,
        ("complete", {"worker": "A"}),
    ),
    "running_job_reentered": script(
        _CREATE, _PUBLISH, _A_RECEIVES, _A_PREPARES, _B_GETS_A_DUPLICATE, _B_PREPARES
    ),
    "lease_as_long_as_visibility": script(_CREATE, _PUBLISH, _A_RECEIVES, _A_PREPARES),
    "lease_edge_excluded": script(
        _CREATE, _PUBLISH, _A_RECEIVES, _A_PREPARES, _B_GETS_A_DUPLICATE, _LEASE_ENDS, _B_PREPARES
    ),
    "done_overwritten_by_failed": script(
        _CREATE,
        _PUBLISH,
        _A_RECEIVES,
        _A_PREPARES,
        ("complete", {"worker": "A", "fault": "answer_lost"}),
        ("fail", {"worker": "A"}),
    ),
}
