"""The mutants and the rule that leaves some out: by position in the syntax tree, with near misses."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.mutation.mutants import (
    MESSAGE,
    SAME_PROGRAM,
    Mutant,
    MutantPlace,
    definition_at,
    mutants_of,
    why_excluded,
    without,
)

SOURCE = '''"""A queue."""

from __future__ import annotations


class Queue:
    limit = 3

    def put(self, item: str | None, now: int = 0) -> None:
        """Raises ValueError for nothing."""
        if item is None:
            raise ValueError(f"nothing at {now}")
        self.items.append(item, now)


def first(queue: Queue) -> str:
    return queue.get(now=1)
'''


def changed(old: str, new: str, source: str = SOURCE) -> str:
    assert source.count(old) == 1
    return source.replace(old, new)


@pytest.fixture
def mutants(tmp_path: Path) -> list[Mutant]:
    path = tmp_path / "queues.py"
    path.write_text(SOURCE)
    return mutants_of(path)


def test_mutmut_changes_one_place_at_a_time(mutants: list[Mutant]) -> None:
    assert {(str(mutant.place), mutant.operator) for mutant in mutants} == {
        ("queues.py Queue: limit = 3 → limit = None", "assignment"),
        ("queues.py Queue: limit = 3 → limit = 4", "number"),
        (
            "queues.py Queue.put: def put(self, item: str | None, now: int = 0) -> None: → "
            "def put(self, item: str | None, now: int = 1) -> None:",
            "number",
        ),
        ("queues.py Queue.put: if item is None: → if item is not None:", "keywords"),
        (
            'queues.py Queue.put: raise ValueError(f"nothing at {now}") → raise ValueError(None)',
            "arg_removal",
        ),
        (
            "queues.py Queue.put: self.items.append(item, now) → self.items.append(None, now)",
            "arg_removal",
        ),
        (
            "queues.py Queue.put: self.items.append(item, now) → self.items.append(item, None)",
            "arg_removal",
        ),
        ("queues.py Queue.put: self.items.append(item, now) → self.items.append(now)", "arg_removal"),
        ("queues.py Queue.put: self.items.append(item, now) → self.items.append(item, )", "arg_removal"),
        ("queues.py first: return queue.get(now=1) → return queue.get(now=None)", "arg_removal"),
        ("queues.py first: return queue.get(now=1) → return queue.get(now=2)", "number"),
    }
    assert [mutant.place for mutant in mutants if mutant.excluded] == [
        MutantPlace(
            "queues.py", "Queue.put", 'raise ValueError(f"nothing at {now}")', "raise ValueError(None)"
        )
    ]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("item: str | None", "item: str & None", SAME_PROGRAM),
        ("-> str:", "-> str | None:", SAME_PROGRAM),
        ('"""Raises ValueError for nothing."""', '"""Raises it."""', SAME_PROGRAM),
        ('f"nothing at {now}"', "None", MESSAGE),
        ('ValueError(f"nothing at {now}")', "ValueError()", MESSAGE),
        ("raise ValueError", "raise TypeError", None),
        ("now: int = 0", "now: int = 1", None),
        ("item is None", "item is not None", None),
        ("append(item, now)", "append(item)", None),
        ("limit = 3", "limit: int = 4", None),
    ],
)
def test_mutants_that_need_no_run_are_left_out(old: str, new: str, why: str | None) -> None:
    assert why_excluded(SOURCE, changed(old, new)) == why


def test_an_annotation_counts_where_it_is_evaluated() -> None:
    evaluated = SOURCE.replace("from __future__ import annotations\n", "")
    assert why_excluded(evaluated, changed("item: str | None", "item: str & None", evaluated)) is None


def test_a_place_survives_edits_elsewhere(tmp_path: Path, mutants: list[Mutant]) -> None:
    path = tmp_path / "queues.py"
    path.write_text(SOURCE.replace("class Queue:", "def other() -> None: ...\n\n\nclass Queue:"))
    assert {mutant.place for mutant in mutants_of(path)} == {mutant.place for mutant in mutants}


def test_the_same_change_twice_in_a_function_has_two_places(tmp_path: Path) -> None:
    path = tmp_path / "twice.py"
    path.write_text("def twice(a):\n    f(a)\n    f(a)\n")
    assert [mutant.place.occurrence for mutant in mutants_of(path)] == [1, 2]


def test_a_line_lies_in_its_innermost_definition() -> None:
    assert [definition_at(SOURCE, line) for line in (1, 7, 13, 17)] == [
        *("<module>", "Queue", "Queue.put", "first")
    ]


def test_a_function_raises_and_a_class_is_empty() -> None:
    assert without(SOURCE, ["first"]).endswith(
        "def first(queue: Queue) -> str:\n    raise AssertionError('it was called')"
    )
    assert "class Queue:\n    pass\n" in without(SOURCE, ["Queue"])
    with pytest.raises(LookupError, match=r"no definition of Queue\.get; there are Queue, Queue\.put, first"):
        without(SOURCE, ["Queue.get"])
