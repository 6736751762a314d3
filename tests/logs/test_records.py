"""Plain logs that only record that a job was done: gate report §2.3 wants one such record a job."""

from __future__ import annotations

from pathlib import Path

import pytest

from statemachine.lifecycle import Lifecycle
from statemachine.logs import JudgedLog, Reader, judge_lines
from statemachine.logs.patterns import load

BEGUN = (
    "2026-11-22 10:00:01,000 INFO {0} Received message job_id=kt-1",
    "2026-11-22 10:00:01,050 INFO {0} prepare_ai_job -> mark_running ok job_id=kt-1",
    "2026-11-22 10:05:00,000 INFO {0} mark_done job_id=kt-1",
)
SKIPPED = "2026-11-22 11:00:00,000 INFO {0} prepare_ai_job -> None, already DONE job_id=kt-1"
DONE_AGAIN = "2026-11-22 11:00:00,000 INFO {0} mark_done job_id=kt-1"


def judged(folder: Path, *lines: str) -> JudgedLog:
    file = folder / "plain.log"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return judge_lines(Lifecycle(), Reader(load()).lines([str(file)]))


@pytest.mark.parametrize("name", ["worker-{}", "[worker-{}]", "worker=ai-{}"])
@pytest.mark.parametrize("second", [1, 2])
def test_a_second_record_of_a_completion_is_a_second_completion(
    name: str, second: int, tmp_path: Path
) -> None:
    begun = [line.format(name.format(1)) for line in BEGUN]
    found = judged(tmp_path, *begun, DONE_AGAIN.format(name.format(second)))
    (cited,) = found.violations
    assert cited.violation.invariant == "a_job_completes_at_most_once"
    assert cited.line.place.number == 4
    assert found.ended_again == 1


@pytest.mark.parametrize("name", ["worker-{}", "[worker-{}]", "worker=ai-{}"])
def test_a_skip_after_a_completion_is_none(name: str, tmp_path: Path) -> None:
    begun = [line.format(name.format(1)) for line in BEGUN]
    found = judged(tmp_path, *begun, SKIPPED.format(name.format(2)))
    assert found.violations == []
    assert (found.ended_once, found.ended_again) == (1, 0)
