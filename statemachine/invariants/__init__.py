"""Every claim, in the order of blame: the most specific one that fires names the failure."""

from __future__ import annotations

from statemachine.invariants import drain, leases, logged, messages, publishing, rows, table
from statemachine.invariants.claim import HELD, Compared, Invariant, Violation
from statemachine.invariants.judge import Crashed, Judge, Verdict

ALL: tuple[Invariant, ...] = (
    rows.a_job_is_created_once,
    rows.tenants_never_mix,
    publishing.published_means_committed,
    publishing.recovery_sends_only_unsent_jobs,
    rows.an_operation_touches_only_its_job,
    leases.one_holder_at_a_time,
    leases.only_the_holder_finishes,
    rows.a_result_is_written_once,
    rows.terminal_jobs_never_change,
    rows.a_job_completes_at_most_once,
    leases.a_lease_lasts_its_declared_length,
    leases.running_means_leased,
    leases.an_expired_lease_can_be_taken_over,
    leases.attempts_count_acquisitions,
    rows.transitions_are_legal,
    messages.messages_outlive_unfinished_jobs,
    messages.a_refused_delivery_waits,
    messages.messages_are_not_hurried,
    messages.no_job_is_stranded,
    drain.every_job_ends,
    drain.ended_jobs_leave_no_message,
    drain.a_killed_job_is_reprocessed_once,
    table.operations_answer_by_the_table,
    table.operations_write_by_the_table,
)

NOT_IN_LOGS: dict[Invariant, str] = {
    publishing.published_means_committed: "the line of a creation is written after its commit, before or "
    "after that of the send",
    publishing.recovery_sends_only_unsent_jobs: "what a sweep leaves out has no line",
    rows.an_operation_touches_only_its_job: "it needs all rows after each commit",
    rows.a_result_is_written_once: "results are in rows only; rows_match_the_answers counts them",
    leases.running_means_leased: "it needs the row after each commit; rows_match_the_answers sees the last",
    messages.no_job_is_stranded: "a send whose sender was killed leaves no line; every_job_ends shows it",
    table.operations_write_by_the_table: "it needs the row after each commit",
}
"""The claims that no log can be judged by, with the reason."""

IN_LOGS: tuple[Invariant, ...] = (
    *(
        claim
        for claim in ALL
        if claim not in NOT_IN_LOGS and claim is not table.operations_answer_by_the_table
    ),
    logged.rows_match_the_answers,
    table.operations_answer_by_the_table,
)
"""The claims that logs are judged by, in the order of blame."""

BY_NAME: dict[str, Invariant] = {claim.name: claim for claim in (*ALL, *IN_LOGS)}

__all__ = [
    "ALL",
    "BY_NAME",
    "HELD",
    "IN_LOGS",
    "NOT_IN_LOGS",
    "Compared",
    "Crashed",
    "Invariant",
    "Judge",
    "Verdict",
    "Violation",
]
