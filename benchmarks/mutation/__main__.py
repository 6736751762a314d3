"""How much of the bundled system's code the search really tests, by mutants that mutmut makes.

    python -m benchmarks.mutation [--write docs/mutation.md] [--jobs 2] [--seed 1]

Each mutant of the modules that pyproject.toml names under [tool.mutmut] is played by `pytest statemachine/`
and nothing else: first by a short run, and what survives that by a full one.  What a short run kills is
killed.  Before that, the unchanged system must pass in both sizes, with the same seed.

Ends with 0 when the score reaches the goal and the list of known mutants (known.toml) is right, with 1 when
not, with 2 when the suite could not be relied on.  An interrupted session goes on where it was.

What it cannot show: that mutants stand for the mistakes that people make; the planted bugs of
docs/certificate.md are nearer to those.
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
from benchmarks.mutation.session import Session
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
    parser.add_argument("--jobs", type=_positive, default=2, help="so many runs at once (default: 2)")
    parser.add_argument("--seed", type=int, default=1, help="of every run (default: 1)")
    asked = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        known = listed.read(root / KNOWN)
        # mutmut reads its settings from there.
        with contextlib.chdir(root):
            mutants = [mutant for path in mutated_modules(root) for mutant in mutants_of(path)]
        run = score.to_run(mutants, known)
        _tell(f"{len(mutants)} mutants, {len(run)} to be run")
        with Session(root, asked.seed, asked.jobs, root / MEMORY, _tell) as session:
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
    _tell(f"{time.monotonic() - began:.0f} s")
    if asked.write is not None:
        asked.write.write_text(page.page(result, known, session.clean_seconds, asked.seed), encoding="utf-8")
    print(page.summary(result, known))
    return 0 if result.good else 1


def mutated_modules(root: Path) -> list[Path]:
    """Those that pyproject.toml lets mutmut mutate."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return [root / name for name in settings["tool"]["mutmut"]["only_mutate"]]


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
