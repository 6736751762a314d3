"""Measure how much of the bundled system's code the search really tests, with mutants made by mutmut.

    python -m benchmarks.mutation [--write docs/mutation.md] [--jobs 2] [--seed 1]

Each mutant of the modules that pyproject.toml names under [tool.mutmut] is tested by `pytest statemachine/`
and nothing else: first by a short run and, when it survives that, by a full one.  Before that, the unchanged
system must pass in both sizes with the same seed.

The exit code is 0 when the score reaches the goal and the list of known mutants (known.toml) is right, 1 when
not, and 2 when the suite cannot be relied on.  An interrupted session continues where it stopped.

What it cannot show: that mutants are like the mistakes of people; the planted defects of docs/certificate.md
are nearer to those.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

from benchmarks.mutation import listed, page, score
from benchmarks.mutation.mutants import mutants_of
from benchmarks.mutation.session import MutantSession
from benchmarks.mutation.suite import SuiteError

ROOT = Path(__file__).resolve().parents[2]
KNOWN = Path("benchmarks", "mutation", "known.toml")
MEMORY = Path(".mutation", "outcomes.ndjson")
CERTAIN = ("repositories.py", "LeasedJobRepository._acquire")
"""A function that every run calls."""


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mutation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--write", type=Path, metavar="PATH", help="write the page to PATH")
    parser.add_argument("--jobs", type=_positive, default=2, help="runs at a time (default: 2)")
    parser.add_argument("--seed", type=int, default=1, help="the seed of every run (default: 1)")
    asked = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        known = listed.read(root / KNOWN)
        # mutmut reads its settings from there.
        with contextlib.chdir(root):
            mutants = [mutant for path in mutated_modules(root) for mutant in mutants_of(path)]
        run = score.to_run(mutants, known)
        _say(f"{len(mutants)} mutants, {len(run)} to be run")
        with MutantSession(root, asked.seed, asked.jobs, root / MEMORY, _say) as session:
            session.check_clean("short")
            session.check_that_it_can_fail(*CERTAIN)
            for module, definitions in known.not_run.items():
                session.check_not_run(module, definitions)
            outcomes = session.outcomes(run, "short")
            session.check_clean("full")
            survivors = [mutant for mutant in run if outcomes[mutant.place].survived]
            outcomes |= session.outcomes(survivors, "full")
        result = score.sort(mutants, outcomes, known)
    except (listed.ListError, SuiteError, LookupError) as error:
        print(f"mutation: {error}", file=sys.stderr)
        return 2
    _say(f"{time.monotonic() - began:.0f} s")
    if asked.write is not None:
        asked.write.write_text(page.page(result, known, session.clean_seconds, asked.seed), encoding="utf-8")
    print(page.summary(result, known))
    return 0 if result.good else 1


def mutated_modules(root: Path) -> list[Path]:
    """Return the modules that pyproject.toml names under [tool.mutmut]."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return [root / name for name in settings["tool"]["mutmut"]["only_mutate"]]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
