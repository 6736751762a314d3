"""Runs several mutants at a time and keeps each outcome, so that an interrupted session can continue."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from benchmarks.mutation.mutants import Mutant, MutantPlace, without
from benchmarks.mutation.suite import SYSTEM, Bench, SuiteError, SuiteOutcome, bench, digest

TIMES_THE_CLEAN_RUN = 4
LEAST_LIMIT_SECONDS = 60.0


class Memory:
    """Outcomes by what was run, in a file with a line for each.

    ``ground`` is part of every key: another system or another seed has other outcomes.
    """

    def __init__(self, path: Path, ground: str) -> None:
        self._path, self._ground, self._lock = path, ground, threading.Lock()
        self._outcomes: dict[str, SuiteOutcome] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                key, verdict, seconds = json.loads(line)
                self._outcomes[key] = SuiteOutcome(verdict, seconds)

    def outcome(self, name: str, make: Callable[[], SuiteOutcome]) -> SuiteOutcome:
        key = hashlib.sha256(f"{self._ground}\n{name}".encode()).hexdigest()
        if key not in self._outcomes:
            made = make()
            with self._lock:
                self._outcomes[key] = SuiteOutcome(made.verdict, made.seconds)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([key, made.verdict, round(made.seconds, 1)]) + "\n")
        return self._outcomes[key]


class MutantSession:
    """Copies of the project to run mutants in, with time limits measured on the unchanged system."""

    def __init__(self, root: Path, seed: int, jobs: int, memory: Path, say: Callable[[str], None]) -> None:
        self._root, self._seed, self._jobs, self._say = root, seed, jobs, say
        self._memory = Memory(memory, f"{digest(root)} {seed}")
        self._closing = contextlib.ExitStack()
        self._benches: SimpleQueue[Bench] = SimpleQueue()
        self._limits: dict[str, float] = {}
        self.clean_seconds: dict[str, float] = {}

    def __enter__(self) -> MutantSession:
        for _ in range(self._jobs):
            self._benches.put(self._closing.enter_context(bench(self._root)))
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.close()

    def check_clean(self, size: str) -> None:
        """Run the unchanged system and set the time limit by it.  Raise :class:`SuiteError` when it fails."""
        # Never taken from the memory: the computer may have become slower since.
        outcome = self._run({}, size, math.inf)
        if not outcome.survived:
            raise SuiteError(
                f"the unchanged system does not pass ({outcome.verdict}):\n{outcome.output[-3000:]}"
            )
        self.clean_seconds[size] = outcome.cpu_seconds
        self._limits[size] = max(TIMES_THE_CLEAN_RUN * outcome.cpu_seconds, LEAST_LIMIT_SECONDS)
        self._say(f"{size}: the unchanged system passes, {outcome.cpu_seconds:.0f} s of the processor")

    def check_that_it_can_fail(self, module: str, definition: str) -> None:
        """Raise :class:`SuiteError` when the suite passes although a function that every run calls raises.

        It would then not be the copies that are tested.
        """
        if self._without(module, {definition}).survived:
            raise SuiteError(f"{module}: {definition} raised at every call, and the suite passed")

    def check_not_run(self, module: str, definitions: Collection[str]) -> None:
        """Raise :class:`SuiteError` when the suite fails without the definitions listed as not run."""
        outcome = self._without(module, definitions)
        if not outcome.survived:
            raise SuiteError(
                f"{module}: of what is listed as not run, something is ({outcome.verdict}): "
                f"{', '.join(sorted(definitions))}"
            )

    def outcomes(self, mutants: Sequence[Mutant], size: str) -> dict[MutantPlace, SuiteOutcome]:
        """Run the mutants.  Raise :class:`SuiteError` when a run is ended from outside."""
        done = 0

        def one(mutant: Mutant) -> SuiteOutcome:
            nonlocal done
            module, source = mutant.place.module, mutant.source
            outcome = self._memory.outcome(
                f"{size} {module}\n{source}", lambda: self._run({module: source}, size, self._limits[size])
            )
            done += 1
            self._say(
                f"{size} {done}/{len(mutants)}  {outcome.verdict}  {outcome.seconds:.0f} s  {mutant.place}"
            )
            return outcome

        with ThreadPoolExecutor(self._jobs) as pool:
            results = pool.map(one, mutants)
            try:
                found = list(results)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return {mutant.place: outcome for mutant, outcome in zip(mutants, found, strict=True)}

    def _without(self, module: str, definitions: Collection[str]) -> SuiteOutcome:
        source = without((self._root / SYSTEM / module).read_text(encoding="utf-8"), definitions)
        return self._memory.outcome(
            f"without {module}\n{source}", lambda: self._run({module: source}, "short", self._limits["short"])
        )

    def _run(self, changed: Mapping[str, str], size: str, limit: float) -> SuiteOutcome:
        mine = self._benches.get()
        try:
            return mine.run(changed, size, self._seed, limit)
        finally:
            self._benches.put(mine)
