"""Plain-text logs: the words of gate report §2.2-2.4 become lines, and a pattern file may say otherwise."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from statemachine.__main__ import main
from statemachine.logs import JudgedLog, LogPlace, Reader, judge_lines, patterns
from statemachine.logs.patterns import PatternError, load
from statemachine.report.console import MISUSED
from tests.logs.writing import OURS

SAID: dict[str, dict[str, Any]] = {
    "Worker started": {"event": "worker.started"},
    "Received message m-1 job_id=j1": {"event": "message.received", "message_id": "m-1", "job_id": "j1"},
    "prepare_ai_job job_id=j1": {"event": "prepare.called", "job_id": "j1"},
    "mark_running ok: RUNNING job_id=j1": {"event": "prepare.accepted", "job_id": "j1"},
    "prepare_ai_job -> None job_id=j1": {"event": "prepare.refused", "job_id": "j1"},
    "prepare_ai_job -> None job_id=j1, already DONE": {
        "event": "prepare.refused",
        "job_id": "j1",
        "reason": "ended",
    },
    "job_id=j1 already FAILED, idempotent skip": {
        "event": "prepare.refused",
        "job_id": "j1",
        "reason": "ended",
    },
    "idempotent skip, deleting message m-1 job_id=j1": {
        "event": "delete.called",
        "message_id": "m-1",
        "job_id": "j1",
        "why": "idempotent skip",
    },
    "deleted message m-1": {"event": "delete.called", "message_id": "m-1"},
    "mark_done 1 job_id=j1": {"event": "finish.accepted", "job_id": "j1", "operation": "complete"},
    "mark_failed job_id=j1": {"event": "finish.accepted", "job_id": "j1", "operation": "fail"},
    "mark_done refused: superseded job_id=j1": {
        "event": "finish.refused",
        "job_id": "j1",
        "operation": "complete",
    },
    "job_id=j1 released for another attempt": {
        "event": "finish.accepted",
        "job_id": "j1",
        "operation": "release",
    },
}


@pytest.mark.parametrize("said", SAID)
def test_the_words_of_the_gate_report_are_understood(said: str) -> None:
    values = load()(f"2030-10-27 12:00:01,250 INFO [ai-1] {said}")
    assert values == {"at": "2030-10-27 12:00:01.250", "worker": "ai-1", **SAID[said]}


@pytest.mark.parametrize(
    "text", ["2030-10-27 12:00:01 INFO [ai-1] nothing of ours", "Received message m-1 job_id=j1", ""]
)
def test_a_text_without_a_phrase_or_a_time_is_foreign(text: str) -> None:
    assert load()(text) is None


def test_a_log_that_names_no_worker_is_read_as_one_workers() -> None:
    values = load()("2030-10-27 12:00:01 mark_done job_id=j1")
    assert values is not None
    assert values["worker"] == "the worker"


def plain(*said: str) -> JudgedLog:
    """What comes of a plain log; each text begins with its time of day and worker."""
    reader = Reader(load())
    lines = []
    for number, text in enumerate(said, start=1):
        clock, worker, rest = text.split(" ", 2)
        lines.append(reader.line(f"2030-10-27 {clock} [{worker}] {rest}", LogPlace("log", number)))
    assert None not in lines
    return judge_lines(OURS, [line for line in lines if line is not None])


TAKEN = (
    "12:00:01 ai-1 Received message m-1 job_id=j1",
    "12:00:02 ai-1 mark_running ok: RUNNING job_id=j1",
    "13:00:02 ai-2 Received message m-1 job_id=j1",
    "13:00:03 ai-2 mark_running ok: RUNNING job_id=j1",
    "13:00:04 ai-2 mark_done 1 job_id=j1",
    "13:00:05 ai-2 deleted message m-1",
)


def test_a_kill_and_a_takeover_in_plain_text_pass() -> None:
    result = plain(*TAKEN)
    assert (result.verdict, result.doubts()) == ("PASS", [])
    assert (result.ended_once, result.takeovers) == (1, 1)


def test_claims_are_not_judged_where_plain_lines_lack_their_field() -> None:
    result = plain(*TAKEN)
    assert {"a_lease_lasts_its_declared_length", "attempts_count_acquisitions"} <= set(result.not_judged)
    assert not {"a_lease_lasts_its_declared_length", "attempts_count_acquisitions"} & set(+result.judged)


def test_a_second_mark_done_is_found() -> None:
    result = plain(*TAKEN, "13:00:09 ai-1 mark_done 1 job_id=j1")
    assert result.headline is not None
    assert result.headline.violation.invariant == "a_job_completes_at_most_once"
    assert result.ended_again == 1


TIME = "time = '(?P<at>\\S+)'\n"
WRONG = {
    "no TOML": ("time = ", "is no TOML file: "),
    "no time": ("[[phrase]]\nevent = 'worker.started'\ntext = 'x'\n", "time must be a pattern with a group"),
    "a time without its group": ("time = '.'\n", "time must be a pattern with a group (?P<at>…)"),
    "an unknown key": (
        f"{TIME}clock = 'x'\n",
        "clock is not a known key; the keys are time, worker, job and [[phrase]]",
    ),
    "no phrases": (TIME, "has no [[phrase]]: give each an event and a text"),
    "phrases that are a text": (f"{TIME}phrase = 'x'\n", "has no [[phrase]]"),
    "a phrase without a text": (
        f"{TIME}[[phrase]]\nevent = 'worker.started'\n",
        "phrase 1 must have event and text",
    ),
    "an unknown event": (
        f"{TIME}[[phrase]]\nevent = 'worker.sneezed'\ntext = 'x'\n",
        "phrase 1: 'worker.sneezed' is not a known event; the events are worker.started",
    ),
    "no regular expression": (
        f"{TIME}[[phrase]]\nevent = 'worker.started'\ntext = '('\n",
        "phrase 1: '(' is no regular expression: missing ), unterminated subpattern",
    ),
    "a pattern that is a number": (
        f"{TIME}[[phrase]]\nevent = 'worker.started'\ntext = 7\n",
        "phrase 1: 7 is no regular expression: ",
    ),
    "fields that are a text": (
        f"{TIME}[[phrase]]\nevent = 'worker.started'\ntext = 'x'\nfields = 'y'\n",
        "phrase 1: fields is 'y', and must be a table",
    ),
}


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_pattern_file_is_reported_in_one_line(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PatternError) as caught:
        load(file)
    assert words in str(caught.value)
    assert str(file) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_phrases_of_a_given_file_replace_the_shipped_ones(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        "time = '^(?P<at>\\S+)'\n[[phrase]]\nevent = 'prepare.accepted'\n"
        "text = 'took (?P<job_id>\\w+) as number (?P<attempt>\\d+)'\n",
        encoding="utf-8",
    )
    phrases = load(file)
    assert phrases("2030-10-27T12:00:00Z took j1 as number 2") == {
        "event": "prepare.accepted",
        "at": "2030-10-27T12:00:00Z",
        "job_id": "j1",
        "attempt": 2,
        "worker": "the worker",
    }
    assert phrases("2030-10-27T12:00:00Z mark_done job_id=j1") is None


LONG = {
    "already DONE ": "prepare.refused",
    "mark_running refus ": None,
    "mark_done ": "finish.accepted",
    "mark_done refus ": "finish.refused",
    "mark_failed ": "finish.accepted",
    "idempotent skip ": "delete.called",
    "prepare_ai_job -> None ": "prepare.refused",
    "prepare_ai_job  ": "prepare.called",
    "Received message  ": "message.received",
    "[a-a-a": None,
    "worker-": None,
    " worker=a-": None,
    "2030-10-27 12:00:0": None,
    "job_id= ": None,
    "delet": None,
}


@pytest.mark.parametrize("word", LONG)
def test_the_shipped_patterns_take_time_that_grows_with_the_line_and_no_faster(word: str) -> None:
    phrases = load()

    def seconds(length: int) -> float:
        text = "2030-10-27 12:00:01 [ai-1] " + (word * length)[:length]
        began = time.process_time()
        phrases(text)
        return time.process_time() - began

    # Four times the line takes four times as long; sixteen times, if each place is tried with each other.
    # The hundredth of a second is for the clock: at 20,000 characters a line takes a few milliseconds.
    few, many = (min(seconds(length) for _ in range(3)) for length in (50_000, 200_000))
    assert many < 8 * few + 0.01


EXPONENTIAL = """
time = '(?P<at>^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d)'
[[phrase]]
event = "worker.started"
text = '(a+)+b'
"""


def test_patterns_that_take_for_ever_are_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(patterns, "MOST_SECONDS", 0.2)
    (tmp_path / "mine.toml").write_text(EXPONENTIAL, encoding="utf-8")
    (tmp_path / "log").write_text(f"2030-10-27 12:00:01 {'a' * 50}\n", encoding="utf-8")
    code = main(["check-log", "--patterns", str(tmp_path / "mine.toml"), str(tmp_path / "log")])
    assert code == MISUSED
    said = capsys.readouterr().err
    assert "mine.toml: its patterns take more than 0.2 s for the line '2030-10-27 12:00:01 aaaa" in said


def test_a_line_that_is_too_long_is_counted_as_that_and_not_matched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log").write_text("already DONE " * 20_000 + "\nnothing of ours\n", encoding="utf-8")
    main(["check-log", str(tmp_path / "log")])
    said = capsys.readouterr().out
    assert "1 foreign, 0 incomplete, 1 too long to be read" in said
    assert "log:1 has more than 20000 characters" in " ".join(said.split())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = " + "[" * 5_000, "is no TOML file: it is nested too deeply"),
        ("time = '(?P<at>a{99999999999})'", "is no regular expression"),
        ("time = '(?P<at>a)'\n[[phrase]]\nevent = []\ntext = 'a'", "[] is not a known event"),
    ],
)
def test_a_pattern_file_that_is_attacked_gets_a_sentence(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    with pytest.raises(PatternError) as refused:
        load(tmp_path / "mine.toml")
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "line",
    [
        '{"event": [], "at": 1, "worker": "a"}',
        '{"event": "call.raised", "at": "2030-10-27T00:30:00Z", "worker": "a", "operation": []}',
        '{"event": "finish.called", "at": "2030-10-27T00:30:00", "worker": "", "operation": {}, "job_id": 1}',
        '{"event": "worker.started", "at": "2030-10-27T00:30:00Z", "worker": "a", "lease_seconds": 1e400}',
        '{"event": "worker.started", "at": "2030-10-27T00:30:00Z", "worker": "a", "lease_seconds": NaN}',
        '{"event": "worker.started", "at": ' + "1" * 5_000 + ', "worker": "a"}',
        '{"event": "rows.read", "at": "2030-10-27T00:30:00Z", "worker": "a", "rows": [[]]}',
        '{"event": "worker.started", "at": "0001-01-01T00:00:00+23:59", "worker": "a"}',
        '{"a":' * 50_000,
    ],
)
def test_a_line_of_json_that_is_attacked_is_passed_over(line: str) -> None:
    reader = Reader()
    reader.line(line, LogPlace("log", 1))
    assert reader.skipped.read == 1
