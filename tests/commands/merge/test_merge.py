"""Shards added up: sums, one verdict, and no failure twice, none of those of a killed shard missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from statemachine.binding import DEFAULT_BINDING
from statemachine.commands.merge.add_up import Merge
from statemachine.commands.merge.markdown import markdown
from statemachine.commands.merge.shards import Shard, shards_in
from statemachine.history.events import StepBegan
from statemachine.history.ndjson import Header
from statemachine.invariants import BY_NAME, Verdict
from statemachine.lifecycle import Lifecycle
from statemachine.search import run_file as runfile
from statemachine.search.corpus.entries import Corpus, EntryKind
from statemachine.search.corpus.places import Directory
from statemachine.search.run_file import RunFile, RunFileError
from statemachine.search.tally import Tally
from statemachine.search.triage.script import Step
from tests.conftest import OpenLane
from tests.support.scripts import MINIMAL

LATE = "completion_without_token"


def ran(lifecycle: Lifecycle, *, failures: int = 0, seed: int = 1, defect: str | None = None) -> RunFile:
    tally = Tally(10, 600, 30, Counter({"create: new id": 4}), Counter(dict.fromkeys(BY_NAME, 2)))
    return RunFile(DEFAULT_BINDING, lifecycle, defect, seed, 1, tally, failures, True)


def leave(
    folder: Path, run: RunFile | None, header: Header, *histories: tuple[EntryKind, list[Step]]
) -> Path:
    """What a shard leaves behind."""
    kept = folder / ".statemachine"
    kept.mkdir(parents=True)
    if run is not None:
        (kept / runfile.NAME).write_text(runfile.dumps(run), encoding="utf-8")
    corpus = Corpus(Directory(kept / "corpus"), header)
    for kind, steps in histories:
        corpus.add(kind, [StepBegan(0, step.key, step.operation, step.arguments) for step in steps])
    return folder


Merging = Callable[..., Merge]


@pytest.fixture
def merging(open_lane: OpenLane, tmp_path: Path) -> Merging:
    """Merge the shards that ``made`` leaves below a directory, and return the merge."""

    def merge(made: Callable[[Path, Header], list[Path]], defect: str | None = None) -> Merge:
        with open_lane(defect) as lane:
            header = Header(DEFAULT_BINDING, lane.binding.lifecycle, None, defect)
            shards = shards_in([str(folder) for folder in made(tmp_path, header)])
            merged = Merge(lane, Corpus(Directory(tmp_path / "merged"), header), shards)
            merged.run()
        merged.total.finished = True
        return merged

    return merge


def test_sums_are_sums(merging: Merging) -> None:
    def made(root: Path, header: Header) -> list[Path]:
        return [
            leave(root / name, ran(header.lifecycle, seed=seed), header)
            for seed, name in enumerate(("one", "two"))
        ]

    total = merging(made).total
    assert (total.tally.examples, total.tally.steps, total.tally.seconds) == (20, 1200, 60)
    assert total.reach.counts["create: new id"] == 8
    assert total.tally.judged["every_job_ends"] == 4
    assert total.verdict is Verdict.PASS


def test_a_failure_that_two_shards_met_is_one(merging: Merging) -> None:
    late = list(MINIMAL[LATE])
    later = [*late[:-1], Step(90, "wait", {"seconds": 1}), late[-1]]

    def made(root: Path, header: Header) -> list[Path]:
        run = ran(header.lifecycle, failures=1, defect=LATE)
        return [
            leave(root / "one", run, header, (EntryKind.FAILURES, late)),
            leave(root / "two", run, header, (EntryKind.FAILURES, later)),
        ]

    merge = merging(made, LATE)
    (found,) = merge.findings
    assert found.times == 2
    assert found.signature.invariant == "only_the_holder_finishes"
    assert merge.total.verdict is Verdict.FAIL
    assert len(merge.corpus.entries(EntryKind.FAILURES)) == 2


def test_what_a_killed_shard_has_found_counts(merging: Merging) -> None:
    def made(root: Path, header: Header) -> list[Path]:
        return [
            leave(root / "one", ran(header.lifecycle, defect=LATE), header),
            leave(root / "killed", None, header, (EntryKind.FAILURES, list(MINIMAL[LATE]))),
        ]

    merge = merging(made, LATE)
    assert len(merge.findings) == 1
    assert any(doubt.startswith("killed left no run.json") for doubt in merge.total.doubts().lost)


def test_a_killed_shard_that_found_nothing_leaves_a_doubt(merging: Merging) -> None:
    def made(root: Path, header: Header) -> list[Path]:
        return [leave(root / "killed", None, header)]

    assert merging(made).total.verdict is Verdict.UNKNOWN


def test_an_interrupted_shard_leaves_a_doubt(merging: Merging) -> None:
    def made(root: Path, header: Header) -> list[Path]:
        return [leave(root / "one", replace(ran(header.lifecycle), finished=False), header)]

    total = merging(made).total
    assert total.verdict is Verdict.UNKNOWN
    assert "one was interrupted after 30 s" in total.doubts().lost


def test_a_failure_that_breaks_nothing_here_is_doubted_not_forgotten(merging: Merging) -> None:
    def made(root: Path, header: Header) -> list[Path]:
        run = ran(header.lifecycle, failures=1)
        return [leave(root / "one", run, header, (EntryKind.FAILURES, list(MINIMAL[LATE])))]

    total = merging(made).total
    assert total.verdict is Verdict.UNKNOWN
    assert any("one found 1 failure" in doubt for doubt in total.doubts().lost)


def test_the_merged_corpus_is_small(merging: Merging) -> None:
    steps = list(MINIMAL[LATE])

    def made(root: Path, header: Header) -> list[Path]:
        run = ran(header.lifecycle)
        return [
            leave(root / "one", run, header, (EntryKind.SITUATIONS, steps)),
            leave(root / "two", run, header, (EntryKind.SITUATIONS, steps[:2])),
            leave(root / "three", run, header, (EntryKind.SITUATIONS, steps)),
        ]

    (kept,) = merging(made).corpus.entries()
    assert list(kept.steps) == steps


# -- shards that cannot be added up ---------------------------------------------------------


def test_runs_of_two_systems_are_refused(tmp_path: Path) -> None:
    header = Header(DEFAULT_BINDING, Lifecycle())
    one = leave(tmp_path / "one", ran(Lifecycle()), header)
    for name, run in {
        "defect": ran(Lifecycle(), defect=LATE),
        "binding": replace(ran(Lifecycle()), binding="theirs:Binding"),
        "lifecycle": ran(Lifecycle(lease_seconds=60)),
    }.items():
        other = leave(tmp_path / name, run, header)
        with pytest.raises(RunFileError, match=f"are not runs of one system: {name}"):
            shards_in([str(one), str(other)])


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match="is no directory"):
        shards_in([str(tmp_path / "gone")])


def test_a_statemachine_folder_is_taken_as_well(tmp_path: Path) -> None:
    folder = leave(tmp_path / "one", ran(Lifecycle()), Header(DEFAULT_BINDING, Lifecycle()))
    (shard,) = shards_in([str(folder / ".statemachine")])
    assert shard.run == ran(Lifecycle())


# -- Markdown -------------------------------------------------------------------------------


def test_the_summary_names_failures_and_shards_and_takes_nothing_for_markup(
    merging: Merging, tmp_path: Path
) -> None:
    def made(root: Path, header: Header) -> list[Path]:
        run = ran(header.lifecycle, failures=1, defect=LATE)
        return [leave(root / "a|b", run, header, (EntryKind.FAILURES, list(MINIMAL[LATE])))]

    merge = merging(made, LATE)
    (found,) = merge.findings
    shards = [*merge.shards, Shard("gone", tmp_path, None)]
    lines = markdown(
        merge.total, [found], shards, {found.signature: "pytest again"}, ["summary"]
    ).splitlines()
    assert lines[0].startswith("## FAIL only\\_the\\_holder\\_finishes: ")
    assert f"| {found.steps} | `pytest again` |" in next(line for line in lines if "`only_the_holder" in line)
    assert "| a\\|b | 1 | 10 | 600 | 30 | 1 |" in lines
    assert "| gone | | left no run | | | |" in lines
    assert lines[lines.index("```text") : -2] == ["```text", "summary", "```"]
    unsaved = markdown(merge.total, [found], shards, {}, [])
    assert "| not saved |" in unsaved
