"""``python -m statemachine check-log``: verdict, exit code, and every line of its report."""

from __future__ import annotations

import io
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from statemachine.__main__ import main
from statemachine.report.console import BROKEN, DONE, MISUSED
from tests.logs.writing import (
    LEASE,
    Values,
    created,
    deleting,
    finished,
    killed,
    moment,
    prepared,
    received,
    row,
    rows_read,
    say,
    sent,
    turned_down,
)

LIFE = [created(), sent(), received(1), *prepared(2), *finished(10), deleting(11)]
STARTED = say(0, "worker.started", pipeline="ai", lease_seconds=5, visibility_seconds=6, max_receives=3)
SKIPPED = [created(), received(1), *prepared(2), received(3, "B"), *turned_down(4), deleting(5, "B")]


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """With a short name, since reports that are compared word for word name files in it."""
    with tempfile.TemporaryDirectory(prefix="log-") as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """As wide as a report gets, whatever the terminal."""
    monkeypatch.setenv("COLUMNS", "100")


def write(folder: Path, *values: Values | str, name: str = "fleet.log") -> str:
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    (folder / name).write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return str(folder / name)


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    code = main(["check-log", *arguments])
    printed = capsys.readouterr()
    assert printed.err == "" or code == MISUSED
    lines = (printed.out or printed.err).splitlines()
    assert all(len(line) <= 100 for line in lines)
    return code, lines


def test_the_whole_report_of_a_log_that_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = check(capsys, write(tmp_path, *LIFE, "noise", rows_read(20, row("DONE", 1, 1))))
    assert code == DONE
    assert [line.replace(str(tmp_path), "") for line in lines[:30]] == [
        "Read      10 lines: 9 judged as 16 events",
        "          passed over: 0 cut off, 0 doubled, 1 foreign, 0 incomplete",
        "          foreign: /fleet.log:9",
        "Judged by lease 3540 s, visibility 3600 s, 3 receives: models_under_test.binding:AIJobsBinding",
        "",
        "Jobs      1, of which 0 began before the log",
        "          DONE or FAILED exactly once: 1 of 1; completed twice: 0; not ended: 0",
        "          1 acquisition, 0 takeovers",
        "          0 workers killed; 0 calls took effect without an answer",
        "",
        "Claims (times judged)",
        "  a_job_is_created_once                          1",
        "  tenants_never_mix                              0",
        "  one_holder_at_a_time                           1",
        "  only_the_holder_finishes                       1",
        "  terminal_jobs_never_change                     1",
        "  a_job_completes_at_most_once                   1",
        "  a_lease_lasts_its_declared_length              1",
        "  an_expired_lease_can_be_taken_over             0",
        "  attempts_count_acquisitions                    2",
        "  transitions_are_legal                          3",
        "  messages_outlive_unfinished_jobs               1",
        "  a_refused_delivery_waits                       0",
        "  messages_are_not_hurried                       1",
        "  rows_match_the_answers                         1",
        "  operations_answer_by_the_table                 3",
        "Not judged here",
        "  published_means_committed: the line of a creation is written after its commit, before or after",
        "    that of the send",
        "  recovery_sends_only_unsent_jobs: what a sweep leaves out has no line",
    ]
    assert lines[-1] == "PASS  no line contradicts a claim"


def test_a_failure_cites_its_line_and_shows_all_of_its_job(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = check(capsys, write(tmp_path, *SKIPPED))
    assert code == BROKEN
    assert lines[:17] == [
        "FAIL  messages_outlive_unfinished_jobs",
        "      worker B deleted the message of j1 while j1 is RUNNING.",
        "      A worker asks to delete a message only when the message's own job has ended and that is",
        "      committed.",
        "      message m1: expected kept in the queue, found delete requested",
        "      status of its job: expected terminal, found RUNNING",
        "",
        "    fleet.log:1  12:00:00.000000  application  job.created",
        "    fleet.log:2  12:00:01.000000  A  message.received",
        "    fleet.log:3  12:00:02.000000  A  prepare.called",
        "    fleet.log:4  12:00:02.100000  A  prepare.accepted",
        "    fleet.log:5  12:00:03.000000  B  message.received",
        "    fleet.log:6  12:00:04.000000  B  prepare.called",
        "    fleet.log:7  12:00:04.100000  B  prepare.refused",
        "  ✗ fleet.log:8  12:00:05.000000  B  delete.called",
        "",
        "Read      8 lines: 8 judged as 14 events",
    ]
    assert "".join(lines[-2:]).startswith("FAIL  messages_outlive_unfinished_jobs: worker B deleted")


def test_the_settings_of_another_project_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "theirs.settings")
    assert check(capsys, write(tmp_path, *LIFE))[0] == DONE


