"""Jobs through real processes: once, delivered twice, killed, of nobody, of another tenant, too often.

Where the three pipelines do the same, they do it at the same time: most of a test is waiting.
"""

from __future__ import annotations

import signal

from models_under_test.pipelines import PIPELINES, dlq_of
from tests.worker.fleet import SECRET, Fleet, ended, stopped, waited_until

ROWS = {
    "ai": "SELECT status, attempt_count, (SELECT COUNT(*) FROM ai_result) FROM ai_job",
    "video": "SELECT status, attempt_count, (SELECT COUNT(*) FROM video_rendition) FROM video",
    "messaging": "SELECT status, attempt_count, (SELECT COUNT(*) FROM notification_log) FROM notification",
}
ONE_DELIVERY = [
    *("worker.started", "message.received", "prepare.called", "prepare.accepted", "inference.started"),
    *("finish.called", "finish.accepted", "delete.called", "message.deleted", "worker.stopped"),
]
BASIC = PIPELINES["ai"].default_queue


def enqueue_one_each(fleet: Fleet, *options: str) -> None:
    """A job j-NAME in each pipeline."""
    started = [
        fleet.start("enqueue", "--queue", name, "--job", f"j-{name}", "--tenant", "t1", *options)
        for name in PIPELINES
    ]
    assert [ended(process).returncode for process in started] == [0, 0, 0]


def test_one_job_goes_through_each_pipeline(fleet: Fleet) -> None:
    enqueue_one_each(fleet, "--request", '{"seconds": 0.1}')
    workers = [fleet.worker(name, "--max-jobs", "1", JOBS_WORKER_NAME=name) for name in PIPELINES]

    for name, done in zip(PIPELINES, map(ended, workers), strict=True):
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert fleet.rows(ROWS[name]) == [(PIPELINES[name].statuses.done, 1, 1)]
        assert fleet.in_queue(PIPELINES[name].default_queue) == 0
        assert [line["event"] for line in fleet.lines(worker=name)] == ONE_DELIVERY
    assert SECRET not in fleet.log.read_text(encoding="utf-8")


def test_a_duplicate_completes_nothing_twice(fleet: Fleet) -> None:
    enqueue_one_each(fleet, "--twice")
    workers = [fleet.worker(name, "--max-jobs", "2", JOBS_WORKER_NAME=name) for name in PIPELINES]

    for name, done in zip(PIPELINES, map(ended, workers), strict=True):
        assert (done.returncode, done.stderr) == (0, "")
        assert fleet.rows(ROWS[name]) == [(PIPELINES[name].statuses.done, 1, 1)]
        [refused] = fleet.lines("prepare.refused", worker=name)
        assert refused["reason"] == "ended"
        assert [line["why"] for line in fleet.lines("delete.called", worker=name)] == [
            "job ended",
            "idempotent skip",
        ]
        assert fleet.in_queue(PIPELINES[name].default_queue) == 0


def test_a_killed_workers_job_is_processed_again_once(fleet: Fleet) -> None:
    """Gate report §2.2, in each pipeline: killed while RUNNING, and started again."""
    enqueue_one_each(fleet, "--request", '{"seconds": 0.5}')
    for name in PIPELINES:
        killed = fleet.worker(name, JOBS_WORKER_NAME=f"{name}-killed")
        fleet.wait_for("inference.started", worker=f"{name}-killed")
        killed.kill()
        assert ended(killed).returncode == -signal.SIGKILL
        assert fleet.rows(ROWS[name]) == [(PIPELINES[name].statuses.running, 1, 0)]
    workers = [fleet.worker(name, "--max-jobs", "1", JOBS_WORKER_NAME=name) for name in PIPELINES]

    for name, done in zip(PIPELINES, map(ended, workers), strict=True):
        assert (done.returncode, done.stderr) == (0, "")
        assert fleet.rows(ROWS[name]) == [(PIPELINES[name].statuses.done, 2, 1)]
        assert [line["attempt"] for line in fleet.lines("prepare.accepted", job_id=f"j-{name}")] == [1, 2]
        assert len(fleet.lines("finish.accepted", job_id=f"j-{name}")) == 1
        assert fleet.lines("message.received", worker=name)[0]["receive_count"] == 2


