"""Lifecycles other than ours: each variant is clean, really played, and judged by what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models_under_test.binding import AIJobsBinding
from models_under_test.variants import VARIANTS
from statemachine.lifecycle import Answer, Lifecycle
from statemachine.search.control import SearchControl
from statemachine.search.engine import search, sized
from statemachine.search.run import Run, Verdict
from statemachine.world.lane import Lane

EXAMPLES = 80

DIFFERENT: dict[str, tuple[str, ...]] = {
    "ShortVisibility": ("moved to the DLQ", "lease edge 0 s"),
    "ShortLease": ("prepare: RUNNING, lease expired", "lease edge 0 s"),
    "LateCompletionRefused": ("complete: RUNNING, lease expired",),
    "ReviewRequired": ("close: RUNNING, lease live", "close: superseded, or attempt never given"),
    "FailureEndsInDone": ("fail: RUNNING, lease live", "complete: again, after its own finish"),
    "Unfenced": ("complete: RUNNING, lease live", "complete: PENDING, attempt 0"),
    "Heartbeat": ("renew: RUNNING, lease live", "renew: RUNNING, lease expired", "renew: not RUNNING"),
    "LateRenewalRefused": ("renew: RUNNING, lease expired", "complete: RUNNING, lease expired"),
    "NamedWorkers": ("prepare: RUNNING, lease expired", "killed during_inference"),
    "NothingOptional": ("publisher killed", "prepare: PENDING"),
}
"""Situations of which each variant must meet some even in a short run."""


def hunt(binding: AIJobsBinding, seed: int) -> Run:
    lane = Lane(binding)
    with lane.open():
        run = Run(lane)
        search(SearchControl(run), seed, sized(EXAMPLES))
    return run


def test_every_variant_says_what_is_different_about_it() -> None:
    assert set(DIFFERENT) == set(VARIANTS)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_is_clean_and_really_played(name: str, transactional_db: None) -> None:
    run = hunt(VARIANTS[name](), seed=31)
    assert run.verdict is Verdict.PASS, run.failure and run.failure.headline
    assert [cell for cell in DIFFERENT[name] if not run.reach.counts[cell]] == []


WRONG: dict[str, tuple[str, Lifecycle]] = {
    "the deployed lease, said to be shorter": (
        "ShortVisibility",
        replace(VARIANTS["ShortVisibility"].lifecycle, lease_seconds=1739),
    ),
    "late completion refused, said to be accepted": (
        "LateCompletionRefused",
        replace(VARIANTS["LateCompletionRefused"].lifecycle, late_completion=Answer.ACCEPTED),
    ),
    "late renewal refused, said to be accepted": (
        "LateRenewalRefused",
        replace(VARIANTS["LateRenewalRefused"].lifecycle, late_renewal=Answer.ACCEPTED),
    ),
    "late renewal accepted, said to be refused": (
        "Heartbeat",
        replace(VARIANTS["Heartbeat"].lifecycle, late_renewal=Answer.REFUSED),
    ),
    "a failure that ends in DONE, said to end in FAILED": (
        "FailureEndsInDone",
        replace(VARIANTS["FailureEndsInDone"].lifecycle, failed="FAILED"),
    ),
    "no fencing, said to be fenced": (
        "Unfenced",
        replace(VARIANTS["Unfenced"].lifecycle, fenced=True),
    ),
}


@pytest.mark.parametrize(("name", "said"), WRONG.values(), ids=WRONG)
def test_a_variant_is_judged_by_what_its_lifecycle_says(
    name: str, said: Lifecycle, transactional_db: None
) -> None:
    # Each lie is told by the first lease, late finish, failure or stale finish: 80 examples hold dozens.
    binding = VARIANTS[name]()
    binding.lifecycle = said
    assert hunt(binding, seed=31).verdict is Verdict.FAIL