def test_several_files_are_judged_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = [line for line in SKIPPED if line["worker"] == "B"]
    ours = [line for line in SKIPPED if line["worker"] != "B"]
    files = (write(tmp_path, *ours, name="a.log"), write(tmp_path, *theirs, name="b.log"))
    code, lines = check(capsys, *files)
    assert code == BROKEN
    assert [line[4:11] for line in lines if ".log:" in line][:5] == [
        *["a.log:1", "a.log:2", "a.log:3", "a.log:4", "b.log:1"],
    ]


def test_the_standard_input_is_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{json.dumps(line)}\n" for line in SKIPPED)))
    code, lines = check(capsys, "-")
    assert code == BROKEN
    assert any(line.startswith("  ✗ stdin:8") for line in lines)


@pytest.mark.parametrize(
    ("log", "doubt"),
    [
        ([], "no line of this log could be judged"),
        (["only", "noise"], "no line of this log could be judged"),
        ([created(), received(1)], "invariant never judged: only_the_holder_finishes"),
        (
            [*LIFE, say(12, "prepare.called")],
            "1 incomplete line could not be judged, the first:",
        ),
        ([STARTED, *LIFE], "FAIL"),
        (
            [*LIFE, say(12, "worker.started", lease_seconds=9)],
            "fleet.log:9: A works with lease_seconds 9, and the log is judged by 3540",
        ),
        (
            [
                say(0, "worker.started", pipeline="ai"),
                *LIFE,
                say(12, "worker.started", "V", pipeline="video"),
            ],
            "fleet.log:10: V works with pipeline video, and the log is judged by ai",
        ),
    ],
)
def test_a_log_that_leaves_doubts_does_not_pass(
    log: list[Values | str], doubt: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = check(capsys, write(tmp_path, *log), "--declared-lifecycle")
    assert code == BROKEN
    if doubt != "FAIL":
        assert doubt in " ".join(" ".join(lines).split())
        assert lines[-1].startswith("UNKNOWN  nothing is broken, but the log cannot vouch for it")


def scaled(seconds: float) -> list[Values]:
    """The life of a job under a lease of ``seconds``."""
    life = [line.copy() for line in LIFE]
    life[4]["lease_expires_at"] = moment(2.05 + seconds)
    return life


def test_the_workers_say_by_which_lease_they_are_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(tmp_path, STARTED, *scaled(5))
    code, lines = check(capsys, log)
    assert code == DONE
    assert "Judged by lease 5 s, visibility 6 s, 3 receives: the workers' own numbers" in lines
    code, lines = check(capsys, log, "--declared-lifecycle")
    assert code == BROKEN
    assert lines[0] == "FAIL  a_lease_lasts_its_declared_length"


def test_lines_of_truncated_and_doubled_logs_do_not_fail_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = json.dumps(killed(30))[:50]
    code, lines = check(capsys, write(tmp_path, LIFE[0], *LIFE, cut))
    assert code == DONE
    assert "          passed over: 1 cut off, 1 doubled, 0 foreign, 0 incomplete" in lines


def test_a_takeover_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    late = LEASE + 3
    takeover = [received(late, "B"), *prepared(late, "B", 2), *finished(late + 1, by="B", attempt=2)]
    code, lines = check(
        capsys,
        write(tmp_path, created(), received(1), *prepared(2), killed(3), *takeover, deleting(late + 2, "B")),
    )
    assert code == DONE
    assert "          2 acquisitions, 1 takeover" in lines
    assert "          1 worker killed; 0 calls took effect without an answer" in lines


WRONG = {
    "no file": ([], "there is no log to judge: give at least one FILE"),
    "a file twice": (["a", "a"], "a FILE is named twice: name each log once"),
    "no such file": (["/none"], "/none cannot be read (No such file or directory): name a log of a worker"),
    "a folder": (["/"], "/ cannot be read (Is a directory): name a log of a worker"),
    "no binding": (["a", "--binding", "gone:B"], "--binding gone:B: gone cannot be imported"),
    "no such pattern file": (["a", "--patterns", "/none.toml"], "/none.toml"),
    "leases that are renewed": (
        ["LEASE", "--declared-lifecycle", "--binding", "models_under_test.variants:Heartbeat"],
        "this system renews its leases, and no line of a log says so",
    ),
    "a lease that cannot be": (["LEASE"], "lease_seconds is 7 and visibility_seconds 6"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_command_line_is_reported_in_one_line(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    impossible = write(tmp_path, STARTED | {"lease_seconds": 7})
    code = main(["check-log", *(impossible if one == "LEASE" else one for one in arguments)])
    lines = capsys.readouterr().err.splitlines()
    assert code == MISUSED
    assert words in lines[0]
    assert len(lines) == 1
