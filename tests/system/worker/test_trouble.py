"""Signals, time that is up, and servers that are away: a real worker loses no message over any of it."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

import pytest

from models_under_test.pipelines import PIPELINES
from models_under_test.worker import STUCK
from tests.system.worker.conftest import StartMoto
from tests.system.worker.fleet import Fleet, ended, stopped

BASIC = PIPELINES["ai"].default_queue


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_while_polling_is_heard_at_once(number: int, fleet: Fleet) -> None:
    worker = fleet.worker(JOBS_POLL_SECONDS="20")
    fleet.wait_for("worker.started")
    began = time.monotonic()
    done = stopped(worker, number)
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - began < 5, "and not after the 20 s of the poll"
    assert [line["event"] for line in fleet.lines()][-2:] == ["worker.stopping", "worker.stopped"]


def test_a_stop_lets_inference_end_within_the_grace_and_takes_nothing_new(fleet: Fleet) -> None:
    """It runs past its message's visibility, which it extends: no other worker ever gets the message."""
    fleet.send(seconds=2.8)
    worker = fleet.worker(JOBS_EXTEND_EVERY_SECONDS="0.5", JOBS_INFERENCE_CAP_SECONDS="30")
    fleet.wait_for("inference.started")
    other = fleet.worker(JOBS_WORKER_NAME="other")
    fleet.wait_for("visibility.extended", times=4)
    assert stopped(other).returncode == 0
    told = [line["event"] for line in fleet.lines(worker="other")]
    assert told == ["worker.started", "worker.stopping", "worker.stopped"]
    worker.send_signal(signal.SIGTERM)
    fleet.send_raw("ai", "what a living worker would take")
    done = ended(worker)
    assert (done.returncode, done.stderr) == (0, "")
    assert (fleet.row(), fleet.in_queue(BASIC)) == (("DONE", 1, 1), 1)


def test_inference_that_outlasts_the_grace_is_released(fleet: Fleet) -> None:
    fleet.send(seconds=30)
    worker = fleet.worker(JOBS_GRACE_SECONDS="0.2")
    fleet.wait_for("inference.started")
    done = stopped(worker, signal.SIGINT)
    assert (done.returncode, done.stderr) == (0, "")
    assert fleet.row() == ("RETRYING", 1, 0)
    assert fleet.in_queue(BASIC) == 1
    assert fleet.lines("inference.cut")[0]["reason"].startswith("SIGINT")
    assert fleet.lines("finish.accepted")[0]["text"].count("released for another attempt") == 1


def test_a_second_signal_ends_it_at_once(fleet: Fleet) -> None:
    fleet.send(seconds=30)
    worker = fleet.worker(JOBS_GRACE_SECONDS="30")
    fleet.wait_for("inference.started")
    worker.send_signal(signal.SIGTERM)
    fleet.wait_for("worker.stopping")
    assert stopped(worker).returncode == 128 + signal.SIGTERM
    assert fleet.row() == ("RUNNING", 1, 0), "as if it had been killed"


def test_deaf_inference_is_cut_at_its_cap_and_its_process_gives_way_to_a_clean_one(fleet: Fleet) -> None:
    fleet.send(seconds=30, deaf=True)
    done = ended(fleet.worker(JOBS_INFERENCE_CAP_SECONDS="0.3"))
    assert (done.returncode, done.stderr) == (STUCK, "")
    assert fleet.row() == ("RETRYING", 1, 0)
    [cut] = fleet.lines("inference.cut")
    assert (cut["stuck"], cut["reason"]) == (True, "cap of 0.3 s reached")
    assert fleet.lines("delete.called") == []


def test_a_worker_outlives_its_queue(fleet: Fleet, start_moto: StartMoto) -> None:
    """SQS is away when the worker starts, comes without the queue, then with it, and goes once more."""
    with start_moto(0) as port:
        pass
    fleet.move_to(f"http://127.0.0.1:{port}")
    worker = fleet.worker()
    away = fleet.wait_for("call.raised", operation="receive")
    assert "EndpointConnectionError" in away["error"]
    with start_moto(port):
        fleet.make_queues()
        fleet.send(ends="fail")
        fleet.wait_for("message.deleted")
        times = len(fleet.lines("call.raised"))
    fleet.wait_for("call.raised", times=times + 1)
    done = stopped(worker)
    assert (done.returncode, done.stderr) == (0, "")
    assert fleet.row() == ("FAILED", 1, 0)


def test_nothing_is_received_while_the_database_is_away(fleet: Fleet) -> None:
    aside, nonsense = fleet.folder / "aside", fleet.folder / "nonsense"
    fleet.environment |= {"JOBS_VISIBILITY_SECONDS": "1", "JOBS_LEASE_MARGIN_SECONDS": "0"}
    fleet.send()
    shutil.move(fleet.database, aside)
    nonsense.write_text("not a database " * 1000)
    nonsense.rename(fleet.database)
    worker = fleet.worker("ai")
    fleet.wait_for("call.raised", operation="prepare")
    # Its message is visible again after 1 s; by then the pauses have been 0.2, 0.4 and 0.8 s.
    fleet.wait_for("call.raised", operation="receive", times=3)
    assert len(fleet.lines("message.received")) == 1, "each receive in vain would bring the DLQ nearer"
    aside.rename(fleet.database)
    fleet.wait_for("message.deleted")
    assert stopped(worker).returncode == 0
    assert fleet.row() == ("DONE", 1, 1)


def test_a_schema_that_is_missing_costs_receives_but_no_message(fleet: Fleet) -> None:
    fleet.send()
    fleet.write("ALTER TABLE ai_job RENAME TO elsewhere")
    worker = fleet.worker("ai")
    assert "no such table" in fleet.wait_for("call.raised", operation="prepare")["error"]
    fleet.write("ALTER TABLE elsewhere RENAME TO ai_job")
    fleet.wait_for("message.deleted")
    assert stopped(worker).returncode == 0
    assert fleet.row() == ("DONE", 1, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a file that takes no byte is needed")
def test_without_a_log_it_does_not_work(fleet: Fleet) -> None:
    fleet.send()
    done = ended(fleet.worker(JOBS_LOG_FILE="/dev/full"))
    assert done.returncode == 1
    assert done.stderr.startswith("python -m models_under_test worker: the log /dev/full takes no more lines")
    assert (done.stderr.count("\n"), fleet.row()) == (1, ("PENDING", 0, 0))


def test_no_password_is_printed_when_the_database_server_is_away(fleet: Fleet) -> None:
    url = "postgresql://user:hunter2-and-more@127.0.0.1:9/jobs"
    done = fleet.run("migrate", JOBS_DATABASE_URL=url)
    assert done.returncode == 1
    assert done.stderr.startswith("python -m models_under_test migrate: OperationalError: ")
    assert done.stderr.count("\n") == 1
    assert "hunter2" not in done.stdout + done.stderr
