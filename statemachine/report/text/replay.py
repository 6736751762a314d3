"""What came of a replay, in one sentence."""

from __future__ import annotations

from statemachine.search.triage.replay import Replayed, ReplayOutcome

_MENDED = "every step went as it was saved, and nothing is broken any more"


def replay_sentence(played: Replayed) -> str:
    """Return the outcome and its reason: ``FIXED  step 7 no longer happens: …``."""
    gap = " " if played.outcome is ReplayOutcome.DIVERGED else "  "
    return f"{played.outcome}{gap}{replay_reason(played)}"


def replay_reason(played: Replayed) -> str:
    """Return what the outcome rests on; for REPRODUCED, the story of the broken claim."""
    difference, failure = played.difference, played.failure
    if played.outcome is ReplayOutcome.REPRODUCED and failure is not None:
        return failure.headline.story
    if difference is None:
        return _MENDED
    step = difference.step
    if step is None:
        return f"in the drain: expected {difference.expected}, got {difference.got}"
    if played.outcome is ReplayOutcome.FIXED:
        return f"step {step.step} no longer happens: {difference.refused}"
    got = f"got: {difference.refused}" if difference.refused else f"got {difference.got}"
    return f"at step {step.step} ({step.operation}): expected {difference.expected}, {got}"
