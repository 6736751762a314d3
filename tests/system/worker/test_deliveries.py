"""Jobs through real processes: once, delivered twice, killed, of nobody, of another tenant, too often.

Where the three pipelines do the same, they do it at the same time: most of a test is waiting.
"""

from __future__ import annotations

import signal

from models_under_test.configuration import read
from models_under_test.pipelines import PIPELINES, dlq_of
from models_under_test.sqs import create_queues
from models_under_test.variables import SQS
from tests.system.worker.fleet import JOBS, SECRET, TENANT, Fleet, ended, stopped, waited_until

ONE_DELIVERY = [
    *("worker.started", "message.received", "prepare.called", "prepare.accepted", "inference.started"),
    *("finish.called", "finish.accepted", "delete.called", "message.deleted", "worker.stopped"),
]
BASIC = PIPELINES["ai"].default_queue


def work(fleet: Fleet, deliveries: int) -> None:
    """A worker in each pipeline, named after it, until each has had this many deliveries."""
    workers = [fleet.worker(name, "--max-jobs", f"{deliveries}", JOBS_WORKER_NAME=name) for name in PIPELINES]
    for done in map(ended, workers):
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_job_goes_through_each_pipeline_once(fleet: Fleet) -> None:
    """Gate report §3, items 2 to 4."""
    for name in PIPELINES:
        fleet.send(name, seconds=0.1)
    work(fleet, 1)
    for name, pipeline in PIPELINES.items():
        assert fleet.row(name) == (pipeline.statuses.done, 1, 1)
        assert fleet.in_queue(pipeline.default_queue) == 0
        assert [line["event"] for line in fleet.lines(worker=name)] == ONE_DELIVERY
    assert SECRET not in fleet.log.read_text(encoding="utf-8")


def test_duplicates_and_foreign_tenants_change_nothing(fleet: Fleet) -> None:
    for name in PIPELINES:
        fleet.send(name, tenant="t2")
        fleet.send(name)
        fleet.send(name)
    work(fleet, 3)
    for name, pipeline in PIPELINES.items():
        assert fleet.row(name) == (pipeline.statuses.done, 1, 1)
        refused = fleet.lines("prepare.refused", worker=name)
        assert {line["tenant_id"]: line["reason"] for line in refused} == {
            "t2": "no such job",
            TENANT: "ended",
        }
        why = [line["why"] for line in fleet.lines("delete.called", worker=name)]
        assert why == ["job ended", "idempotent skip"]
        assert fleet.in_queue(pipeline.default_queue) == 1, "the foreign tenant's message stays"


def test_a_killed_workers_job_is_processed_again_once(fleet: Fleet) -> None:
    """Gate report §2.2, in each pipeline: killed while RUNNING, and started again."""
    for name in PIPELINES:
        fleet.send(name, seconds=0.5)
    killed = {name: fleet.worker(name, JOBS_WORKER_NAME=f"{name}-killed") for name in PIPELINES}
    for name, pipeline in PIPELINES.items():
        fleet.wait_for("inference.started", worker=f"{name}-killed")
        killed[name].kill()
        assert ended(killed[name]).returncode == -signal.SIGKILL
        assert fleet.row(name) == (pipeline.statuses.running, 1, 0)
    work(fleet, 1)
    for name, pipeline in PIPELINES.items():
        assert fleet.row(name) == (pipeline.statuses.done, 2, 1)
        assert [line["attempt"] for line in fleet.lines("prepare.accepted", job_id=JOBS[name])] == [1, 2]
        assert len(fleet.lines("finish.accepted", job_id=JOBS[name])) == 1
        assert fleet.lines("message.received", worker=name)[0]["receive_count"] == 2


