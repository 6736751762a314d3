"""``python -m statemachine``: measuring in pieces, soaking, and one sentence for whatever is wrong."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.support.commandline import Ran, at_once, command, environment, run, write
from tests.support.postgresql import names
from tests.support.waiting import until

SMALL = (
    *("certificate", "--defects", "lease_as_long_as_visibility", "--seeds", "0-1"),
    *("--baseline-seeds", "0", "--examples", "60", "--jobs", "1"),
)
SEARCHES = 3


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Ran]]:
    """Both halves of a small certificate, measured side by side into one folder."""
    cwd = tmp_path_factory.mktemp("certificate")
    halves = [partial(command, *SMALL, "--shard", f"{half}/2", cwd=cwd) for half in (1, 2)]
    return cwd, at_once(halves)


def test_a_shard_says_that_it_is_one(shards: tuple[Path, list[Ran]]) -> None:
    cwd, halves = shards
    assert [half.code for half in halves] == [0, 0], halves
    files = sorted((cwd / ".statemachine" / "certificate").iterdir())
    assert [file.name for file in files] == ["findings-1-of-2.jsonl", "findings-2-of-2.jsonl"]
    assert sum(len(file.read_text("utf-8").splitlines()) for file in files) == SEARCHES


def test_shards_are_put_together_and_written_without_measuring_again(shards: tuple[Path, list[Ran]]) -> None:
    cwd, _ = shards
    ran = command(*SMALL, "--write", "docs/mine.md", cwd=cwd)
    assert ran.code == 0, ran
    assert "searches to do" not in ran.output
    page = (cwd / "docs" / "mine.md").read_text("utf-8")
    assert "| lease_as_long_as_visibility | a_lease_lasts_its_declared_length | 2/2 |" in page
    assert "--defects lease_as_long_as_visibility --seeds 0-1" in page
    assert "runs cite it" not in ran.output, "a part of the catalogue is not what runs cite"


def test_a_certificate_that_lacks_findings_is_not_written(tmp_path: Path) -> None:
    ran = command(*SMALL, "--shard", "2/2", "--write", "mine.md", cwd=tmp_path)
    assert ran.code == 1, ran
    assert "2 of 3 searches are those of other shards" in ran.output
    assert not (tmp_path / "mine.md").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as a POSIX signal to the group")
def test_an_interrupted_measurement_goes_on_where_it_was(tmp_path: Path) -> None:
    # The plain machine plays this one for seconds at least (seed 0: not found in 377 examples).
    slow = ("certificate", "--defects", "lease_edge_excluded", "--seeds", "0", "--baseline-seeds", "0")
    running = subprocess.Popen(
        [sys.executable, "-m", "statemachine", *slow],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    )
    kept = tmp_path / ".statemachine" / "certificate" / "findings.jsonl"
    deadline = time.monotonic() + 60
    while not kept.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    output = interrupted(running)
    assert running.returncode == 130, output
    assert "Traceback" not in output
    assert output.splitlines()[-1].startswith("Interrupted; the results are in ")
    assert "Partial: 1 of 2 searches are done, and these rows count only those." in output
    assert "| lease_edge_excluded |" in output
    assert len(kept.read_text("utf-8").splitlines()) == 1
    again = command(*slow, "--baseline-seeds", "none", cwd=tmp_path)
    assert again.code == 0
    assert "searches to do" not in again.output


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as a POSIX signal to the group")
def interrupted(running: subprocess.Popen[str]) -> str:
    """What it says after Ctrl-C; once more, where the first one came while a worker was being started."""
    for _ in range(3):
        os.killpg(running.pid, signal.SIGINT)  # as Ctrl-C does: the whole group that was started here
        with suppress(subprocess.TimeoutExpired):
            return running.communicate(timeout=20)[0]
    os.killpg(running.pid, signal.SIGKILL)
    return f"it did not end: {running.communicate()[0]}"


def test_an_interrupted_hunt_leaves_no_database_on_a_named_server(
    tmp_path: Path, postgresql_server: str
) -> None:
    before = names(postgresql_server)
    hunts = ("certificate", "--defects", "id_constraint_dropped", "--jobs", "2")
    running = subprocess.Popen(
        [sys.executable, "-m", "statemachine", *hunts, "--database-server", postgresql_server],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    )
    until(lambda: len(names(postgresql_server) - before) == 2, seconds=60)
    output = interrupted(running)
    assert running.returncode == 130, output
    assert "Traceback" not in output
    assert names(postgresql_server) == before


def test_a_soak_adds_up_its_seeds_and_ends_with_a_verdict(tmp_path: Path) -> None:
    ran = command("soak", "--steps", "2000", "--jobs", "2", "--first-seed", "5", cwd=tmp_path)
    assert ran.code == 0, ran
    assert ran.lines[-1] == "PASS (reach not judged)  no invariant was broken"
    assert "seeds done: 2" in ran.output
    assert "of 2,000 steps" in ran.output


BUSY = """
from pathlib import Path
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    created = 0

    def create(self, job, tenant):
        self.created += 1
        if self.created == 50:
            Path("busy").touch()
        super().create(job, tenant)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process in place of a signal")
