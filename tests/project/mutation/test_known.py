"""The list of known mutants: complete entries, each once, and an error for every wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.mutation import page, score
from benchmarks.mutation.listed import Known, ListError, read, stub
from benchmarks.mutation.mutants import MESSAGE, Mutant, MutantPlace
from benchmarks.mutation.suite import SURVIVED, TIMEOUT, SuiteError, SuiteOutcome, verdict_of

PLACE = MutantPlace("queues.py", "Queue.put", "a = 'x'", 'b = "y\'s"', 2)
ENTRY = """
module = "queues.py"
definition = "Queue.put"
before = "a"
after = "b"
"""


def listed(tmp_path: Path, text: str) -> Known:
    path = tmp_path / "known.toml"
    path.write_text(text)
    return read(path)


def test_a_stub_names_its_mutant(tmp_path: Path) -> None:
    text = stub(PLACE).replace('kind = ""', 'kind = "hole"').replace('reason = ""', 'reason = "so"')
    assert listed(tmp_path, text).survivors == {PLACE: ("hole", "so")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[equivalents]]", r"\[\[equivalents\]\]: there are equivalent, survivor and not_run only"),
        ("[[equivalent", "known.toml: "),
        (f"[[equivalent]]{ENTRY}", "an entry lacks reason"),
        (f"[[equivalent]]{ENTRY}reason = ' '", "an entry has no reason"),
        (f"[[equivalent]]{ENTRY}reason = 'r'\nkind = 'hole'", "an entry has an unknown kind"),
        (f"[[survivor]]{ENTRY}reason = 'r'", "an entry lacks kind"),
        (f"[[survivor]]{ENTRY}reason = 'r'\nkind = 'odd'", "kind 'odd' is none of locks, "),
        (
            f"[[equivalent]]{ENTRY}reason = 'r'\n[[survivor]]{ENTRY}reason = 'r'\nkind = 'hole'",
            "queues.py Queue.put: a → b: it is listed twice",
        ),
    ],
)
def test_a_wrong_list_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ListError, match=message):
        listed(tmp_path, text)


def mutant(number: int, definition: str = "Queue.put", excluded: str | None = None) -> Mutant:
    place = MutantPlace("queues.py", definition, "a", str(number))
    return Mutant(place, number, "assignment", f"a = {number}", excluded)


MUTANTS = [
    *(mutant(number) for number in range(5)),
    mutant(5, excluded=MESSAGE),
    mutant(6, "Other.get"),
    mutant(7, "Otherwise"),
]
KNOWN = Known(
    equivalent={MUTANTS[3].place: "the same"},
    survivors={MUTANTS[4].place: ("hole", "nobody looks")},
    not_run={"queues.py": {"Other": "another binding"}},
)


def outcomes(*survived: int) -> dict[MutantPlace, SuiteOutcome]:
    return {
        mutant.place: SuiteOutcome(SURVIVED if number in survived else "FAIL every_job_ends", 1.0)
        for number, mutant in enumerate(MUTANTS)
    }


def test_the_score_counts_what_is_neither_excluded_nor_equivalent() -> None:
    result = score.sort(MUTANTS, outcomes(3, 4), KNOWN)
    # Run: 0-4 and 7.  Killed: 0, 1, 2, 7.  Of those and the survivor 4: 4 / 5.
    assert (len(result.killed), result.counted, result.score) == (4, 5, 0.8)
    assert [len(group) for group in (result.excluded, result.not_run, result.equivalent)] == [1, 1, 1]
    assert not result.errors
    assert not result.good
    assert page.figures(result) == (
        "FAIL  80.0 % of 5 mutants killed (goal 95%): 1 survived; 1 equivalent, 1 excluded and 1 not run are "
        "not counted"
    )


def test_an_equivalent_that_is_killed_is_an_error() -> None:
    result = score.sort(MUTANTS, outcomes(4), KNOWN)
    assert result.errors == [
        "queues.py Queue.put: a → 3: listed as equivalent, and killed (FAIL every_job_ends); "
        "strike it from the list"
    ]


def test_a_listed_survivor_that_is_killed_is_an_error() -> None:
    assert "listed as a survivor, and killed" in score.sort(MUTANTS, outcomes(3), KNOWN).errors[0]


def test_an_entry_without_a_mutant_is_an_error() -> None:
    known = Known({**KNOWN.equivalent, PLACE: "gone"}, KNOWN.survivors, KNOWN.not_run)
    result = score.sort(MUTANTS, outcomes(3, 4), known)
    assert result.errors == [f"{PLACE}: listed, and there is no such mutant; strike it from the list"]


def test_a_survivor_that_nothing_explains_is_an_error_and_gets_a_stub() -> None:
    result = score.sort(MUTANTS, outcomes(0, 3, 4), KNOWN)
    assert result.errors == ["queues.py Queue.put: a → 0: it survived, and nothing says why"]
    assert stub(MUTANTS[0].place) in page.summary(result, KNOWN)


def test_a_goal_just_missed_is_not_rounded_up() -> None:
    assert page.percent(0.9499) == "94.9 %"
    assert page.percent(1.0) == "100.0 %"


def test_the_page_has_every_survivor_with_its_reason() -> None:
    text = page.page(
        score.sort(MUTANTS, {**outcomes(3, 4), MUTANTS[0].place: SuiteOutcome(TIMEOUT, 9.0)}, KNOWN),
        KNOWN,
        {"short": 1.0, "full": 2.0},
        1,
    )
    assert "| `queues.py:4` `Queue.put` | `a` | `4` | nobody looks |" in text
    assert "| `queues.py:3` `Queue.put` | `a` | `3` | the same |" in text
    assert "| `queues.py` `Other` | another binding | 1 |" in text
    assert "## Killed by the time limit" in text


@pytest.mark.parametrize(
    ("exit_code", "output", "verdict"),
    [
        (0, "PASS  no invariant was broken", SURVIVED),
        (1, "…\nFAIL  every_job_ends\n      j1 …", "FAIL every_job_ends"),
        (1, "UNKNOWN  nothing was broken, but", "UNKNOWN"),
        (1, "1 failed", "error"),
        (4, "ERROR: --binding …", "error"),
    ],
)
def test_the_verdict_of_a_run(exit_code: int, output: str, verdict: str) -> None:
    assert verdict_of(exit_code, output) == verdict


@pytest.mark.parametrize("exit_code", [-9, -15, 2])
def test_a_run_that_was_stopped_from_outside_has_no_verdict(exit_code: int) -> None:
    with pytest.raises(SuiteError, match="from outside"):
        verdict_of(exit_code, "FAIL  every_job_ends")
