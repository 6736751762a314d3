"""The gate as a user runs it: its whole output, what makes PHASE 2 incomplete, advice when it cannot begin.

``UPDATE_SNAPSHOTS=1 pytest tests/commands/gate/test_walks.py`` writes the snapshot anew; read the diff.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from statemachine.__main__ import main
from statemachine.commands.gate.report import HEADINGS
from tests.commands.gate.conftest import Walked
from tests.support.snapshots import is_as_it_was

SNAPSHOT = Path(__file__).parent / "snapshots" / "gate.txt"
GO, NO_GO = "Final verdict: **[GO]** (Big Bang GO)", "Final verdict: **[NO-GO]**"

NORMALISED: Sequence[tuple[str, str]] = (
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
    (r"\d{4}-\d\d-\d\d [\d:.]+(\+00:00)?", "TIME"),
    (r"-\d{6}\b", "-HHMMSS"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "MESSAGE"),
    (r"\b(id|video_id)=\d+", r"\1=N"),
    (r"^\d+ s; PHASE 2", "N s; PHASE 2"),
)


def normalised(lines: Sequence[str]) -> Iterator[str]:
    """Without what is new each time; and what two processes log at once in one order.

    Whether inference has begun when the worker is stopped is left to chance.
    """
    section: list[str] = []
    for line in lines:
        if re.search(r"inference of job_id=\S+ started$", line):
            continue
        for pattern, name in NORMALISED:
            line = re.sub(pattern, name, line)
        if line.startswith("TIME "):
            section.append(line)
            continue
        yield from sorted(section)
        section.clear()
        yield line


def items(walked: Walked) -> list[str]:
    """The lines of the checklist, without what was found."""
    lines = walked.ran.lines
    began = next(place for place, line in enumerate(lines) if line.startswith("PHASE 2 checklist"))
    found = [line for line in lines[began + 1 : began + 7] if line.startswith("[")]
    return [
        re.sub(r"^\[(\d)\] ([\w ]+(?:: one end to end)?)(?:: .*)? (\[[A-Z ]+\].*)$", r"\1 \2 \3", line)
        for line in found
    ]


def phase2(walked: Walked) -> str:
    [line] = [line for line in walked.ran.lines if re.match(r"PHASE 2: (in)?complete", line)]
    return line


def test_the_whole_output_is_as_it_was(walks: Mapping[str, Walked]) -> None:
    ran = walks["the correct system"].ran
    assert ran.code == 0, ran
    text = "\n".join(normalised(ran.lines)) + "\n"
    is_as_it_was(text, SNAPSHOT)


@pytest.mark.parametrize("name", ["the correct system", "on PostgreSQL"])
def test_the_correct_system_goes_and_is_complete(name: str, walks: Mapping[str, Walked]) -> None:
    walked = walks[name]
    assert walked.ran.code == 0, walked.ran
    assert GO in walked.ran.lines
    assert phase2(walked) == "PHASE 2: complete"
    assert items(walked) == [
        "1 migrate [PASS]",
        "2 AI: one end to end [PASS]",
        "3 Video: one end to end [PASS]",
        "4 Messaging: one end to end [PASS]",
        "5 Worker kill [PASS]",
        "6 DLQ [PASS]",
    ]
    assert ("PostgreSQL database statemachine_" in walked.ran.output) == (name == "on PostgreSQL")


def test_the_report_holds_all_that_was_printed(walks: Mapping[str, Walked]) -> None:
    walked = walks["the correct system"]
    assert walked.ran.lines[-1] == "gate-report.md written"
    assert walked.report.splitlines() == ["# Gate report", "", "```text", *walked.ran.lines[:-1], "```"]


def test_the_kill_test_is_logged_under_the_six_headings(walks: Mapping[str, Walked]) -> None:
    lines = walks["the correct system"].report.splitlines()
    assert [line for line in lines if re.fullmatch(r"\[\D+\]", line)] == list(HEADINGS)
    sections = {
        heading: lines[lines.index(heading) + 1 : lines.index("", lines.index(heading))]
        for heading in HEADINGS
    }
    assert all(sections.values()), "a heading without a line under it"
    started, received, killed, again, reprocessed, database = sections.values()
    assert "Worker started" in started[0]
    assert [line for line in received if "Received message" in line and "receive 1" in line]
    assert received[-1] == "status=RUNNING"
    assert re.fullmatch(r"\(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\) Worker ai-\d 프로세스 kill", killed[0])
    assert "Worker started" in again[0]
    assert len([line for line in reprocessed if "mark_done 1" in line]) == 1
    assert re.fullmatch(r"ai_job: job_id=worker-kill-test-\d{6}, status=DONE, 1행", database[0])
    assert database[1] == "ai_result: 1행 (중복 0)"


def test_the_two_queries_are_printed_with_what_they_gave(walks: Mapping[str, Walked]) -> None:
    lines = walks["the correct system"].report.splitlines()
    asked = [place for place, line in enumerate(lines) if line.startswith("SELECT ")]
    job, count = asked
    assert re.fullmatch(
        r"SELECT job_id, status, updated_at FROM ai_job WHERE job_id = 'worker-kill-test-\d{6}'", lines[job]
    )
    assert re.match(r"  worker-kill-test-\d{6} \| DONE \| ", lines[job + 1])
    assert re.fullmatch(
        r"SELECT COUNT\(\*\) FROM ai_result a JOIN ai_job j ON a\.job_id = j\.id "
        r"WHERE j\.job_id = 'worker-kill-test-\d{6}'",
        lines[count],
    )
    assert lines[count + 1] == "  1"


@pytest.mark.parametrize("how", ["TERM", "Ctrl-C"])
def test_a_polite_stop_passes_and_what_is_optional_may_be_skipped(
    how: str, walks: Mapping[str, Walked]
) -> None:
    walked = walks[f"stopped by {how}"]
    assert walked.ran.code == 0, walked.ran
    assert items(walked) == [
        "1 migrate [PASS]",
        "2 AI: one end to end [PASS]",
        "3 Video: one end to end [NOT RUN] (optional)",
        "4 Messaging: one end to end [NOT RUN] (optional)",
        "5 Worker kill [PASS]",
        "6 DLQ [PASS]",
    ]
    assert phase2(walked) == "PHASE 2: complete"
    # A worker that is asked to stop finishes its job first, so no other takes it over.
    assert f"stopped while RUNNING ({how.lower()}), reprocessed 0, DONE, 1 result" in walked.ran.output


def test_without_ai_kill_and_dlq_are_not_run_and_phase_2_is_incomplete(walks: Mapping[str, Walked]) -> None:
    walked = walks["without AI"]
    assert walked.ran.code == 1, walked.ran
    assert GO in walked.ran.lines
    assert items(walked) == [
        "1 migrate [PASS]",
        "2 AI: one end to end [NOT RUN] (optional)",
        "3 Video: one end to end [PASS]",
        "4 Messaging: one end to end [PASS]",
        "5 Worker kill [NOT RUN]",
        "6 DLQ [NOT RUN]",
    ]
    assert phase2(walked) == "PHASE 2: incomplete (Worker kill NOT RUN, DLQ NOT RUN)"


def test_a_planted_defect_makes_phase_2_incomplete_with_the_lines_that_show_it(
    walks: Mapping[str, Walked],
) -> None:
    walked = walks["a defect"]
    assert walked.ran.code == 1, walked.ran
    assert GO in walked.ran.lines, "the seven steps do not see it"
    assert items(walked)[-2:] == ["5 Worker kill [PASS]", "6 DLQ [FAIL]"]
    assert phase2(walked) == "PHASE 2: incomplete (DLQ FAIL, messages_outlive_unfinished_jobs broken)"
    assert "nothing in academy-ai-jobs-basic-dlq [FAIL]" in walked.ran.output
    assert re.search(r"  ✗ ai-\d\.log:\d+ .*deleting message", walked.ran.output)
    assert phase2(walked) in walked.report.splitlines()


def test_workers_that_crash_fail_every_item_and_the_report_is_written(walks: Mapping[str, Walked]) -> None:
    walked = walks["workers that crash"]
    assert walked.ran.code == 1, walked.ran
    assert GO in walked.ran.lines
    assert "Traceback" not in walked.ran.output
    assert "5 workers of ai in a row ended by themselves and received nothing" in walked.report
    assert phase2(walked) == ("PHASE 2: incomplete (AI: one end to end FAIL, Worker kill FAIL, DLQ FAIL)")


ADVICE = {
    "unmigrated": (
        "OperationalError: no such table: tenant: check the database settings (.env) and run migrate, then "
        "run the gate again"
    ),
    "a missing module": (
        "No module named 'django_extensions'); run from the directory that holds it, in the environment that "
        "has its requirements: activate the virtual environment, install the requirements and run the gate "
        "again"
    ),
    "an unreachable database": (
        "start it, or leave --database-server out: check the database settings (.env) and run migrate, then "
        "run the gate again"
    ),
}


@pytest.mark.parametrize("name", ADVICE)
def test_an_error_before_the_first_step_ends_with_advice(name: str, walks: Mapping[str, Walked]) -> None:
    walked = walks[name]
    assert walked.ran.code == 1, walked.ran
    advice, last = walked.ran.lines[-3], walked.ran.lines[-2]
    assert ADVICE[name] in advice, walked.ran
    assert last == NO_GO
    assert advice in walked.report
    assert "Traceback" not in walked.ran.output
    assert "s3cr3t" not in walked.ran.output


def test_a_mistyped_binding_is_a_wrong_option_and_no_missing_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["gate", "--binding", "nothing.here:Binding"]) == 4
    assert "nothing.here cannot be imported" in capsys.readouterr().err
    assert not (tmp_path / "gate-report.md").exists()


BAD = {
    "a directory": (("--report", "."), "--report .: it is a directory; name a file, gate-report.md say"),
    "no such directory": (
        ("--report", "gone/report.md"),
        "--report gone/report.md: there is no directory gone",
    ),
    "no such way to stop": (("--stop", "hug"), "hug"),
    "no such defect": (("--defect", "gremlins"), "--defect gremlins"),
}


@pytest.mark.parametrize(("options", "words"), BAD.values(), ids=BAD)
def test_a_wrong_option_gets_one_sentence(
    options: Sequence[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["gate", *options])
    except SystemExit as ended:
        code = int(ended.code or 0)
    printed = capsys.readouterr()
    assert (code, printed.out, printed.err.count("\n")) == (4, "", 1), printed
    assert words in printed.err


def test_a_pipeline_that_is_not_there_cannot_be_skipped(walks: Mapping[str, Walked]) -> None:
    ran = walks["an unknown pipeline"].ran
    assert (ran.code, len(ran.lines)) == (4, 1), ran
    assert ran.lines[0].endswith("--skip audio: there is no such pipeline; there are ai, video, messaging")