def test_a_soak_that_is_ended_says_what_it_has_played(tmp_path: Path) -> None:
    write(tmp_path, busy_binding=BUSY)
    running = subprocess.Popen(
        [sys.executable, "-m", "statemachine", "soak", "--jobs", "1", "--binding", "busy_binding:Binding"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    try:
        until((tmp_path / "busy").exists, seconds=60)
        running.terminate()
        output, _ = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130, output
    assert "Traceback" not in output
    (played,) = re.findall(r"^(\d+) examples, [\d ]+ steps in ", output, re.M)
    assert int(played) > 5
    assert "? the run was interrupted" in output
    assert output.splitlines()[-1].startswith("UNKNOWN  ")


def test_a_soak_that_meets_a_defect_reports_it_saves_it_and_fails(tmp_path: Path) -> None:
    ran = command("soak", "--steps", "100000", "--defect", "running_job_reentered", cwd=tmp_path)
    assert ran.code == 1, ran
    assert ran.report[0] == "FAIL  one_holder_at_a_time"
    assert (tmp_path / ran.folder / "history.ndjson").is_file()
    assert ran.lines[-1].startswith("FAIL  one_holder_at_a_time: ")


INTERLEAVED = ("soak", "--lane", "transactions")


@pytest.mark.usefixtures("postgresql_server")
def test_a_soak_of_two_transactions_at_once_adds_up_as_well(tmp_path: Path) -> None:
    ran = command(*INTERLEAVED, "--steps", "2000", "--jobs", "2", "--first-seed", "5", cwd=tmp_path)
    assert ran.code == 0, ran
    assert ran.lines[-1] == "PASS (reach not judged)  no invariant was broken"
    assert "At most two operations were in flight at once" in ran.output
    assert "seeds done: 2" in ran.output
    assert "overlap of prepare and prepare" in ran.output


def test_a_race_in_such_a_soak_is_reported_and_played_again(tmp_path: Path, postgresql_server: str) -> None:
    # Found in 2 to 30 examples on the seeds 0-4; with 1 in 30 of them, 200 miss it once in 900 runs.
    server = ("--database-server", postgresql_server)
    ran = command(
        *INTERLEAVED, "--steps", "20000", "--defect", "acquired_without_lock", *server, cwd=tmp_path
    )
    assert ran.code == 1, ran
    again = run(*ran.reproduce, *server, cwd=tmp_path)
    assert again.code == 1, again
    assert re.search(r"^  REPRODUCED from ", again.output, re.M)


RAISES_LATE = """
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    def open(self, queue, publisher):
        raise RuntimeError("no such table: ai_job")
"""


def test_a_binding_that_raises_when_it_is_opened_is_reported_in_a_sentence(tmp_path: Path) -> None:
    write(tmp_path, late=RAISES_LATE)
    ran = command("soak", "--steps", "10", "--binding", "late:Binding", cwd=tmp_path)
    assert ran.code == 1, ran
    assert "RuntimeError: no such table: ai_job (" in ran.lines[-1]
    assert "Traceback" not in ran.output
