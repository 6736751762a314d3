"""What runs leave behind when they are interrupted, terminated or killed at drawn moments.

    python benchmarks/kills.py [--kills 50] [--seed 1] [--latest 15]

Each kind of run in turn gets SIGINT, SIGTERM or SIGKILL; ten seconds later its processes and its temporary
files are looked for.  After SIGINT and SIGTERM it must have said a verdict, or that it was interrupted.
A run that has ended by itself before its moment counts as too late.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

PYTEST = ("-m", "pytest", "-p", "no:cacheprovider", "-p", "statemachine.plugin", "--pyargs", "statemachine")
COMMAND = ("-m", "statemachine")
RUNS: Mapping[str, tuple[str, ...]] = {
    "embedded": (*PYTEST, "--lane", "embedded", "--defect", "lease_edge_excluded"),
    "transactions": (*PYTEST, "--lane", "transactions"),
    "processes": (*COMMAND, "processes", "--kills", "20"),
    "fuzz": (*PYTEST, "--fuzz-for", "60s", "-n", "2", "--defect", "completion_without_token"),
    "soak": (*COMMAND, "soak", "--jobs", "2", "--steps", "500000"),
    "certificate": (*COMMAND, "certificate", "--results", "results", "--jobs", "2"),
    "gate": (*COMMAND, "gate"),
    "merge": (*COMMAND, "merge", "."),
    "check-log": (*COMMAND, "check-log", "lines.log"),
    "check-binding": (*COMMAND, "check-binding", "models_under_test.binding:AIJobsBinding"),
}
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
VERDICTS = ("PASS", "FAIL", "UNKNOWN", "nterrupted", "NO-GO", "MEND")
PATIENCE_SECONDS = 10


class Kill(NamedTuple):
    """What one signal did to one run."""

    run: str
    number: signal.Signals
    after: float
    """Seconds from the start."""
    said: str
    """``verdict``, ``nothing``, ``too late``, or that Python died before its handler was there."""
    ended: bool
    """Whether the process was gone ten seconds later."""
    left: list[str]
    """Processes and temporary files that were there ten seconds later."""
    findings: int
    """Histories of failures on disk."""


def processes_of(mark: str) -> list[str]:
    """Return the command lines of all processes whose environment has ``mark``."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (place / "environ").read_bytes():
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:80])
        except OSError:
            continue
    return found


def kill(name: str, number: signal.Signals, after: float) -> Kill:
    """Start a run, send it a signal after that many seconds, and look ten seconds later."""
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        here, temporary = Path(folder, "here"), Path(folder, "tmp")
        here.mkdir()
        temporary.mkdir()
        (here / ".statemachine" / "corpus").mkdir(parents=True)
        (here / "lines.log").write_text("nothing that is known\n" * 200_000)
        places = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(places)}
        with Path(folder, "output").open("w+b") as output:
            running = subprocess.Popen(
                [sys.executable, *RUNS[name]], cwd=here, env=environment, stdout=output, stderr=output
            )
            time.sleep(after)
            late = running.poll() is not None
            if not late:
                running.send_signal(number)
            until = time.monotonic() + PATIENCE_SECONDS
            while time.monotonic() < until and (running.poll() is None or processes_of(folder)):
                time.sleep(0.1)
            ended = running.poll() is not None
            left = [*processes_of(folder), *sorted(path.name for path in temporary.iterdir())]
            running.kill()
            running.wait()
            output.seek(0)
            text = output.read().decode(errors="replace")
        said = "verdict" if any(word in text for word in VERDICTS) else "nothing"
        if number != signal.SIGKILL and running.returncode == -number and said == "nothing":
            said = "killed while it started"
        findings = len(list(here.glob(".statemachine/**/*.ndjson")))
        return Kill(name, number, after, "too late" if late else said, ended, left, findings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--latest", type=float, default=15, help="seconds from the start")
    asked = parser.parse_args()
    # A shell starts what is in the background with SIGINT ignored, which the runs would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    drawn = random.Random(asked.seed)
    bad = 0
    for number in range(asked.kills):
        name = list(RUNS)[number % len(RUNS)]
        one = kill(name, drawn.choice(SIGNALS), drawn.uniform(1, asked.latest))
        silent = one.number != signal.SIGKILL and one.said == "nothing"
        wrong = silent or not one.ended or bool(one.left)
        bad += wrong
        mark, ended = "!" if wrong else " ", "ended" if one.ended else "still there"
        print(
            f"{mark} {one.run:14} {one.number.name:8} after {one.after:4.1f} s: {one.said}, {ended}, "
            f"findings {one.findings}, left {one.left or 'nothing'}",
            flush=True,
        )
    print(f"{asked.kills} kills, {bad} of them left something, went on, or ended without a word")


if __name__ == "__main__":
    main()
