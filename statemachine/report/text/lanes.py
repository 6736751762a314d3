"""What each lane plays, and what it cannot show: for headers, help and the end of a run."""

from __future__ import annotations

from collections.abc import Mapping

LANES: Mapping[str, str] = {
    "embedded": "whole operations interleave on SQLite in memory, under a controlled clock",
    "transactions": "two operations at once interleave statement by statement on PostgreSQL",
    "processes": "real workers on a real database and SQS API, really killed",
}
"""By name; the lane ``NAME`` is what ``plugin/test_NAME.py`` plays."""

_NO_PROOF = "A pass does not prove the system right; it says what was tried, and how often."

LIMITS: Mapping[str, tuple[str, ...]] = {
    "embedded": (
        "SQLite ignores select_for_update: races between two open transactions were not tried.",
        _NO_PROOF,
    ),
    "transactions": (
        "At most two operations were in flight at once, and no time passed between two of their statements.",
        _NO_PROOF,
    ),
}
"""What a run cannot show, a line each, by the lanes that play examples."""
