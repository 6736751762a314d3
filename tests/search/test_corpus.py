"""A corpus keeps each history once, reads what it can, and loses nothing when its place fails."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from statemachine.history.events import DrainBegan, StepBegan
from statemachine.history.ndjson import Header
from statemachine.lifecycle import Lifecycle
from statemachine.search.corpus.entries import Corpus, EntryKind, entry_of
from statemachine.search.corpus.places import Directory, PlaceError, place_for
from statemachine.search.corpus.selection import KEPT, Selection, cover

OURS = Header("theirs:Binding", Lifecycle())


def history(*jobs: str) -> list[StepBegan]:
    return [
        StepBegan(0, number, "create", {"job": job, "tenant": "t1"})
        for number, job in enumerate(jobs, start=1)
    ]


class FullDisk(Directory):
    """A directory on a disk that is full until ``room`` is true."""

    room = False

    def save(self, kind: str, name: str, text: str) -> None:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().save(kind, name, text)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(Directory(tmp_path / "corpus"), OURS)


def again(corpus: Corpus, header: Header = OURS) -> Corpus:
    """The same place, as another run finds it."""
    return Corpus(corpus.place, header)


def test_no_directory_is_made_before_the_first_entry(corpus: Corpus, tmp_path: Path) -> None:
    assert corpus.entries() == []
    assert list(tmp_path.iterdir()) == []


def test_entries_are_read_back_failures_first_and_short_ones_first(corpus: Corpus) -> None:
    corpus.add(EntryKind.SITUATIONS, history("j1"))
    corpus.add(EntryKind.FAILURES, history("j1", "j2", "j3"))
    corpus.add(EntryKind.FAILURES, history("j1", "j2"))
    found = again(corpus).entries()
    assert [(entry.kind, len(entry.steps)) for entry in found] == [
        (EntryKind.FAILURES, 2),
        (EntryKind.FAILURES, 3),
        (EntryKind.SITUATIONS, 1),
    ]
    assert found[0].steps[1] == (2, "create", {"job": "j2", "tenant": "t1"})


def test_the_same_steps_from_two_runs_are_one_entry(corpus: Corpus, tmp_path: Path) -> None:
    for seed in (1, 2):
        run = again(corpus, replace(OURS, seed=seed))
        for _ in range(2):
            run.add(EntryKind.FAILURES, history("j1"))
    assert len(list(tmp_path.rglob("*.ndjson"))) == 1
    corpus.add(EntryKind.FAILURES, history("j2"))
    assert len(list(tmp_path.rglob("*.ndjson"))) == 2


def test_the_steps_of_a_drain_are_not_saved(corpus: Corpus) -> None:
    drained = [*history("j1"), DrainBegan(0), StepBegan(0, 2, "publish", {"job": "j1"}, drain=True)]
    assert len(corpus.add(EntryKind.FAILURES, drained).steps) == 1


@pytest.mark.parametrize(
    "other",
    [
        Header("others:Binding", Lifecycle()),
        Header("theirs:Binding", Lifecycle(), defect="planted"),
    ],
)
def test_entries_of_another_system_are_passed_over(corpus: Corpus, other: Header) -> None:
    corpus.add(EntryKind.FAILURES, history("j1"))
    assert again(corpus, other).entries() == []
    again(corpus, other).add(EntryKind.FAILURES, history("j1"))
    assert len(again(corpus, other).entries()) == 1, "the same steps of two systems are two entries"
    assert len(again(corpus, Header("theirs:Binding", Lifecycle(), seed=3)).entries()) == 1


@pytest.mark.parametrize("text", ["", "no history", '{"format": "leased-job-history", "version": 99}\n'])
def test_an_unreadable_entry_is_noted_and_the_others_are_read(
    text: str, corpus: Corpus, tmp_path: Path
) -> None:
    corpus.add(EntryKind.FAILURES, history("j1"))
    broken = tmp_path / "corpus" / "failures" / "broken.ndjson"
    broken.write_text(text, encoding="utf-8")
    fresh = again(corpus)
    assert len(fresh.entries()) == 1
    assert [note for note in fresh.notes if "broken.ndjson" in note] == fresh.notes != []


class Unreadable(Directory):
    """A directory that cannot be read from its second entry on."""

    def texts(self, kind: str) -> Iterator[tuple[str, str]]:
        yield from super().texts(kind)
        raise OSError(errno.EIO, "Input/output error")


def test_an_unreadable_place_is_noted_and_nothing_is_raised(tmp_path: Path) -> None:
    corpus = Corpus(Unreadable(tmp_path), OURS)
    corpus.add(EntryKind.FAILURES, history("j1"))
    assert again(corpus).entries() == []
    unreadable = again(corpus)
    unreadable.entries()
    assert "Input/output error" in unreadable.notes[0]


def test_entries_stay_in_memory_while_the_disk_is_full(tmp_path: Path) -> None:
    place = FullDisk(tmp_path / "corpus")
    corpus = Corpus(place, OURS)
    for jobs in (["j1"], ["j1", "j2"]):
        corpus.add(EntryKind.FAILURES, history(*jobs))
    assert corpus.unsaved == 2
    assert len(corpus.notes) == 1
    assert "No space left on device" in corpus.notes[0]
    place.room = True
    assert corpus.flush()
    assert len(again(corpus).entries()) == 2


def test_half_a_file_is_never_left(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(file: Path, *arguments: object, **options: object) -> int:
        file.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", torn)
    corpus.add(EntryKind.FAILURES, history("j1"))
    assert corpus.unsaved == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_dropped_entry_is_deleted_and_can_be_added_again(corpus: Corpus) -> None:
    entry = corpus.add(EntryKind.SITUATIONS, history("j1"))
    corpus.drop([entry])
    assert again(corpus).entries() == []
    corpus.take(entry)
    assert again(corpus).entries() == [entry]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("", "names no corpus"),
        ("http://there", "names no corpus"),
        ("redis://127.0.0.1:1/0", "no Redis answers there"),
        ("redis://user:secret@127.0.0.1:1/0", r"user:PASSWORD@127.0.0.1:1/0: no Redis answers there"),
        ("Redis://user:secret@127.0.0.1:1/0", "user:PASSWORD@127.0.0.1:1/0: no Redis answers there"),
        ("redis://127.0.0.1:1/0?password=secret", r"/0\?password=PASSWORD: no Redis answers there"),
        ("redis://user:se/secret@127.0.0.1:1/0", "redis://user:PASSWORD@127.0.0.1:1/0: this address cannot"),
        ("mysql://user:secret@there", "mysql://user:PASSWORD@there' names no corpus"),
        ("redis://127.0.0.1:port/0", "redis://127.0.0.1:port/0: this address cannot be read; write"),
    ],
)
def test_an_impossible_place_is_refused_with_the_way_out(where: str, words: str) -> None:
    with pytest.raises(PlaceError, match=words) as raised:
        place_for(where)
    assert "secret" not in str(raised.value)


def test_a_file_is_refused_as_a_place(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PlaceError, match="is no directory"):
        place_for(str(tmp_path / "file" / "corpus"))


# -- which entries are worth keeping --------------------------------------------------------


def test_a_cover_meets_everything_with_few_entries() -> None:
    met = {"long": set("abc"), "needless": set("ab"), "short": set("cd"), "nothing": set[str]()}
    assert cover(met, 10) == ["long", "short"]
    assert cover(met, 1) == ["long"]
    assert cover({}, 10) == []


def test_an_entry_is_needless_when_others_met_all_of_its_situations() -> None:
    selection = Selection()
    both = entry_of(EntryKind.SITUATIONS, OURS, history("j1", "j2"))
    one = entry_of(EntryKind.SITUATIONS, OURS, history("j1"))
    selection.add(one, {("a", "b")})
    selection.add(both, {("a", "b"), ("b", "c")})
    assert selection.chosen() == [both]
    assert list(selection.needless()) == [one]


def test_a_failure_that_still_fails_is_never_needless() -> None:
    selection = Selection()
    selection.add(entry_of(EntryKind.SITUATIONS, OURS, history("j1")), {("a", "b")}, fails=True)
    for number in range(KEPT + 2):
        entry = entry_of(EntryKind.FAILURES, OURS, history(f"j{number}"))
        selection.add(entry, set(), fails=number % 2 == 0)
    assert list(selection.needless()) == []
    mended = [entry_of(EntryKind.FAILURES, OURS, history(f"m{number}")) for number in range(KEPT)]
    for entry in mended:
        selection.add(entry, set())
    # Half of the first ones were mended too, and came before these.
    assert list(selection.needless()) == mended[-(KEPT // 2 + 1) :]
