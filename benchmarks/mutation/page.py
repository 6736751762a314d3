"""The outcome of a session in words: on the terminal, and as docs/mutation.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version

from benchmarks.mutation import score
from benchmarks.mutation.listed import KINDS, Known, stub
from benchmarks.mutation.mutants import MESSAGE, SAME_PROGRAM, Mutant
from benchmarks.mutation.score import MutationResult

COMMAND = "python -m benchmarks.mutation --write docs/mutation.md"


def summary(result: MutationResult, known: Known) -> str:
    """Return the survivors, the errors of the list, and the score as the last line."""
    lines = [
        f"survived ({_kind(mutant, known)}): {mutant.place}\n    {_reason(mutant, known)}"
        for mutant in result.survivors
    ]
    lines += [f"ERROR {error}" for error in result.errors]
    unexplained = [mutant for mutant in result.survivors if mutant.place not in known.survivors]
    if unexplained:
        lines += ["", "To be filled in, as [[survivor]] or as [[equivalent]] without a kind:", ""]
        lines += [stub(mutant.place) for mutant in unexplained]
    return "\n".join([*lines, figures(result)])


def figures(result: MutationResult) -> str:
    """Return the score and what it is made of, in one line."""
    return (
        f"{'PASS' if result.good else 'FAIL'}  {percent(result.score)} of {result.counted} mutants killed "
        f"(goal {score.GOAL:.0%}): {len(result.survivors)} survived; {len(result.equivalent)} equivalent, "
        f"{len(result.excluded)} excluded and {len(result.not_run)} not run are not counted"
    )


def percent(share: float) -> str:
    """Return it with one decimal, rounded down: 94.96 % is not 95 %."""
    return f"{int(share * 1000) / 10:.1f} %"


def page(result: MutationResult, known: Known, clean_seconds: Mapping[str, float], seed: int) -> str:
    """Return docs/mutation.md.  ``clean_seconds`` is how long the unchanged system takes, by size."""
    everything = _all(result)
    short, full = clean_seconds["short"], clean_seconds["full"]
    parts = [
        "# What the search would not notice",
        f"Written by `{COMMAND}`; by hand nothing is changed here.",
        f"**{figures(result)}.**",
        f"""mutmut {version("mutmut")} changes one place at a time in the code that the default binding runs,
and `pytest statemachine/` is the only suite that may notice, with an empty corpus and
`--hypothesis-seed={seed}`. A mutant is killed when that ends with FAIL, with UNKNOWN, with an error, or takes
more than four times the processor time of a clean run. A short run (`--hypothesis-profile=fuzz`,
{short:.0f} s for the unchanged system) is played first: what it kills is killed. What survives is played in
full ({full:.0f} s). The unchanged system must pass both before, and a system that cannot take a lease must
fail.""",
        "What this cannot show: that mutants stand for the mistakes that people make. The planted bugs of\n"
        "[certificate.md](certificate.md) are nearer to those.",
        "## What is mutated",
        _table(
            ["module", "mutants", "killed", "survived", "equivalent", "excluded", "not run"],
            [_row(module, result) for module in dict.fromkeys(mutant.place.module for mutant in everything)],
        ),
        _table(
            ["operator of mutmut", "counted", "killed"],
            [
                [f"`{operator}`", counted, _count(operator, (mutant for mutant, _ in result.killed))]
                for operator, counted in _by_operator(result)
            ],
        ),
        """mutmut's own choice: it changes no annotation, no decorator and no decorated function, no
triple-quoted string, no call of `len` or `isinstance`; and it never takes a statement or the call of a method
away, so that a lost `select_for_update()` is not among its mutants (it is a matter for two transactions at
once). cosmic-ray was tried beside it: two thirds of what it makes of these modules (286 of 432) changes the
`|` of an annotation, and it touches no argument, no string and no assignment.""",
        "## What killed them",
        _table(
            ["what the run said", "mutants"],
            [[f"`{verdict}`", number] for verdict, number in _verdicts(result)],
        ),
        "UNKNOWN: the system raised what no step of it may raise, or a claim could no longer be judged.",
        "## What is not counted, and by which rule",
        f"""1. **{SAME_PROGRAM.capitalize()}**: the two syntax trees are equal without annotations (where
   `from __future__ import annotations` keeps them from being evaluated) and docstrings. No run needed.
