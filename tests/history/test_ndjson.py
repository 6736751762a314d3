"""A saved history survives the trip through its file, and a damaged file is an error with its line.

Histories are kept for years and travel between machines.  A field that is lost on the way, or a file
that is half read, would replay something else than what failed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statemachine.history import events as history
from statemachine.history import ndjson
from statemachine.history.events import Event
from statemachine.history.foreign import MOST_CHARACTERS
from statemachine.history.ndjson import Header, HistoryError
from statemachine.lifecycle import DIRECT, Answer, JobRow, Lifecycle, Operation

STRANGE = Lifecycle(
    lease_seconds=10,
    visibility_seconds=20,
    max_receives=5,
    inference_cap_seconds=9,
    recover_after_seconds=8,
    late_completion=Answer.REFUSED,
    late_renewal=Answer.ACCEPTED,
    fenced=False,
    offers=frozenset({Operation.RENEW, Operation.EXTEND}),
    strays=frozenset({Operation.FAIL}),
    pending="NEW",
    retrying="AGAIN",
    running="BUSY",
    done="OK",
    failed="KO",
    further_terminal=("REVIEW", "CANCELLED"),
)
HEADER = Header("a.b:C", STRANGE, 7, "bug", "transactions")
ROW = JobRow("j1", "t1", "DONE", 2, "w", 3540.5, 7, 1, "r")
EVERY: list[Event] = [
    history.StepBegan(0, 1, "create", {"job": "j1", "offset": -1, "foreign": True}),
    history.ClockMoved(1, 0.25),
    history.Invoked(1, 1, Operation.COMPLETE, "A", "j1", "t1", 2, "r", "m1"),
    history.FaultStruck(1, 1, "answer_lost"),
    history.Committed(1, 1),
    history.Observed(1, 1, (ROW, JobRow("j2", "t2", "PENDING")), ("j3",)),
    history.Returned(1, 1, Answer.ACCEPTED, 2),
    history.Killed(1, "A", "after_finish_commit"),
    history.PublicationQueued(1, 1, "j1", "t1"),
    history.PublicationLost(1, "j1"),
    history.Sent(1, "m1", "j1", "t1", 1, forged=True, delay=900),
    history.Delivered(1, "m1", "m1#1", "A", 1, 3601, duplicate=True),
    history.DeleteRequested(1, "m1", "m1#1", "A", effective=False),
    history.VisibilityChanged(1, "m1", "m1#1", "A", 5, effective=False),
    history.DeadLettered(1, "m1"),
    history.Redriven(1, "m1", "m2"),
    history.MessageCameBack(1, "m1"),
    history.DrainBegan(1),
    history.DrainEnded(1, "j1 is RUNNING"),
    history.ClockSkewed(1, "A", -20),
    history.OthersCounted(1, "(3, 1, None)"),
    history.Assumed(1, ROW, anew=True),
    history.MessagePlaced(1, "m1", "j1", "t1", "queue"),
    history.RowRead(1, ROW),
    history.StatementBegan(1, 1, "SELECT ai_job FOR UPDATE"),
    history.LockWaited(1, 1, 2),
    history.LockGranted(1, 1),
    history.Invoked(1, 2, Operation.FAIL, "A", "j1", "t1", 2, "r", "m1"),
    history.Raised(1, 2, 'Error: "작업" \\ \n two lines'),
    history.Invoked(1, 3, Operation.FAIL, "A", "j1", "t1", 2, "r", "m1"),
    history.Unknown(1, 3, "killed"),
    history.StepBegan(1, 2, "create", {"job": "j1"}, drain=True),
]
TEXT = ndjson.dumps(HEADER, EVERY)
LIFECYCLE = json.loads(TEXT.splitlines()[0])["lifecycle"]


def replaced(line: int, **changes: Any) -> str:
    """The good text with keys of one line (from 1) changed; a value of ``...`` removes the key."""
    lines = TEXT.splitlines()
    values = json.loads(lines[line - 1]) | changes
    lines[line - 1] = json.dumps({key: value for key, value in values.items() if value is not ...})
    return "\n".join(lines) + "\n"


def test_every_kind_of_event_survives_the_round_trip() -> None:
    assert ndjson.loads(TEXT, "x") == (HEADER, EVERY)
    assert ndjson.dumps(*ndjson.loads(TEXT, "x")) == TEXT


def test_a_file_from_before_renewals_had_a_policy_of_their_own_is_read() -> None:
    older = {name: value for name, value in LIFECYCLE.items() if name != "late_renewal"}
    header, events = ndjson.loads(replaced(1, lifecycle=older), "x")
    assert header == replace(HEADER, lifecycle=replace(STRANGE, late_renewal=None))
    assert events == EVERY


def test_a_file_from_before_direct_calls_could_be_left_out_has_them_all() -> None:
    older = {name: value for name, value in LIFECYCLE.items() if name != "strays"}
    header, _ = ndjson.loads(replaced(1, lifecycle=older), "x")
    assert header == replace(HEADER, lifecycle=replace(STRANGE, strays=frozenset(DIRECT)))


def test_a_file_from_before_there_were_two_lanes_is_of_the_embedded_one() -> None:
    header, events = ndjson.loads(replaced(1, lane=...), "x")
    assert header == replace(HEADER, lane="embedded")
    assert events == EVERY


def test_no_kind_of_event_is_forgotten() -> None:
    defined = {kind for kind in vars(history).values() if is_dataclass(kind)}
    assert set(ndjson.KINDS.values()) == defined, "an event class is missing in history.Event"
    assert {type(event) for event in EVERY} == defined


@pytest.mark.parametrize("sample", [HEADER, STRANGE, *EVERY[1:]], ids=lambda sample: type(sample).__name__)
def test_the_samples_leave_no_field_at_its_default(sample: Event | Header | Lifecycle) -> None:
    # Or a field that is lost on the way would come back as its default, unnoticed.
    for field in fields(sample):
        assert field.default is MISSING or getattr(sample, field.name) != field.default, field.name


def test_what_comes_back_has_its_types_again() -> None:
    _, events = ndjson.loads(TEXT, "x")
    invoked, observed, returned = events[2], events[5], events[6]
    assert isinstance(invoked, history.Invoked)
    assert invoked.operation is Operation.COMPLETE
    assert isinstance(observed, history.Observed)
    assert all(isinstance(row, JobRow) for row in observed.rows)
    assert isinstance(returned, history.Returned)
    assert returned.answer is Answer.ACCEPTED


def test_one_event_is_one_line() -> None:
    assert len(TEXT.split("\n")) == 1 + len(EVERY) + 1
    assert TEXT.endswith("}\n")


@pytest.mark.parametrize("separator", ["\r\n", "\t", "\u2028", "\x85"], ids=ascii)
def test_line_separators_inside_of_an_error_do_not_break_its_line(separator: str) -> None:
    events = [EVERY[0], EVERY[2], history.Raised(0, 1, f"one{separator}two")]
    assert ndjson.loads(ndjson.dumps(HEADER, events), "x") == (HEADER, events)


def test_bytes_that_were_no_text_can_be_saved(tmp_path: Path) -> None:
    # What Python makes of a file name or a driver's message in another encoding.
    events = [EVERY[0], EVERY[2], history.Raised(0, 1, b"caf\xe9".decode("ascii", "surrogateescape"))]
    file = tmp_path / "history.ndjson"
    file.write_text(ndjson.dumps(HEADER, events), encoding="utf-8")
    assert ndjson.read(file) == (HEADER, events)


FOREIGN, BROKEN = "is not a history of this project", "line 1: its header is broken"
LAST = len(TEXT.splitlines())

DAMAGED: dict[str, tuple[str, str]] = {
    "empty": ("", FOREIGN),
    "blank": ("\n\n", FOREIGN),
    "prose": ("Once upon a time\n", FOREIGN),
    "foreign JSON": ('{"name": "package.json"}\n', FOREIGN),
    "a JSON list": ("[1, 2]\n", FOREIGN),
    "a JSON text": ('"leased-job-history"\n', FOREIGN),
    "another format": (replaced(1, format="cast"), FOREIGN),
    "a later version": (replaced(1, version=2), "of version 2 and this statemachine reads version 1"),
    "no version": (replaced(1, version=...), "of version None"),
    "no lifecycle": (replaced(1, lifecycle=...), BROKEN),
    "a lifecycle that is a text": (replaced(1, lifecycle="3540"), BROKEN),
    "a lifecycle with a single field": (replaced(1, lifecycle={"lease_seconds": 1}), BROKEN),
    "an impossible lifecycle": (
        replaced(1, lifecycle=LIFECYCLE | {"lease_seconds": 0}),
        "lease_seconds is 0",
    ),
    "an unknown field of the lifecycle": (replaced(1, lifecycle=LIFECYCLE | {"lease": 3540}), BROKEN),
    "an unknown policy": (replaced(1, lifecycle=LIFECYCLE | {"late_completion": "perhaps"}), BROKEN),
    "an unknown operation on offer": (replaced(1, lifecycle=LIFECYCLE | {"offers": ["explode"]}), BROKEN),
    "an operation that is not optional": (
        replaced(1, lifecycle=LIFECYCLE | {"offers": ["create"]}),
        "offers names create",
    ),
    "offers that are a number": (replaced(1, lifecycle=LIFECYCLE | {"offers": 1}), BROKEN),
    "terminal statuses that are a number": (
        replaced(1, lifecycle=LIFECYCLE | {"further_terminal": 1}),
        BROKEN,
    ),
    "no binding": (replaced(1, binding=...), BROKEN),
    "a step whose number is a text": (replaced(2, step="1"), "line 2: not an event"),
    "a step with a list in its arguments": (replaced(2, arguments={"job": ["j1"]}), "line 2: not an event"),
    "a seed that is a text": (replaced(1, seed="7"), "seed is '7', and must be a whole number or null"),
    "a seed that is true": (replaced(1, seed=True), "seed is True, and must be a whole number"),
    "a binding that is a number": (replaced(1, binding=7), "binding is 7, and must be text"),
    "a lane that is a list": (replaced(1, lane=[]), "lane is [], and must be text"),
    "a binding of half a character": (replaced(1, binding="\ud800:B"), "binding is"),
    "a binding without end": (replaced(1, binding="b" * 100_000), "at most 1000 characters long"),
    "a header field of another release": (replaced(1, weather="fine"), "Header has no 'weather'"),
    "a version that is true": (replaced(1, version=True), "is a history of version True"),
    "a lease that is a text": (
        replaced(1, lifecycle=LIFECYCLE | {"lease_seconds": "10"}),
        "lease_seconds is '10', and must be a number",
    ),
    "a lease that is infinite": (
        replaced(1).replace('"lease_seconds": 10', '"lease_seconds": 1e400'),
        "lease_seconds is inf, and must be a number",
    ),
    "a fence that is a number": (replaced(1, lifecycle=LIFECYCLE | {"fenced": 1}), "must be true or false"),
    "a status that is a list": (
        replaced(1, lifecycle=LIFECYCLE | {"pending": []}),
        "pending is [], and must be text",
    ),
    "a step whose number is true": (replaced(2, step=True), "step is True, and must be a whole number"),
    "a step whose number is negative": (replaced(2, step=-1), "step is -1, and steps are counted from 1"),
    "a step with a number without end": (replaced(2, step=10**30), "must be a whole number of at most"),
    "a step twice": (
        TEXT.replace("\n", "\n" + TEXT.split("\n")[1] + "\n", 1),
        "line 3: not an event of version 1 (an earlier line is step 1 too)",
    ),
    "a step after the drain": (
        TEXT
        + json.dumps({"event": "StepBegan", "at": 1, "step": 9, "operation": "recover", "arguments": {}}),
        "step 9 comes after the drain",
    ),
    "a step whose operation is a list": (replaced(2, operation=[]), "operation is [], and must be text"),
    "a step whose drain is a number": (replaced(2, drain=1), "drain is 1, and must be true or false"),
    "no step before the drain": (replaced(2, drain=True), "holds no step"),
    "half a character in an argument": (replaced(2, arguments={"job": "\ud800"}), "job is"),
    "a NUL in an argument": (replaced(2, arguments={"job": "j\0"}), "that UTF-8 and a database can hold"),
    "an argument without end": (replaced(2, arguments={"job": "j" * 5000}), "at most 1000 characters long"),
    "an infinite argument": (
        replaced(2, arguments={"seconds": 0.5}).replace("0.5", "-1e400"),
        "must be a number of at most",
    ),
    "no number": (replaced(2, arguments={"seconds": float("nan")}), "NaN is no number of JSON"),
    "a field twice": (
        replaced(3).replace('{"event": "ClockMoved"', '{"since": 0, "event": "ClockMoved"'),
        "line 3: not an event of version 1 ('since' is in it twice)",
    ),
    "a time that is a text": (replaced(3, at="now"), "at is 'now', and must be a number"),
    "a call that is true": (replaced(5, call=True), "call is True, and must be a whole number"),
    "a call that never began": (replaced(6, call=9), "call 9 was begun by no earlier line"),
    "a call twice": (
        TEXT.replace('"event": "Invoked", "at": 1, "call": 2', '"event": "Invoked", "at": 1, "call": 1'),
        "call 1 was begun by an earlier line",
    ),
    "an answer twice": (
        TEXT.replace('"event": "Raised", "at": 1, "call": 2', '"event": "Raised", "at": 1, "call": 1'),
        "call 1 was ended by an earlier line",
    ),
    "a row whose attempt is a text": (
        replaced(7, rows=[["j1", "t1", "DONE", "2"]]),
        "a list whose attempt, here '2', is a whole number",
    ),
    "jobs that are gone by their number": (replaced(7, gone=[3]), "gone is [3], and must be a list"),
    "cut in its last line": (TEXT[:-9], f"line {LAST}: not an event"),
    "cut in its header": (TEXT[:30], FOREIGN),
    "a blank line": (TEXT.replace("\n", "\n\n", 1), "line 2: not an event"),
    "an unknown event": (replaced(4, event="Exploded"), "line 4: not an event"),
    "no event": (replaced(4, event=...), "line 4: not an event"),
    "an unknown field": (replaced(3, weather="fine"), "line 3: not an event"),
    "a missing field": (replaced(5, fault=...), "line 5: not an event"),
    "an unknown operation": (replaced(4, operation="explode"), "line 4: not an event"),
    "an unknown answer": (replaced(8, answer="perhaps"), "line 8: not an event"),
    "a row that is too long": (replaced(7, rows=[[0] * 10]), "line 7: not an event"),
    "rows that are a number": (replaced(7, rows=1), "line 7: not an event"),
    "a line that is a list": (TEXT + "[]\n", f"line {LAST + 1}: not an event"),
    "a line that is a number": (TEXT + "1\n", f"line {LAST + 1}: not an event"),
    "a header alone": (ndjson.dumps(HEADER, []), "holds no step"),
    "no step": (ndjson.dumps(HEADER, EVERY[1:]), "holds no step"),
}


@pytest.mark.parametrize(("text", "words"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_history_is_an_error_that_says_where(text: str, words: str) -> None:
    with pytest.raises(HistoryError) as refused:
        ndjson.loads(text, "some/history.ndjson")
    assert str(refused.value).startswith("some/history.ndjson")
    assert words in str(refused.value)


@pytest.mark.parametrize("text", ["[" * 100_000, TEXT + "[" * 100_000], ids=["header", "event"])
def test_a_file_nested_without_end_is_an_error_too(text: str) -> None:
    with pytest.raises(HistoryError):
        ndjson.loads(text, "x")


def test_a_line_without_end_is_an_error_too() -> None:
    text = replaced(4, payload="r" * MOST_CHARACTERS)
    with pytest.raises(HistoryError, match=r"^x, line 4: .*characters, and at most 4194304 are read"):
        ndjson.loads(text, "x")


def test_a_long_answer_of_the_system_is_read() -> None:
    text = replaced(4, payload="r" * 1_000_000)
    assert ndjson.loads(text, "x")[1][2] == replace(EVERY[2], payload="r" * 1_000_000)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"^/dev/zero cannot be read \(it is no file\)"):
        ndjson.read(Path("/dev/zero"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(HistoryError, match=r"pipe cannot be read \(it is no file\)"):
        ndjson.read(tmp_path / "pipe")


def _nothing(path: Path) -> Path:
    return path / "missing.ndjson"


def _empty_folder(path: Path) -> Path:
    return path


def _binary_file(path: Path) -> Path:
    (path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF")
    return path / "photo.jpg"


def _folder_in_the_place_of_the_file(path: Path) -> Path:
    (path / "history.ndjson").mkdir()
    return path


@pytest.mark.parametrize("make", [_nothing, _empty_folder, _binary_file, _folder_in_the_place_of_the_file])
def test_what_cannot_be_read_is_an_error_that_names_the_file(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = make(tmp_path)
    with pytest.raises(HistoryError) as refused:
        ndjson.read(path)
    file = path / "history.ndjson" if path.is_dir() else path
    assert str(refused.value).startswith(f"{file} cannot be read (")


def test_a_file_and_its_folder_are_read_alike(tmp_path: Path) -> None:
    file = tmp_path / "history.ndjson"
    file.write_text(TEXT, encoding="utf-8", newline="\r\n")  # as an editor on Windows may leave it
    assert ndjson.read(file) == ndjson.read(tmp_path) == (HEADER, EVERY)


def loads_or_refuses(text: str) -> None:
    """Anything but a history or a HistoryError that names the file is a bug."""
    try:
        header, events = ndjson.loads(text, "fuzzed.ndjson")
    except HistoryError as error:
        refusal = str(error)
    else:
        assert isinstance(header, Header)
        assert all(type(event) in ndjson.KINDS.values() for event in events)
        return
    assert refusal.startswith("fuzzed.ndjson")


FUZZ = settings(max_examples=300, database=None, deadline=None)
PLACES = st.integers(0, len(TEXT))


@FUZZ
@given(start=PLACES, length=st.integers(0, 40), insertion=st.text(max_size=5), tail=PLACES)
def test_cut_and_scribbled_files_load_or_are_refused(
    start: int, length: int, insertion: str, tail: int
) -> None:
    loads_or_refuses((TEXT[:start] + insertion + TEXT[start + length :])[: max(start, tail)])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@FUZZ
@given(data=st.data(), line=st.integers(1, LAST), value=JSON)
def test_files_with_a_foreign_value_load_or_are_refused(data: st.DataObject, line: int, value: Any) -> None:
    keys = list(json.loads(TEXT.splitlines()[line - 1]))
    loads_or_refuses(replaced(line, **{data.draw(st.sampled_from(keys)): value}))
