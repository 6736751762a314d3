"""Every step of a file is checked against the operations, and named with its line, before any is played."""

from __future__ import annotations

import os
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from statemachine.history import ndjson
from statemachine.history.events import StepBegan
from statemachine.history.ndjson import Header, HistoryError
from statemachine.lifecycle import Lifecycle
from statemachine.search.corpus.entries import NOTED, Corpus, EntryKind
from statemachine.search.corpus.places import Directory
from statemachine.world.operations import OPERATIONS, histories

HEADER = Header("theirs:Binding", Lifecycle())
CREATE = StepBegan(0, 1, "create", {"job": "j1", "tenant": "t1"})


def text(operation: Any, **arguments: Any) -> str:
    return ndjson.dumps(HEADER, [CREATE, StepBegan(0, 2, operation, arguments)])


BAD: dict[str, tuple[str, str]] = {
    "a job by its number": (text("publish", job=7), "publish: job is 7, and must be text"),
    "an operation that nobody knows": (text("explode"), "there is no operation explode"),
    "an argument that nobody knows": (
        text("publish", job="j1", at_once=True),
        "publish does not take 'at_once'; it takes job, fault, at",
    ),
    "an argument that is missing": (text("receive", worker="A"), "receive needs message"),
    "a place that is true": (text("publish", job="j1", at=True), "at is True, and must be a whole number"),
    "a place that is a text": (text("publish", job="j1", at="1"), "at is '1', and must be a whole number"),
    "seconds that are true": (text("wait", seconds=True), "seconds is True, and must be a number"),
    "seconds that are a text": (text("wait", seconds="1"), "seconds is '1', and must be a number"),
    "half a second from an edge": (
        text("advance_to", deadline="lease", of="j1", offset=0.5),
        "offset is 0.5, and must be a whole number",
    ),
    "a flag that is a number": (text("mark_running", job="j1", foreign=1), "must be true or false"),
    "null for a job": (text("publish", job=None), "publish: job is None, and must be text"),
    "stepwise that is a number": (text("recover", stepwise=1), "stepwise is 1, and must be true or false"),
    "a job of another name": (
        text("create", job="job-2", tenant="t1"),
        "it creates the job 'job-2', and jobs are named after the step that creates them",
    ),
    "a job without a name": (text("create", job="", tenant="t1"), "it creates the job ''"),
}


@pytest.mark.parametrize(("bad", "words"), BAD.values(), ids=BAD)
def test_a_step_that_no_operation_takes_is_named_with_its_line(bad: str, words: str) -> None:
    with pytest.raises(HistoryError) as refused:
        histories.loads(bad, "saved.ndjson")
    assert str(refused.value).startswith("saved.ndjson, line 3: not an event of version 1 (step 2 cannot be")
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_such_an_entry_of_a_corpus_is_passed_over_with_a_note(tmp_path: Path) -> None:
    for number, (bad, _) in enumerate(BAD.values()):
        Directory(tmp_path).save(EntryKind.FAILURES, f"bad{number}", bad)
    Directory(tmp_path).save(EntryKind.FAILURES, "good", text("publish", job="j1"))
    corpus = Corpus(Directory(tmp_path), HEADER)
    (entry,) = corpus.entries()
    assert [step.operation for step in entry.steps] == ["create", "publish"]
    assert len(corpus.notes) == NOTED + 1
    assert all(note.startswith("passed over in the corpus: ") for note in corpus.notes)
    assert corpus.notes[-1].endswith(f": {len(BAD) - NOTED} more entries that cannot be played")


def test_what_lies_in_a_corpus_and_is_no_file_is_passed_over(tmp_path: Path) -> None:
    Directory(tmp_path).save(EntryKind.FAILURES, "good", text("publish", job="j1"))
    (tmp_path / "failures" / "folder.ndjson").mkdir()
    os.mkfifo(tmp_path / "failures" / "pipe.ndjson")
    (tmp_path / "failures" / "picture.ndjson").write_bytes(b"\xff\xd8\xff")
    corpus = Corpus(Directory(tmp_path), HEADER)
    assert len(corpus.entries()) == 1
    assert [note.partition("failures/")[2] for note in corpus.notes] == [
        "folder.ndjson cannot be read (it is a folder)",
        "picture.ndjson cannot be read (it is not text)",
        "pipe.ndjson cannot be read (it is no file)",
    ]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_argument_of_every_plan_has_a_check(operation: str) -> None:
    named = OPERATIONS[operation]
    assert list(named.parameters) == list(signature(named.plan).parameters)[1:]
