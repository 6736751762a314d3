"""Three orders of events in which django-q2 breaks a claim, found by search and written as plain tests.

    pytest -p statemachine.plugin --binding binding:Binding found.py

Each test fails as long as the package behaves so.  README.md says which of the three is a bug.
"""

from statemachine.regression import LeasedJobs


def begin(leased_jobs: LeasedJobs) -> None:
    leased_jobs.play("create", job="j1", tenant="t1")
    leased_jobs.play("publish", job="j1")
    leased_jobs.play("receive", worker="A", message="m2")
    leased_jobs.play("prepare", worker="A")


def test_a_result_that_cannot_be_saved_is_lost(leased_jobs: LeasedJobs) -> None:
    begin(leased_jobs)
    leased_jobs.play("complete", worker="A", fault="error_before_statement", at=3)
    leased_jobs.play("acknowledge", worker="A")
    leased_jobs.check("messages_outlive_unfinished_jobs")


def test_a_task_is_executed_again_although_its_result_is_stored(leased_jobs: LeasedJobs) -> None:
    begin(leased_jobs)
    leased_jobs.play("complete", worker="A")
    leased_jobs.play("kill_worker", worker="A")
    leased_jobs.play("advance_to", deadline="visibility", of="m2", offset=0)
    leased_jobs.play("receive", worker="B", message="m2")
    leased_jobs.play("prepare", worker="B")
    leased_jobs.check("operations_answer_by_the_table")


def test_a_late_success_replaces_a_final_failure(leased_jobs: LeasedJobs) -> None:
    begin(leased_jobs)
    leased_jobs.play("advance_to", deadline="visibility", of="m2", offset=0)
    leased_jobs.play("receive", worker="B", message="m2")
    leased_jobs.play("prepare", worker="B")
    leased_jobs.play("fail", worker="B")
    leased_jobs.play("acknowledge", worker="B")
    leased_jobs.play("complete", worker="A")
    leased_jobs.check("terminal_jobs_never_change")