def test_messages_without_a_job_of_their_tenant_are_left_alone(fleet: Fleet) -> None:
    """A body that is none, a job that is none, another tenant's job: nothing is written or deleted."""
    fleet.enqueue("j1", tenant="t1")
    worker = fleet.worker("ai", "--max-jobs", "1")
    assert ended(worker).returncode == 0
    bodies = ["{", "[]", '{"job_id": 7, "tenant_id": "t1"}', '{"job_id": "nobody", "tenant_id": "t1"}']
    for body in [*bodies, '{"job_id": "j1", "tenant_id": "t2"}']:
        fleet.send_raw(BASIC, body)
    fleet.log.unlink()
    worker = fleet.worker("ai", "--max-jobs", "5")

    assert (ended(worker).returncode, fleet.in_queue(BASIC)) == (0, 5)
    received = {line["message_id"]: line["job_id"] for line in fleet.lines("message.received")}
    assert sorted(map(str, received.values())) == ["None", "None", "None", "j1", "nobody"]
    assert [line["reason"] for line in fleet.lines("prepare.refused")] == ["no such job"] * 2
    assert fleet.lines("delete.called", "prepare.accepted", "call.raised") == []
    assert fleet.rows(ROWS["ai"]) == [("DONE", 1, 1)]


def test_a_foreign_tenants_message_touches_no_video_and_no_notification(fleet: Fleet) -> None:
    enqueue_one_each(fleet)
    for name in ("video", "messaging"):
        fleet.send_raw(PIPELINES[name].default_queue, f'{{"job_id": "j-{name}", "tenant_id": "t2"}}')
    workers = [fleet.worker(name, "--max-jobs", "2", JOBS_WORKER_NAME=name) for name in PIPELINES]

    for name in ("video", "messaging"):
        fleet.wait_for("prepare.refused", worker=name, tenant_id="t2", reason="no such job")
        fleet.wait_for("message.deleted", worker=name)
        assert fleet.rows(ROWS[name]) == [(PIPELINES[name].statuses.done, 1, 1)]
        assert fleet.in_queue(PIPELINES[name].default_queue) == 1
    assert stopped(workers[0]).returncode == 0


def test_transient_errors_use_up_the_receives_and_a_redrive_begins_anew(fleet: Fleet) -> None:
    """Gate report §3 item 6: the DLQ is reached after three receives, the job stays RETRYING."""
    fleet.environment |= {"JOBS_VISIBILITY_SECONDS": "1", "JOBS_LEASE_MARGIN_SECONDS": "0"}
    fleet.enqueue("j1", request={"ends": "transient"})
    worker = fleet.worker()
    fleet.wait_for("finish.accepted", operation="release", times=3)
    waited_until(lambda: fleet.in_queue(dlq_of(BASIC)) == 1, "the message in the DLQ")
    assert stopped(worker).returncode == 0
    assert fleet.rows(ROWS["ai"]) == [("RETRYING", 3, 0)]
    assert [line["receive_count"] for line in fleet.lines("message.received")] == [1, 2, 3]
    assert fleet.lines("delete.called") == []

    done = fleet.run("redrive", "--queue", "ai")
    assert (done.returncode, done.stderr) == (0, "")
    moved = fleet.lines("message.redriven")[0]
    assert moved["message_id"] == fleet.lines("message.sent")[0]["message_id"] != moved["renewed"]
    assert (fleet.in_queue(BASIC), fleet.in_queue(dlq_of(BASIC))) == (1, 0)


def test_the_sweep_sends_what_its_publisher_did_not(fleet: Fleet) -> None:
    fleet.enqueue("old", "young")
    fleet.write("UPDATE ai_job SET published_at = NULL")
    fleet.write("UPDATE ai_job SET created_at = '2020-01-01' WHERE job_id = 'old'")
    done = fleet.run("sweep", "--queue", "ai")

    assert (done.returncode, done.stderr) == (0, "")
    assert [line["job_id"] for line in fleet.lines("message.sent")] == ["old", "young", "old"]


def test_a_job_that_exists_is_left_as_it_is(fleet: Fleet) -> None:
    fleet.enqueue("j1")
    again = fleet.run("enqueue", "--queue", "ai", "--tier", "basic", "--job", "j1", "--tenant", "t1")
    assert (again.returncode, again.stderr) == (1, "there is a job j1 already: it was left as it is\n")
    assert len(fleet.lines("message.sent")) == 1


def test_a_planted_bug_runs_in_a_real_worker(fleet: Fleet) -> None:
    """The gate report's own rule (§2.3): the holder lives, and its message is gone."""
    fleet.enqueue("j1", request={"seconds": 30})
    holder = fleet.worker(JOBS_WORKER_NAME="holder", JOBS_VISIBILITY_SECONDS="10")
    fleet.wait_for("inference.started")
    fleet.send_raw(BASIC, '{"job_id": "j1", "tenant_id": "t1"}')
    planted = fleet.start(
        *("worker", "--queue", "ai", "--max-jobs", "1"),
        module="models_under_test.defects",
        JOBS_DEFECT="refused_delivery_deletes_message",
    )
    assert ended(planted).returncode == 0
    assert [line["reason"] for line in fleet.lines("prepare.refused")] == ["lease live"]
    assert [line["why"] for line in fleet.lines("delete.called")] == ["idempotent skip"]
    assert fleet.rows(ROWS["ai"]) == [("RUNNING", 1, 0)]
    holder.kill()