2. **{MESSAGE.capitalize()}**: the two syntax trees are equal without the arguments of calls in a `raise`.
   None of these modules logs; there would be no other text for people. No run needed.
3. **Not run**: what the default binding never calls. Each is named below, and a run in which all of them
   raise when they are called, or are empty classes, must pass.
4. **Equivalent**: no run on any database could tell it from the original. Each is listed below by itself, is
   played like any other mutant, and one that is killed makes the command fail.""",
        _table(
            ["rule", "mutants"],
            [[rule, number] for rule, number in Counter(str(m.excluded) for m in result.excluded).items()],
        ),
        _table(
            ["not run", "why", "mutants"],
            [
                [f"`{module}` `{name}`", reason, sum(_within(m, module, name) for m in result.not_run)]
                for module, names in known.not_run.items()
                for name, reason in names.items()
            ],
        ),
        "### Equivalent",
        _mutants(result.equivalent, known),
        "## Survivors",
        *(
            f"### {kind}\n\n{meaning[0].upper()}{meaning[1:]}.\n\n{_mutants(mutants, known)}"
            for kind, meaning in KINDS.items()
            if (mutants := [mutant for mutant in result.survivors if _kind(mutant, known) == kind])
        ),
    ]
    if result.timeouts:
        parts += ["## Killed by the time limit", _mutants(result.timeouts, known)]
    if result.errors:
        parts += ["## Errors", "\n".join(f"- {_text(error)}" for error in result.errors)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _all(result: MutationResult) -> list[Mutant]:
    run = [*(mutant for mutant, _ in result.killed), *result.survivors, *result.equivalent]
    return [*run, *result.excluded, *result.not_run]


def _row(module: str, result: MutationResult) -> list[object]:
    killed = [mutant for mutant, _ in result.killed]
    groups = (_all(result), killed, result.survivors, result.equivalent, result.excluded, result.not_run)
    return [f"`{module}`", *(sum(mutant.place.module == module for mutant in group) for group in groups)]


def _by_operator(result: MutationResult) -> list[tuple[str, int]]:
    counted = [*(mutant for mutant, _ in result.killed), *result.survivors]
    return Counter(mutant.operator for mutant in counted).most_common()


def _verdicts(result: MutationResult) -> list[tuple[str, int]]:
    return Counter(outcome.verdict for _, outcome in result.killed).most_common()


def _count(operator: str, mutants: Iterable[Mutant]) -> int:
    return sum(mutant.operator == operator for mutant in mutants)


def _within(mutant: Mutant, module: str, name: str) -> bool:
    return mutant.place.module == module and f"{mutant.place.definition}.".startswith(f"{name}.")


def _kind(mutant: Mutant, known: Known) -> str:
    return known.survivors[mutant.place][0] if mutant.place in known.survivors else "unexplained"


def _reason(mutant: Mutant, known: Known) -> str:
    if mutant.place in known.equivalent:
        return known.equivalent[mutant.place]
    return known.survivors[mutant.place][1] if mutant.place in known.survivors else ""


def _mutants(mutants: Sequence[Mutant], known: Known) -> str:
    return _table(
        ["where", "original", "mutant", "why"],
        [
            [
                f"`{mutant.place.module}:{mutant.line}` `{mutant.place.definition}`",
                f"`{_text(mutant.place.before)}`",
                f"`{_text(mutant.place.after)}`",
                _reason(mutant, known),
            ]
            for mutant in mutants
        ],
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return "None."
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def _text(code: str) -> str:
    return code.replace("|", "\\|")
