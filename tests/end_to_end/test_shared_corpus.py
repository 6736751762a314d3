"""Several machines over one Redis: what one of them has found, and was killed with, the others report once.

The machines are processes in directories of their own; the Redis is a real one, on a socket of its own.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from statemachine.search.corpus.entries import EntryKind
from statemachine.search.corpus.places import PlaceError, SharedRedis
from tests.support.commandline import CHECKOUT, Ran, at_once, command, environment, run
from tests.support.waiting import until

DEFECT = ("--defect", "completion_without_token")
PATIENCE_SECONDS = 120

pytestmark = pytest.mark.skipif(
    shutil.which("redis-server") is None,
    reason="no redis-server is installed (Debian's package of that name)",
)


@contextmanager
def redis_server() -> Iterator[str]:
    """The address of a Redis that nobody else knows and that writes nothing to a disk."""
    pytest.importorskip("redis")
    # A socket's path may have 107 characters, which those of pytest's own directories can exceed.
    folder = Path(tempfile.mkdtemp(prefix="redis-"))
    socket = folder / "socket"
    options = ("--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder))
    server = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
    try:
        until(socket.exists, PATIENCE_SECONDS)
        yield f"unix://{socket}"
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    with redis_server() as address:
        yield address


class Machines(NamedTuple):
    """What became of them: the first was killed, ``others`` ran their time, ``merged`` adds up all."""

    first: Path
    others: list[Ran]
    places: list[Path]
    merged: Ran
    laptop: Path


@pytest.fixture(scope="module")
def machines(redis: str, tmp_path_factory: pytest.TempPathFactory) -> Machines:
    first, *others, laptop = (
        tmp_path_factory.mktemp(name) for name in ("first", "second", "third", "laptop")
    )
    fuzz = (*CHECKOUT, *DEFECT, "--corpus", redis)
    killed = subprocess.Popen(
        [sys.executable, "-m", "pytest", *fuzz, "--fuzz-for", "10m", "--hypothesis-seed=1000"],
        cwd=first,
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    try:
        until(lambda: list(SharedRedis(redis).texts(EntryKind.FAILURES)), PATIENCE_SECONDS)
        assert killed.poll() is None
    finally:
        killed.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        killed.wait()
    (first / ".statemachine").mkdir(exist_ok=True)
    ran = at_once(
        lambda cwd=cwd, seed=seed: run(*fuzz, "--fuzz-for", "8s", f"--hypothesis-seed={seed}", cwd=cwd)
        for seed, cwd in zip((2000, 3000), others, strict=True)
    )
    merged = command("merge", *map(str, (first, *others)), "--corpus", redis, cwd=laptop)
    return Machines(first, ran, others, merged, laptop)


def test_the_killed_machine_has_printed_nothing_but_left_its_finding(machines: Machines) -> None:
    assert not (machines.first / ".statemachine" / "run.json").exists()
    assert "first0 left no run.json" in machines.merged.output


def test_the_others_meet_it_before_they_search(machines: Machines) -> None:
    for ran in machines.others:
        assert ran.code == 1, ran
        assert ran.report[0] == "FAIL  only_the_holder_finishes"
        assert "Found again in the corpus, unix://" in ran.output


def test_it_is_reported_once(machines: Machines) -> None:
    assert machines.merged.code == 1, machines.merged
    assert machines.merged.output.count("FAIL  only_the_holder_finishes\n") == 1
    assert machines.merged.output.count("\n  Reproduce\n") == 1


def test_it_is_replayed_from_another_directory(machines: Machines) -> None:
    again = run(*machines.merged.reproduce, cwd=machines.laptop)
    assert again.code == 1, again
    assert again.verdict.startswith("REPRODUCED")


def test_a_redis_that_goes_away_is_an_error_and_no_answer() -> None:
    with redis_server() as address:
        place = SharedRedis(address)
        place.save(EntryKind.FAILURES, "name", "text")
        assert [text for _, text in place.texts(EntryKind.FAILURES)] == ["text"]
        place.drop(EntryKind.FAILURES, "name", "text")
        assert list(place.texts(EntryKind.FAILURES)) == []
    with pytest.raises(OSError, match="socket"):
        place.save(EntryKind.FAILURES, "name", "text")
    with pytest.raises(PlaceError, match="no Redis answers there"):
        SharedRedis(address)
