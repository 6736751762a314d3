"""Every claim, in the order of blame: the most specific one that fires names the failure."""

from __future__ import annotations

from statemachine.invariants import drain, leases, messages, publishing, rows, table
from statemachine.invariants.claim import HELD, Compared, Invariant, Violation
from statemachine.invariants.judge import Crashed, Judge

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

BY_NAME: dict[str, Invariant] = {claim.name: claim for claim in ALL}

__all__ = ["ALL", "BY_NAME", "HELD", "Compared", "Crashed", "Invariant", "Judge", "Violation"]
