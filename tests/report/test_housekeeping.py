"""What ``.statemachine`` keeps, and what ``clean`` deletes: only what this project has written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from statemachine.__main__ import main
from statemachine.binding import DEFAULT_BINDING
from statemachine.history import ndjson
from statemachine.history.events import StepBegan
from statemachine.history.ndjson import Header
from statemachine.lifecycle import Lifecycle
from statemachine.report.failure_folder import FOLDER, begin_folder, digest_of
from statemachine.report.housekeeping import prune, stored_in
from statemachine.search.corpus.entries import Corpus, EntryKind
from statemachine.search.corpus.places import Directory

HEADER = Header(DEFAULT_BINDING, Lifecycle())


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    begin_folder()
    return FOLDER


def failure(root: Path, number: int) -> Path:
    """A failure folder as a run leaves it; the greater its number, the newer it is."""
    text = ndjson.dumps(
        HEADER, [StepBegan(0, number, "create", {"job": f"j{number}", "tenant": "t1"})]
    ).encode()
    folder = root / digest_of(text)[:5]
    folder.mkdir()
    for name, content in {"history.ndjson": text, "test_regression.py": b"", "timeline.html": b""}.items():
        (folder / name).write_bytes(content)
        os.utime(folder / name, (number, number))
    return folder


def names(root: Path) -> set[str]:
    return {path.name for path in root.iterdir()}


def test_the_folder_is_no_part_of_the_project_that_it_lies_in(root: Path) -> None:
    assert (root / ".gitignore").read_text().splitlines()[-1] == "*"
    (root / ".gitignore").write_text("mine\n")
    begin_folder()
    assert (root / ".gitignore").read_text() == "mine\n"


def test_the_newest_failures_are_kept_and_those_that_are_spared(root: Path) -> None:
    one, two, three, four = (failure(root, number) for number in (1, 2, 3, 4))
    assert [deleted.path for deleted in prune(root, 2, [one])] == [two]
    assert names(root) == {".gitignore", one.name, three.name, four.name}
    assert prune(root, 1, [root]) == [], "a corpus that holds them"
    assert prune(root, 1, [three / "corpus", one / "corpus"]) == [], "a corpus inside of them"


def _noted(folder: Path) -> None:
    (folder / "notes.txt").write_text("mine")


def _changed(folder: Path) -> None:
    with (folder / "history.ndjson").open("a") as file:
        file.write("{}\n")


def _edited(folder: Path) -> None:
    os.utime(folder / "test_regression.py", (1000, 1000))


def _renamed(folder: Path) -> None:
    folder.rename(folder.with_name("mine"))


def _linked(folder: Path) -> None:
    folder.rename(folder.parent.parent / "elsewhere")
    folder.symlink_to(folder.parent.parent / "elsewhere", target_is_directory=True)


def _link_inside(folder: Path) -> None:
    (folder / "timeline.html").unlink()
    (folder / "timeline.html").symlink_to(folder.parent.parent / "page.html")


@pytest.mark.parametrize("changed", [_noted, _changed, _edited, _renamed, _linked, _link_inside])
def test_what_was_not_written_by_a_run_as_it_is_stays(changed: object, root: Path) -> None:
    assert callable(changed)
    changed(failure(root, 1))
    before = sorted(root.rglob("*"))
    assert stored_in(root) == []
    assert prune(root, 0, []) == []
    assert main(["clean", "--all"]) == 0
    assert sorted(root.rglob("*")) == before


def test_clean_lists_first_and_deletes_then(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = failure(root, 1), failure(root, 2)
    Corpus(Directory(root / "corpus"), HEADER).add(EntryKind.FAILURES, [StepBegan(0, 1, "create", {})])
    (root / "README.md").write_text("mine")
    (root / "run.json").write_text("{}")
    before = sorted(root.rglob("*"))
    assert main(["clean", "--keep", "1", "--dry-run"]) == 0
    assert sorted(root.rglob("*")) == before
    said = capsys.readouterr().out
    assert f"  {old.as_posix()}   (failure, 3 files)\n" in said
    assert "2 things would be deleted in .statemachine, 3 left" in said
    assert main(["clean", "--keep", "1"]) == 0
    assert names(root) == {".gitignore", new.name, "corpus", "README.md"}
    assert main(["clean", "--all"]) == 0
    assert names(root) == {".gitignore", "README.md"}
    (root / "README.md").unlink()
    (root / "corpus").mkdir()
    (root / "corpus" / "mine.ndjson").write_text("mine")
    assert main(["clean", "--all"]) == 0
    assert (root / "corpus" / "mine.ndjson").read_text() == "mine"
    (root / "corpus" / "mine.ndjson").unlink()
    (root / "corpus").rmdir()
    assert main(["clean"]) == 0
    assert not root.exists()


def test_clean_refuses_a_folder_that_no_run_has_left(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failure(root, 1)
    link, strange = tmp_path / "link", tmp_path / "strange"
    link.symlink_to(root.resolve(), target_is_directory=True)
    strange.mkdir()
    failure(strange, 1)
    (strange / "mine.txt").write_text("mine")
    for folder, word in {
        link: "is a symbolic link",
        strange: "is not a folder of this project's findings",
        tmp_path / "gone": "is no directory",
        tmp_path: "is not a folder of this project's findings",
    }.items():
        assert main(["clean", str(folder)]) == 4
        assert f"{folder} {word}" in capsys.readouterr().err
    assert len(stored_in(root)) == len(stored_in(strange)) == 1


def test_a_folder_of_an_older_release_is_cleaned_as_well(root: Path) -> None:
    failure(root, 1)
    (root / ".gitignore").unlink()
    assert main(["clean"]) == 0
    assert not root.exists()
