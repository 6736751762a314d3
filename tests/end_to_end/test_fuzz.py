"""``--fuzz-for``, the corpus, and distinct failures, as a user types and reads them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from statemachine.commands.merge.markdown import shard_table
from statemachine.commands.merge.shards import shards_in
from tests.support.commandline import (
    CHECKOUT,
    SHORT,
    STRANGER,
    Ran,
    at_once,
    interrupt,
    run,
    write,
)

LATE = ("--defect", "completion_without_token")
FUZZ = (*CHECKOUT, "--hypothesis-seed=300", "--fuzz-for")

TWO_BUGS = """
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    def planted_parts(self):
        from models_under_test.defects import create_again_publishes_again, sweep_never_marks
        from models_under_test.pipelines import with_replaced

        once = with_replaced(self.parts(), create_again_publishes_again.PARTS)
        return with_replaced(once, sweep_never_marks.PARTS)
"""

THEIRS = """
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    def __init__(self):
        super().__init__()
        self.plant("lease_as_long_as_visibility")
"""

REFUSED = {
    "no length": (("--fuzz-for", "6"), "--fuzz-for: '6' is no length of time: write it as 30s"),
    "beside a replay": (("--fuzz-for", "6s", "--replay", "found"), "--replay found"),
    "in another lane": (("--fuzz-for", "6s", "--lane", "processes"), "--fuzz-for 6s: it searches in"),
    "no place": (("--corpus", "ftp://there"), "--corpus: 'ftp://there' names no corpus"),
    "no Redis": (("--corpus", "redis://127.0.0.1:1/0"), "no Redis answers there"),
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Ran, Path]]:
    """Each run in a directory of its own."""
    places = {
        name: write(tmp_path_factory.mktemp("fuzz"), theirs=TWO_BUGS)
        for name in ("clean", "late", "two bugs", *REFUSED)
    }
    calls = {
        "clean": partial(run, *FUZZ, "12s", cwd=places["clean"]),
        "late": partial(run, *FUZZ, "1h", "-x", *LATE, cwd=places["late"]),
        "two bugs": partial(
            run, *STRANGER, "--binding", "theirs:Binding", "--hypothesis-seed=1", cwd=places["two bugs"]
        ),
    }
    calls |= {
        name: partial(run, *CHECKOUT, *options, cwd=places[name]) for name, (options, _) in REFUSED.items()
    }
    return {name: (done, places[name]) for name, done in zip(calls, at_once(calls.values()), strict=True)}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(name: str, ran: dict[str, tuple[Ran, Path]]) -> None:
    refused, cwd = ran[name]
    assert refused.code == 4, refused
    assert REFUSED[name][1] in refused.output
    assert "Traceback" not in refused.output
    assert not (cwd / ".statemachine").exists()


def test_a_clean_campaign_says_what_it_met_and_leaves_a_run(ran: dict[str, tuple[Ran, Path]]) -> None:
    done, cwd = ran["clean"]
    assert done.code == 0, done
    assert (
        "profile fuzz: searches of 300 examples of 50 steps in 1 process for 12s; seeds from 300"
        in done.output
    )
    closing = " ".join(" ".join(done.summary).split())
    assert re.search(
        r" Fuzzed for 1\ds in 1 process: [\d ]+ pairs of situations met, the last new", closing, re.M
    )
    assert "Corpus: 0 histories played again from .statemachine/corpus, which now holds" in closing
    assert done.verdict.startswith("PASS (reach not judged)")
    assert re.search(r"^  1\ds, \ds left · ", done.output, re.M), "no sign of life in ten seconds"
    left = json.loads((cwd / ".statemachine" / "run.json").read_text(encoding="utf-8"))
    assert left["examples"] > 0
    assert left["failures"] == 0
    assert left["finished"]


def test_a_failure_is_shrunk_once_and_ends_the_run_where_that_was_asked_for(
    ran: dict[str, tuple[Ran, Path]],
) -> None:
    done, cwd = ran["late"]
    assert done.code == 1, done
    assert done.report[0] == "FAIL  only_the_holder_finishes"
    last = done.report[-1]
    assert re.match(
        r"  Looked at \d+ examples until it was found, after \d+s \(in the search with seed 30", last
    )
    assert (cwd / done.folder / "test_regression.py").is_file()
    assert list((cwd / ".statemachine" / "corpus" / "failures").glob("*.ndjson"))


def test_distinct_failures_are_reported_once_each_the_shortest_first(
    ran: dict[str, tuple[Ran, Path]],
) -> None:
    done, cwd = ran["two bugs"]
    assert done.code == 1, done
    claims = re.findall(r"^FAIL  (\w+)$", done.output, re.M)
    assert claims == ["a_job_is_created_once", "recovery_sends_only_unsent_jobs"]
    assert re.search(r"^\d+ distinct failures of 2 claims, the shortest first$", done.output, re.M)
    lengths = [int(steps) for steps in re.findall(r"shrunk \d+ → (\d+) steps", done.output)]
    assert lengths == sorted(lengths)
    folders = re.findall(r"--replay=(\S+)$", done.output, re.M)
    assert len(folders) == len(set(folders))
    assert all((cwd / folder / "history.ndjson").is_file() for folder in folders)


FIGURES = re.compile(
    r"^([\d ]+) examples,\s([\d\s]+) steps in (\d+) s\b[^(]*\(([\d\s]+)\ssteps/s\);\sseed \d+", re.M
)


@pytest.mark.parametrize(("name", "failures"), [("clean", 0), ("late", 1), ("two bugs", None)])
def test_summary_file_and_table_say_the_same(
    name: str, failures: int | None, ran: dict[str, tuple[Ran, Path]]
) -> None:
    done, cwd = ran[name]
    if failures is None:
        (told,) = re.findall(r"^(\d+) distinct failures of 2 claims", done.output, re.M)
        failures = int(told)
    left = json.loads((cwd / ".statemachine" / "run.json").read_text(encoding="utf-8"))
    found = FIGURES.search("\n".join(done.summary))
    assert found, done
    examples, steps, seconds, speed = (int("".join(figure.split())) for figure in found.groups())
    assert (examples, steps, seconds) == (left["examples"], left["steps"], round(left["seconds"]))
    assert speed == pytest.approx(left["steps"] / left["spent"]["search"], rel=0.01)
    assert left["failures"] == failures
    assert left["seconds"] == pytest.approx(sum(left["spent"].values()), abs=1)
    assert (left["spent"]["failures"] > 0.1) is bool(failures)
    row = list(shard_table(shards_in([str(cwd)])))[-1]
    figures = [
        left["seed"],
        *(f"{left[key]:,.0f}".replace(",", " ") for key in ("examples", "steps", "seconds")),
    ]
    assert row.endswith(f" | {' | '.join(map(str, figures))} | {failures} |")


def test_a_plain_run_plays_first_what_was_found_until_it_is_mended(short: Path) -> None:
    write(short, theirs=THEIRS)
    search = partial(
        run, *STRANGER, *SHORT, "--binding", "theirs:Binding", "--hypothesis-seed=1", cwd=short, script=True
    )
    assert "Looked at " in search().report[-1]
    again = search()
    assert again.code == 1, again
    assert "Found again in the corpus, .statemachine/corpus" in again.report[-1]
    assert "0 examples, 0 steps" in "\n".join(again.summary)
    write(short, theirs=THEIRS.replace("self.plant", "str"))
    mended = search()
    assert mended.code == 0, mended
    assert re.search(r"^Corpus: \d+ histor(y|ies) played again", "\n".join(mended.summary), re.M)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a console, not to a process")
def test_ctrl_c_reports_what_was_found(tmp_path: Path) -> None:
    ran = interrupt(
        *FUZZ,
        "1h",
        *LATE,
        cwd=tmp_path,
        busy=lambda: list(tmp_path.rglob("failures/*.ndjson")),
        patience_seconds=120,
    )
    assert ran.code == 2, ran
    assert ran.report[0] == "FAIL  only_the_holder_finishes"
    assert "the run was interrupted" in ran.output
    assert (tmp_path / ran.folder / "history.ndjson").is_file()


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root can make a disk that is full"
)
def test_a_full_disk_loses_no_failure(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    # Room for the directories, and for no history.
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=6", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        ran = run(*FUZZ, "1h", "-x", *LATE, "-p", "no:cacheprovider", cwd=disk)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
    assert ran.code == 1, ran
    assert ran.report[0] == "FAIL  only_the_holder_finishes"
    assert "No space left on device" in ran.output
    assert "--hypothesis-seed=" in "\n".join(ran.report), "how to see it again without a file"
    assert "Traceback" not in ran.output
