"""The sight of committed rows: one query for all jobs of an example, compared with the last look.

It sees what the binding shows of a job, and of all other rows one aggregate; a column that neither
speaks of may change unseen.
"""

from __future__ import annotations

from collections.abc import Sequence

from statemachine.binding import Binding, BindingError, ObservedRow
from statemachine.lifecycle import JobRow
from statemachine.world.clock import to_seconds


class Observer:
    """Remembers the rows that it saw last, to tell what changed since."""

    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self._seen: dict[str, ObservedRow] = {}

    def changes(self, jobs: Sequence[str]) -> tuple[tuple[JobRow, ...], tuple[str, ...]] | None:
        """The rows of ``jobs`` that changed and the jobs that have no row any more; None for neither."""
        if not jobs:
            return None
        # In the order of creation, whatever order the query gives: a history must not depend on it.
        try:
            by_job = {row.job: row for row in self._binding.observe(jobs)}
        except BindingError:
            raise
        except Exception as error:
            raise BindingError(
                f"observe({list(jobs)}) raised {type(error).__name__}: {error}; it must give "
                "an ObservedRow for each of these jobs that has a row"
            ) from error
        found = {job: by_job[job] for job in jobs if job in by_job}
        if found == self._seen:
            return None
        rows = tuple(_as_row(row) for job, row in found.items() if self._seen.get(job) != row)
        gone = tuple(job for job in self._seen if job not in found)
        self._seen = found
        return rows, gone

    def others(self, jobs: Sequence[str]) -> str | None:
        """The aggregate over all rows that are not of ``jobs``; None when the binding has none."""
        aggregate = getattr(self._binding, "others", None)
        return None if aggregate is None else str(aggregate(jobs))


def _as_row(seen: ObservedRow) -> JobRow:
    return JobRow(
        seen.job,
        seen.tenant,
        seen.status,
        seen.attempt,
        seen.locked_by,
        to_seconds(seen.lease_expires_at),
        to_seconds(seen.published_at),
        seen.results,
        seen.result,
    )
