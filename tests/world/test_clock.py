"""The frozen clock: the code under test sees it from any depth, Hypothesis never does.

The two claims pull in opposite directions.  freezegun hides a freeze from everything within a few
frames of an ignored module, which would let real time into the code that a rule calls directly; a
freeze without the exception makes Hypothesis's shrinker give up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import freezegun.api
import pytest
from django.utils import timezone as django_timezone
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from statemachine.world.clock import START, Clock, real_seconds, to_seconds

SHORT = settings(
    max_examples=5,
    stateful_step_count=5,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def look() -> set[datetime]:
    """What the clocks show that code under test may ask: one moment, if they agree."""
    return {datetime.now(UTC), django_timezone.now(), datetime.fromtimestamp(time.time(), UTC)}


def named_hypothesis(source: str) -> Callable[[], Any]:
    """``source``, an expression over ``time``, as a function of a module of Hypothesis's."""
    scope: dict[str, Any] = {"__name__": "hypothesis.internal.probe", "time": time}
    exec(f"def probe(): return {source}", scope)
    probe: Callable[[], Any] = scope["probe"]
    return probe


def test_time_stands_still_until_it_is_moved() -> None:
    clock = Clock()
    with clock.running():
        assert look() == {START}
        for seconds in (3540, 3539, 0.5, 0):
            clock.move_to(seconds)
            assert look() == {START + timedelta(seconds=seconds)}
            assert clock.now == seconds
        monotonic = time.monotonic(), time.perf_counter()
        clock.move_to(10)
        assert (time.monotonic() - monotonic[0], time.perf_counter() - monotonic[1]) == (10, 10)


def test_code_called_right_from_a_given_body_sees_frozen_time() -> None:
    clock, seen = Clock(), []

    @SHORT
    @given(st.integers(0, 10**6))
    def body(seconds: int) -> None:
        clock.move_to(seconds)
        expected = START + timedelta(seconds=seconds)
        here = datetime.fromtimestamp(time.time(), UTC)  # no frame of ours in between
        seen.append((look() == {expected}, here == expected))

    with clock.running():
        body()
    assert seen
    assert set(seen) == {(True, True)}


def test_code_called_right_from_a_rule_sees_frozen_time() -> None:
    clock, seen = Clock(), []

    class Machine(RuleBasedStateMachine):
        seconds: ClassVar[int] = 0

        @rule(moves=st.integers(0, 10**6))
        def play(self, moves: int) -> None:
            clock.move_to(moves)
            here = datetime.fromtimestamp(time.time(), UTC)
            seen.append(
                (look() == {START + timedelta(seconds=moves)}, here == START + timedelta(seconds=moves))
            )

        def teardown(self) -> None:
            clock.move_to(0)
            seen.append((look() == {START}, datetime.fromtimestamp(time.time(), UTC) == START))

    with clock.running():
        run_state_machine_as_test(Machine, settings=SHORT)
    assert seen
    assert set(seen) == {(True, True)}


def test_hypothesis_itself_sees_real_time() -> None:
    probes = [named_hypothesis(f"time.{name}()") for name in ("perf_counter", "monotonic", "time")]
    with Clock().running():
        before = [probe() for probe in probes]
        frozen = time.perf_counter(), time.monotonic(), time.time()
        time.sleep(0.005)
        after = [probe() for probe in probes]
        assert (time.perf_counter(), time.monotonic(), time.time()) == frozen
    assert all(later > earlier for earlier, later in zip(before, after, strict=True))
    assert abs(after[2] - time.time()) < 60, "Hypothesis must read today's date"


def test_hypothesis_shrinks_under_the_freeze() -> None:
    calls: list[list[int]] = []
    clock = Clock()

    @seed(1)
    @settings(SHORT, max_examples=200, phases=[Phase.generate, Phase.shrink], print_blob=False)
    @given(st.lists(st.integers(0, 1000)))
    def sums_are_small(numbers: list[int]) -> None:
        calls.append(numbers)
        clock.move_to(len(calls) * 600)  # as a history does, which passes five minutes at once
        if sum(numbers) > 1500:
            raise AssertionError

    with clock.running(), pytest.raises(AssertionError):
        sums_are_small()
    first = next(place for place, numbers in enumerate(calls) if sum(numbers) > 1500)
    # Any minimum is two numbers that add up to 1501; without real time it stops within 10 calls.
    assert len(calls) - first > 30
    assert len(calls[-1]) == 2
    assert sum(calls[-1]) == 1501


def test_real_seconds_advance_under_the_freeze() -> None:
    with Clock().running():
        start, frozen = real_seconds(), time.perf_counter()
        time.sleep(0.005)
        assert 0.005 <= real_seconds() - start < 60
        assert time.perf_counter() == frozen


def _leave_quietly() -> None:
    return None


def _leave_with_an_error() -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("leave", [_leave_quietly, _leave_with_an_error])
def test_real_time_is_back_afterwards(leave: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freezegun.api, "call_stack_inspection_limit", 4)
    today = time.time()
    try:
        with Clock().running():
            assert time.time() == START.timestamp()
            leave()
    except ZeroDivisionError:
        pass
    assert freezegun.api.call_stack_inspection_limit == 4
    assert datetime is freezegun.api.real_datetime
    assert time.time is freezegun.api.real_time
    for moment in look():
        assert today <= moment.timestamp() < today + 60


def test_a_clock_runs_again_from_its_start() -> None:
    clock = Clock()
    for _ in range(2):
        with clock.running():
            clock.move_to(0)
            assert look() == {START}
            clock.move_to(99)


def test_a_lease_from_the_start_spans_a_change_of_the_clocks_of_europe() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert START.astimezone(berlin).utcoffset() == timedelta(hours=2)
    assert (START + timedelta(seconds=3540)).astimezone(berlin).utcoffset() == timedelta(hours=1)


def test_seconds_are_counted_in_utc() -> None:
    assert to_seconds(None) is None
    assert to_seconds(datetime(2030, 10, 27, 1, 30)) == 3600, "SQLite's naive datetimes are UTC"
    assert to_seconds(datetime(2030, 10, 27, 9, 30, tzinfo=timezone(timedelta(hours=9)))) == 0
    assert to_seconds(datetime(2030, 10, 27, 0, 29, 59, 500_000, tzinfo=UTC)) == -0.5
    whole = to_seconds(datetime(2030, 10, 27, 1, 29, tzinfo=UTC))
    assert (whole, type(whole)) == (3540, int)