def test_messages_without_a_job_are_left_alone(fleet: Fleet) -> None:
    bodies = ["{", "[]", '{"job_id": 7, "tenant_id": "t1"}', '{"job_id": "nobody", "tenant_id": "t1"}']
    for body in bodies:
        fleet.send_raw("ai", body)
    worker = fleet.worker("ai", "--max-jobs", f"{len(bodies)}")

    assert (ended(worker).returncode, fleet.in_queue(BASIC)) == (0, len(bodies))
    received = [line["job_id"] for line in fleet.lines("message.received")]
    assert sorted(map(str, received)) == ["None", "None", "None", "nobody"]
    assert [line["reason"] for line in fleet.lines("prepare.refused")] == ["no such job"]
    assert fleet.lines("delete.called", "prepare.accepted", "call.raised") == []


def test_transient_errors_use_up_the_receives_and_a_redrive_begins_anew(fleet: Fleet) -> None:
    """Gate report §3 item 6: the DLQ is reached after three receives, the job stays RETRYING."""
    fleet.environment |= {"JOBS_VISIBILITY_SECONDS": "1", "JOBS_LEASE_MARGIN_SECONDS": "0"}
    fleet.send(ends="transient")
    worker = fleet.worker()
    fleet.wait_for("finish.accepted", operation="release", times=3)
    waited_until(lambda: fleet.in_queue(dlq_of(BASIC)) == 1, "the message in the DLQ")
    assert stopped(worker).returncode == 0
    assert fleet.row() == ("RETRYING", 3, 0)
    assert [line["receive_count"] for line in fleet.lines("message.received")] == [1, 2, 3]
    assert fleet.lines("delete.called") == []

    done = fleet.run("redrive", "--queue", "ai")
    assert (done.returncode, done.stderr) == (0, "")
    moved = fleet.lines("message.redriven")[0]
    assert moved["message_id"] == fleet.lines("message.received")[0]["message_id"] != moved["renewed"]
    assert (fleet.in_queue(BASIC), fleet.in_queue(dlq_of(BASIC))) == (1, 0)


def test_the_sweep_sends_what_its_publisher_did_not(fleet: Fleet) -> None:
    fleet.write("UPDATE ai_job SET published_at = NULL, created_at = '2020-01-01'")
    done = fleet.run("sweep", "--queue", "ai")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line["job_id"] for line in fleet.lines("message.sent")] == [JOBS["ai"]]
    assert fleet.rows("SELECT published_at IS NULL FROM ai_job") == [(0,)]


def test_enqueue_leaves_a_job_that_exists_and_sends_twice_where_asked(fleet: Fleet) -> None:
    create_queues(fleet.clients.calls, PIPELINES["ai"].queues, read(fleet.environment, {SQS}))
    chosen = ("--queue", "ai", "--tier", "lite", "--tenant", "t7", "--twice")
    done = fleet.run("enqueue", *chosen, "--job", JOBS["ai"], "new")
    assert (done.returncode, done.stderr) == (1, "there is a job j-ai already: it was left as it is\n")
    assert [line["job_id"] for line in fleet.lines("job.created", "message.sent")] == ["new"] * 3
    assert fleet.in_queue(PIPELINES["ai"].queues[0]) == 2


def test_a_planted_bug_runs_in_a_real_worker(fleet: Fleet) -> None:
    """The gate report's own rule (§2.3): the holder lives, and its message is gone."""
    fleet.send(seconds=30)
    holder = fleet.worker(JOBS_VISIBILITY_SECONDS="10")
    fleet.wait_for("inference.started")
    fleet.send()
    planted = fleet.start(
        *("worker", "--queue", "ai", "--max-jobs", "1"),
        module="models_under_test.defects",
        JOBS_DEFECT="refused_delivery_deletes_message",
    )
    assert ended(planted).returncode == 0
    assert [line["reason"] for line in fleet.lines("prepare.refused")] == ["lease live"]
    assert [line["why"] for line in fleet.lines("delete.called")] == ["idempotent skip"]
    assert fleet.row() == ("RUNNING", 1, 0)
    holder.kill()
