"""The score of all mutants, and where the list of known mutants is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.mutation.listed import Known
from benchmarks.mutation.mutants import Mutant, MutantPlace
from benchmarks.mutation.suite import TIMEOUT, SuiteOutcome

GOAL = 0.95


@dataclass(frozen=True)
class MutationResult:
    """All mutants, sorted by outcome.  Only ``excluded`` and ``not_run`` were not run."""

    excluded: Sequence[Mutant]
    not_run: Sequence[Mutant]
    killed: Sequence[tuple[Mutant, SuiteOutcome]]
    equivalent: Sequence[Mutant]
    survivors: Sequence[Mutant]
    errors: Sequence[str]

    @property
    def counted(self) -> int:
        return len(self.killed) + len(self.survivors)

    @property
    def score(self) -> float:
        """The killed share of the mutants that are neither excluded nor equivalent nor listed as not run."""
        return len(self.killed) / self.counted if self.counted else 0.0

    @property
    def good(self) -> bool:
        return not self.errors and self.score >= GOAL

    @property
    def timeouts(self) -> list[Mutant]:
        return [mutant for mutant, outcome in self.killed if outcome.verdict == TIMEOUT]


def sort(
    mutants: Sequence[Mutant], outcomes: Mapping[MutantPlace, SuiteOutcome], known: Known
) -> MutationResult:
    """Sort ``mutants`` by their ``outcomes``, which has one for each mutant that :func:`to_run` returns."""
    run = to_run(mutants, known)
    killed = [(mutant, outcomes[mutant.place]) for mutant in run if not outcomes[mutant.place].survived]
    survived = [mutant for mutant in run if outcomes[mutant.place].survived]
    errors = [
        f"{mutant.place}: listed as {listed}, and killed ({outcome.verdict}); strike it from the list"
        for mutant, outcome in killed
        for listed, places in (("equivalent", known.equivalent), ("a survivor", known.survivors))
        if mutant.place in places
    ]
    errors += [
        f"{place}: listed, and there is no such mutant; strike it from the list"
        for place in known.unknown_places(mutant.place for mutant in run)
    ]
    errors += [
        f"{mutant.place}: it survived, and nothing says why"
        for mutant in survived
        if mutant.place not in known.equivalent and mutant.place not in known.survivors
    ]
    return MutationResult(
        excluded=[mutant for mutant in mutants if mutant.excluded],
        not_run=[mutant for mutant in mutants if not mutant.excluded and not known.runs(mutant.place)],
        killed=killed,
        equivalent=[mutant for mutant in survived if mutant.place in known.equivalent],
        survivors=[mutant for mutant in survived if mutant.place not in known.equivalent],
        errors=errors,
    )


def to_run(mutants: Sequence[Mutant], known: Known) -> list[Mutant]:
    return [mutant for mutant in mutants if not mutant.excluded and known.runs(mutant.place)]
