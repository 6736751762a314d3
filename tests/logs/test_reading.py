"""What a reader passes over is counted, never fatal; several files are merged by time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from statemachine.logs import LogLine, LogPlace, Reader, judge_lines
from statemachine.logs.reading import texts
from tests.logs.writing import (
    LEASE,
    OURS,
    Values,
    accepted,
    called,
    created,
    finishing,
    prepared,
    received,
    rows_read,
    say,
)

COUNTED = ("truncated", "doubled", "foreign", "incomplete", "blank", "backwards")


def write(folder: Path, name: str, *values: Values | str) -> str:
    file = folder / name
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    file.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return str(file)


def read(*files: str) -> tuple[Reader, list[LogLine]]:
    reader = Reader()
    return reader, list(reader.lines(files))


def counted(reader: Reader) -> dict[str, int]:
    return {name: getattr(reader.skipped, name) for name in COUNTED if getattr(reader.skipped, name)}


GOOD = json.dumps(called(1))
PASSED_OVER: dict[str, tuple[str, str, str]] = {
    "cut off at its end": (GOOD[:40], "truncated", ""),
    "cut off at its beginning": (GOOD[40:], "foreign", ""),
    "empty": ("", "blank", ""),
    "plain text": ("Traceback (most recent call last):", "foreign", ""),
    "another program's": ('{"event": "http.request", "at": "now"}', "foreign", ""),
    "an event that we do not know": (json.dumps(say(1, "worker.sneezed")), "foreign", ""),
    "JSON, but no object": ("[1, 2]", "foreign", ""),
    "an object of something else": ('{"level": "info"}', "foreign", ""),
    "nested without end": ("[" * 10_000, "foreign", ""),
    "an object nested without end": ('{"a":' * 100_000, "foreign", ""),
    "without the job": (json.dumps(say(1, "prepare.called")), "incomplete", "prepare.called has no job_id"),
    "without a time": (
        '{"event": "worker.started", "worker": "A"}',
        "incomplete",
        "worker.started has no at",
    ),
    "without a worker": (
        '{"event": "worker.started", "at": "2030-10-27T12:00:00Z"}',
        "incomplete",
        "worker.started has no worker",
    ),
    "a time that is none": (
        json.dumps(called(1) | {"at": "yesterday"}),
        "incomplete",
        "prepare.called: at is 'yesterday', and must be a time such as",
    ),
    "a time that is a number": (
        json.dumps(called(1) | {"at": 7}),
        "incomplete",
        "prepare.called: at is 7, and",
    ),
    "an attempt that is no number": (
        json.dumps(accepted(1) | {"attempt": "one"}),
        "incomplete",
        "prepare.accepted: attempt is 'one', and must be a whole number",
    ),
    "a lease that is no time": (
        json.dumps(accepted(1) | {"lease_expires_at": 3540}),
        "incomplete",
        "prepare.accepted: lease_expires_at is 3540, and must be a time such as",
    ),
    "an operation that we do not know": (
        json.dumps(finishing(1, "complete") | {"operation": "explode"}),
        "incomplete",
        "finish.called: operation is 'explode', and must be complete or fail or release or close",
    ),
    "rows that are none": (
        json.dumps(rows_read(1) | {"rows": 5}),
        "incomplete",
        "rows.read: rows must be a list",
    ),
    "a row without a status": (
        json.dumps(rows_read(1, {"job_id": "j1"})),
        "incomplete",
        "a row of rows.read has no status",
    ),
}


@pytest.mark.parametrize(("text", "kind", "words"), PASSED_OVER.values(), ids=PASSED_OVER)
def test_lines_that_cannot_be_judged_are_counted_by_their_reason(
    text: str, kind: str, words: str, tmp_path: Path
) -> None:
    reader, lines = read(write(tmp_path, "log", created(), text, called(1), GOOD[:-1]))
    assert counted(reader) == {"truncated": 1 + (kind == "truncated")} | (
        {kind: 1} if kind != "truncated" else {}
    )
    assert [line.event for line in lines] == ["job.created", "prepare.called"]
    if words:
        assert reader.skipped.examples[kind][0].startswith(f"{tmp_path / 'log'}:2 {words}")


@pytest.mark.parametrize(
    ("lines", "doubled"),
    [
        ([called(1), called(1)], 1),
        ([called(1), received(1), called(1)], 1),
        ([called(1), called(2)], 0),
        ([called(1, "A"), called(1, "B")], 0),
        ([called(1, job="j1"), called(1, job="j2")], 0),
    ],
)
def test_a_line_that_is_logged_again_is_doubled(lines: list[Values], doubled: int, tmp_path: Path) -> None:
    reader, read_lines = read(write(tmp_path, "log", *lines))
    assert reader.skipped.doubled == doubled
    assert len(read_lines) == len(lines) - doubled


def test_a_log_that_was_collected_twice_is_read_once(tmp_path: Path) -> None:
    life = [created(), received(1), *prepared(2)]
    reader, lines = read(write(tmp_path, "a", *life), write(tmp_path, "b", *life))
    assert (reader.skipped.doubled, len(lines)) == (4, 4)


def test_files_are_merged_by_time_and_lines_know_where_they_stand(tmp_path: Path) -> None:
    first = write(tmp_path, "a", created(), called(2), accepted(4))
    second = write(tmp_path, "b", "", received(1, "B"), called(3, "B"))
    _, lines = read(first, second)
    assert [(line.at, line.worker) for line in lines] == [
        *[(0, "application"), (1, "B"), (2, "A"), (3, "B"), (4, "A")],
    ]
    assert [str(line.place) for line in lines][:2] == [f"{first}:1", f"{second}:2"]


def test_a_single_file_has_its_line_numbers_as_positions(tmp_path: Path) -> None:
    _, lines = read(write(tmp_path, "log", created(), "noise", called(1)))
    assert [line.position for line in lines] == [1, 3]


def test_a_clock_that_runs_back_is_named(tmp_path: Path) -> None:
    reader, lines = read(write(tmp_path, "log", created(5), called(1)))
    assert counted(reader) == {"backwards": 1}
    assert reader.skipped.examples["backwards"] == [f"{tmp_path / 'log'}:2"]
    assert len(lines) == 2


def test_times_are_exact_to_the_microsecond_and_without_a_zone_they_are_utc() -> None:
    reader = Reader()
    assert reader.moment("2030-10-27T12:00:00.000001Z") == 0
    assert reader.moment("2030-10-27T12:00:00.000002") == 0.000001
    assert reader.moment("2030-10-27T14:00:01.000001+02:00") == 1


@pytest.mark.parametrize("fraction", [0.1, 0.123456, 0.999999, 0.000001])
@pytest.mark.parametrize("off", [0, 1e-6])
def test_a_lease_is_compared_to_the_microsecond(fraction: float, off: float) -> None:
    late = round(1 + fraction, 6)
    lines = [created(), called(late), accepted(late, since=late, lease=LEASE + off)]
    values = [json.dumps(line) for line in lines]
    reader = Reader()
    result = judge_lines(
        OURS, [line for n, text in enumerate(values) if (line := reader.line(text, LogPlace("log", n)))]
    )
    assert bool(result.violations) == bool(off)


def test_bytes_that_are_no_text_do_not_end_the_reading(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(created()).encode() + b"\n\xff\xfe\x00\n")
    reader, lines = read(str(file))
    assert (len(lines), counted(reader)) == (1, {"foreign": 1})


def test_texts_are_found_again_as_far_as_the_file_is_there(tmp_path: Path) -> None:
    name = write(tmp_path, "log", "one", "two", "three")
    found = texts([LogPlace(name, 2), LogPlace(name, 9), LogPlace("gone", 1)])
    assert found == {LogPlace(name, 2): "two"}


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"none cannot be read \(No such file or directory\): name a log"):
        read(str(tmp_path / "none"))
