"""Inference, log, and the entry point for planted bugs: what needs no server to be shown."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from models_under_test import log
from models_under_test.domain import Completed, Failed, Outcome, TransientError
from models_under_test.inference import Inference
from models_under_test.log import Log, LogBroken, iso


def outcome(request: str, job: str = "j1", attempt: int = 1) -> Outcome:
    inference = Inference(job, request, attempt)
    assert inference.wait(10)
    return inference.outcome


def test_inference_is_a_function_of_its_job() -> None:
    first = outcome('{"seconds": 0.05}')
    assert isinstance(first, Completed)
    assert outcome('{"seconds": 0.05}') == first
    assert outcome('{"seconds": 0.05}', "j2") != first
    assert isinstance(outcome(""), Completed)


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        ('{"ends": "complete"}', Completed),
        ('{"ends": "fail"}', Failed),
        ('{"ends": "transient"}', TransientError),
        *((nonsense, Failed) for nonsense in ("{", "[]", "7", '{"ends": "well"}', '{"seconds": -1}')),
        *((nonsense, Failed) for nonsense in ('{"seconds": "long"}', '{"seconds": NaN}', '{"other": 1}')),
    ],
)
def test_a_request_says_how_inference_ends_and_nonsense_is_a_failure(request_: str, kind: type) -> None:
    assert isinstance(outcome(request_), kind)


def test_its_first_attempts_may_fail_for_a_reason_that_passes() -> None:
    request = '{"transient_attempts": 2}'
    kinds = [type(outcome(request, attempt=attempt)) for attempt in (1, 2, 3)]
    assert kinds == [TransientError, TransientError, Completed]


def test_inference_stops_when_asked_unless_it_is_deaf() -> None:
    inference = Inference("j1", '{"seconds": 30}')
    assert not inference.wait(0.05)
    inference.cancel()
    assert inference.wait(5)
    assert isinstance(inference.outcome, TransientError)

    deaf = Inference("j1", '{"seconds": 0.5, "deaf": true}')
    deaf.cancel()
    assert not deaf.wait(0.1)


def test_a_line_is_one_object_with_the_fields_that_every_line_has(tmp_path: Path) -> None:
    path = tmp_path / "log"
    before = datetime.now(UTC)
    Log("ai-1", str(path)).write("prepare.called", "prepare_ai_job", job_id="j\n\ud800é", attempt=None)
    [text] = path.read_text(encoding="utf-8").splitlines()
    line = json.loads(text)
    assert list(line) == ["at", "event", "worker", "job_id", "attempt", "text"]
    assert (line["event"], line["worker"], line["job_id"]) == ("prepare.called", "ai-1", "j\n\ud800é")
    assert before <= datetime.fromisoformat(line["at"]) <= datetime.now(UTC)
    assert line["at"].endswith("Z")
    assert len(line["at"]) == len("2026-01-01T00:00:00.000000Z")


def test_times_are_written_in_utc_to_the_microsecond() -> None:
    seoul = datetime(2026, 1, 1, 9, 0, tzinfo=timezone(timedelta(hours=9)))
    assert iso(seoul) == iso(datetime(2026, 1, 1)) == "2026-01-01T00:00:00.000000Z"


def test_two_processes_may_share_a_file(tmp_path: Path) -> None:
    first, second = Log("a", str(tmp_path / "log")), Log("b", str(tmp_path / "log"))
    for one in (first, second, first):
        one.write("worker.stopped", "")
    lines = (tmp_path / "log").read_text().splitlines()
    assert [json.loads(line)["worker"] for line in lines] == ["a", "b", "a"]


def test_an_error_is_logged_without_secrets_and_in_one_line() -> None:
    told = Log("a", secrets=["hunter2", "hunter2-long"]).error(ValueError("no\n hunter2-long and hunter2"))
    assert told == "ValueError: no *** and ***"


def test_a_log_that_takes_no_line_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LogBroken, match="cannot be opened"):
        Log("a", str(tmp_path))
    short = Log("a", str(tmp_path / "log"))
    monkeypatch.setattr(log.os, "write", lambda file, data: len(data) - 1)
    with pytest.raises(LogBroken, match=r"took .* of the .* bytes"):
        short.write("worker.stopped", "")


def test_only_a_known_bug_can_be_planted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from models_under_test.defects.__main__ import run

    monkeypatch.setenv("JOBS_DEFECT", "none_such")
    assert run() == 2
    assert "JOBS_DEFECT is 'none_such': it must be one of" in capsys.readouterr().err
    assert "JOBS_DEFECT" not in os.environ
