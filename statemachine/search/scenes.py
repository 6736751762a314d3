"""Situations in which two operations can meet on one job, each as the steps that lead to it.

They are to be tried one after the other; an operation that is not possible in one of them is so in another.
Steps are numbered from 1 by their places: what step 2 creates is called j2 or m2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Steps = tuple[tuple[str, dict[str, Any]], ...]

JOB = "j1"

_CREATED: Steps = (("create", {"job": JOB, "tenant": "t1"}),)
_SENT: Steps = (*_CREATED, ("publish", {"job": JOB}))
_WITH_TWO: Steps = (
    *_SENT,
    ("receive", {"worker": "A", "message": "m2"}),
    ("duplicate", {"worker": "B", "message": "m2"}),
)
# A third delivery, so that two workers can ask for the job that the first one has.
_RUNNING: Steps = (*_WITH_TWO, ("duplicate", {"worker": "C", "message": "m2"}), ("prepare", {"worker": "A"}))
_LEASE_ENDS = ("advance_to", {"deadline": "lease", "of": JOB, "offset": 0})
_EXPIRED: Steps = (*_RUNNING, _LEASE_ENDS)

SCENES: Mapping[str, Steps] = {
    "just created": _CREATED,
    "created, and due for the sweep": (
        *_CREATED,
        ("advance_to", {"deadline": "recovery", "of": JOB, "offset": 0}),
    ),
    "PENDING": _WITH_TWO,
    "RUNNING, lease live": _RUNNING,
    "RUNNING, lease expired": _EXPIRED,
    "taken over, both holders at work": (*_EXPIRED, ("prepare", {"worker": "B"})),
    "RETRYING": (*_RUNNING, ("release", {"worker": "A"})),
    "terminal": (*_RUNNING, ("complete", {"worker": "A"})),
}
"""By the situation of the job."""
