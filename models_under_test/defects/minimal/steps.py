"""The steps that most histories share: one job, published by step 2, in the hands of workers A and B."""

from collections.abc import Sequence
from typing import Any

Step = tuple[str, dict[str, Any]]
History = Sequence[Step]

CREATE: Step = ("create", {"job": "j1", "tenant": "t1"})
PUBLISH: Step = ("publish", {"job": "j1"})
A_RECEIVES: Step = ("receive", {"worker": "A", "message": "m2"})
A_PREPARES: Step = ("prepare", {"worker": "A"})
A_COMPLETES: Step = ("complete", {"worker": "A"})
A_FAILS: Step = ("fail", {"worker": "A"})
A_RELEASES: Step = ("release", {"worker": "A"})
A_COMPLETES_UNANSWERED: Step = ("complete", {"worker": "A", "fault": "answer_lost"})
B_PREPARES: Step = ("prepare", {"worker": "B"})
B_GETS_A_DUPLICATE: Step = ("duplicate", {"worker": "B", "message": "m2"})
B_RECEIVES: Step = ("receive", {"worker": "B", "message": "m2"})
A_DIES_WITH_THE_LEASE: Step = ("prepare", {"worker": "A", "fault": "kill_after_commit"})
A_ACKNOWLEDGES: Step = ("acknowledge", {"worker": "A"})
B_ACKNOWLEDGES: Step = ("acknowledge", {"worker": "B"})
LEASE_ENDS: Step = ("advance_to", {"deadline": "lease", "of": "j1"})
MESSAGE_RETURNS: Step = ("advance_to", {"deadline": "visibility", "of": "m2"})
RECOVERY_IS_DUE: Step = ("advance_to", {"deadline": "recovery", "of": "j1"})
SWEEP: Step = ("recover", {})

A_WORKS: History = (CREATE, PUBLISH, A_RECEIVES, A_PREPARES)
"""Worker A holds the lease of j1."""

B_TOOK_OVER: History = (*A_WORKS, MESSAGE_RETURNS, B_RECEIVES, B_PREPARES)
"""Worker B holds the lease of j1; worker A, whose lease has expired, is still at work."""
