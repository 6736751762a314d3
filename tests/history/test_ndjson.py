"""A saved history survives the trip through its file, and a damaged file is an error with its line.

Histories are kept for years and travel between machines.  A field that is lost on the way, or a file
that is half read, would replay something else than what failed.
"""

from __future__ import annotations

import json
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
from statemachine.history.ndjson import Header, HistoryError
from statemachine.lifecycle import Answer, JobRow, Lifecycle, Operation

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
    history.StepBegan(0, 1, "create", {"job": "j1", "offset": -1, "foreign": True}, drain=True),
    history.ClockMoved(1, 0.25),
    history.Invoked(1, 1, Operation.COMPLETE, "A", "j1", "t1", 2, "r", "m1"),
    history.FaultStruck(1, 1, "answer_lost"),
    history.Committed(1, 1),
    history.Observed(1, 1, (ROW, JobRow("j2", "t2", "PENDING")), ("j3",)),
    history.Returned(1, 1, Answer.ACCEPTED, 2),
    history.Raised(1, 1, 'Error: "작업" \\ \n two lines'),
    history.Unknown(1, 1, "killed"),
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


def test_a_file_from_before_there_were_two_lanes_is_of_the_embedded_one() -> None:
    header, events = ndjson.loads(replaced(1, lane=...), "x")
    assert header == replace(HEADER, lane="embedded")
    assert events == EVERY


def test_no_kind_of_event_is_forgotten() -> None:
    defined = {kind for kind in vars(history).values() if is_dataclass(kind)}
    assert set(ndjson.KINDS.values()) == defined, "an event class is missing in history.Event"
    assert {type(event) for event in EVERY} == defined


@pytest.mark.parametrize("sample", [HEADER, STRANGE, *EVERY], ids=lambda sample: type(sample).__name__)
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
    events = [EVERY[0], history.Raised(0, 1, f"one{separator}two")]
    assert ndjson.loads(ndjson.dumps(HEADER, events), "x") == (HEADER, events)


def test_bytes_that_were_no_text_can_be_saved(tmp_path: Path) -> None:
    # What Python makes of a file name or a driver's message in another encoding.
    events = [EVERY[0], history.Raised(0, 1, b"caf\xe9".decode("ascii", "surrogateescape"))]
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
