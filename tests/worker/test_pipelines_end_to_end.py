"""One job through each pipeline, by a real process, a real database file and a real SQS API."""

from __future__ import annotations

import pytest

from models_under_test.pipelines import PIPELINES
from tests.worker.fleet import SECRET, Fleet, ended

DONE_ROWS = {
    "ai": "SELECT j.status, COUNT(r.id) FROM ai_job j JOIN ai_result r ON r.job_id = j.id GROUP BY j.id",
    "video": "SELECT status, (SELECT COUNT(*) FROM video_rendition) FROM video",
    "messaging": "SELECT status, (SELECT COUNT(*) FROM notification_log) FROM notification",
}


@pytest.mark.parametrize("name", PIPELINES)
def test_one_job_goes_through(name: str, fleet: Fleet) -> None:
    pipeline = PIPELINES[name]
    fleet.enqueue("j1", queue=name, request={"seconds": 0.1})
    done = ended(fleet.worker(name, "--max-jobs", "1"))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert fleet.rows(DONE_ROWS[name]) == [(pipeline.statuses.done, 1)]
    assert fleet.in_queue(pipeline.default_queue) == 0
    told = [line["event"] for line in fleet.lines()]
    assert told == [
        *("job.created", "message.sent", "worker.started", "message.received"),
        *("prepare.called", "prepare.accepted", "inference.started", "finish.called", "finish.accepted"),
        *("delete.called", "message.deleted", "worker.stopped"),
    ]
    assert SECRET not in fleet.log.read_text(encoding="utf-8")
