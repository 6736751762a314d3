"""The plain test of a failure, to be copied among the tests of the system under test.

The text is as ``ruff format`` would leave it, at its default width and at any greater one.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from statemachine.history.shown import cut, visible
from statemachine.report.text.failure import protects
from statemachine.report.text.paper import MOST_IN_SENTENCE
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.script import Step, in_drain, steps_of

NAME = "test_regression.py"
_WIDTH = 88
"""That of ``ruff format`` and ``black`` by default."""

_INDENT = " " * 4

_FAILS_WHILE = "It fails while the system breaks the claim and passes once it does not.  "
_NAMES = (
    "Steps count from 1, or from the ``step`` that is given: j1 is the job that step 1 creates, m2 the "
    "message that step 2 sends."
)
_LIMITS = (
    f"{_FAILS_WHILE}A pass shows that this one order of events is handled; other orders are left to the "
    "search.  If a step before the last is no longer possible, the test fails and says so: it would show "
    "nothing."
)
_LIMITS_OF_TURNS = (
    f"{_FAILS_WHILE}It is played on PostgreSQL: ``stepwise`` stops an operation before each of its "
    "statements, ``proceed`` lets it execute the next.  A repaired system may have other statements, so "
    "``proceed`` executes the next one whatever it is now, and does nothing for an operation that waits for "
    "a lock or has ended.  A step that is not possible while operations are in flight waits until they have "
    "ended.  A pass shows that this one order of turns is handled; other orders are left to the search."
)
_LIMITS_OF_DRAIN = (
    f"{_FAILS_WHILE}A pass shows that this one order of events ends well; other orders are left to the "
    "search."
)


@dataclass(frozen=True)
class _Fixture:
    """The pytest fixture that plays a test, and its class in ``statemachine.regression``."""

    name: str
    kind: str


_FIXTURES = {"transactions": _Fixture("interleaved_jobs", "InterleavedJobs")}
_WHOLE = _Fixture("leased_jobs", "LeasedJobs")


def regression_test(failure: Failure, *, binding: str, command: str, lane: str = "embedded") -> str:
    """Return the source of a test module that fails as ``failure`` did.

    ``binding`` is the path of the system that failed, ``command`` the command line that runs a copy of the
    test, and ``lane`` the lane that found the failure.
    """
    seen = failure.headline
    fixture = _FIXTURES.get(lane, _WHOLE)
    limits = _LIMITS if fixture is _WHOLE else _LIMITS_OF_TURNS
    if in_drain(failure) and fixture is _WHOLE:
        limits = _LIMITS_OF_DRAIN
    return "\n".join(
        [
            f'"""{_docstring(f"{seen.invariant}: {seen.story}")}',
            "",
            _docstring(f"The claim: {protects(seen)}"),
            "",
            _docstring("Copy it among your own tests, under a name of its own, and run it there, at PATH:"),
            "",
            f"{_INDENT}{_literal(command)}",
            "",
            _docstring(limits),
            "",
            f'{_docstring(_NAMES)}\n"""',
            "",
            "from __future__ import annotations",
            "",
            f"from statemachine.regression import {fixture.kind}",
            "",
            "",
            *_head(seen.invariant, fixture),
            *_call(fixture, "expect_binding", [_value(binding)]),
            *_plays(fixture, steps_of(failure)),
            *(_call(fixture, "drain", []) if in_drain(failure) else []),
            *_call(fixture, "check", [_value(seen.invariant)]),
            "",
        ]
    )


def _docstring(text: str) -> str:
    return textwrap.fill(_literal(text), _WIDTH - 4, break_long_words=False, break_on_hyphens=False)


def _literal(text: str) -> str:
    """Return ``text`` as one line of a docstring: a story may quote anything that the system said."""
    return visible(cut(text, MOST_IN_SENTENCE)).replace("\\", "\\\\").replace('"""', "'''").strip()


def _head(invariant: str, fixture: _Fixture) -> list[str]:
    line = f"def test_{invariant}({fixture.name}: {fixture.kind}) -> None:"
    if len(line) <= _WIDTH:
        return [line]
    return [f"def test_{invariant}(", f"{_INDENT}{fixture.name}: {fixture.kind},", ") -> None:"]


def _plays(fixture: _Fixture, steps: list[Step]) -> Iterator[str]:
    expected = 1
    for step in steps:
        number = [] if step.key == expected else [f"step={step.key}"]
        named = [f"{name}={_value(value)}" for name, value in step.arguments.items() if value is not None]
        yield from _call(fixture, "play", [_value(step.operation), *number, *named])
        expected = step.key + 1


def _call(fixture: _Fixture, method: str, arguments: list[str]) -> Iterator[str]:
    line = f"{_INDENT}{fixture.name}.{method}({', '.join(arguments)})"
    if len(line) <= _WIDTH:
        yield line
        return
    # With a comma after the last argument a formatter leaves them one a line, whatever its width.
    yield f"{_INDENT}{fixture.name}.{method}("
    yield from (f"{_INDENT * 2}{argument}," for argument in arguments)
    yield f"{_INDENT})"


def _value(value: object) -> str:
    """Return a literal as a formatter writes it: text in double quotes unless it holds one.

    What is not printable is escaped: a reader sees what is played.
    """
    plain = isinstance(value, str) and '"' not in value and value.isprintable()
    return json.dumps(value, ensure_ascii=False) if plain else repr(value)
