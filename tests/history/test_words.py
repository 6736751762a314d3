"""Lengths of time as people write and read them."""

from __future__ import annotations

import pytest

from statemachine.history.words import duration, seconds_in


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("10m", 600), ("6h", 21_600), ("1h30m", 5400), ("2d", 172_800), (" 5M ", 300)],
)
def test_what_can_be_read(text: str, seconds: int) -> None:
    assert seconds_in(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "6", "h", "1.5h", "-5m", "30m1h", "6 hours", "5mm"])
def test_what_cannot_is_quoted_with_what_would_do(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 30s, 10m, 6h or 1h30m") as raised:
        seconds_in(text)
    assert repr(text) in str(raised.value)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0s"), (59.9, "59s"), (60, "1m 00s"), (3599, "59m 59s"), (21_600, "6h 00m")]
)
def test_a_length_is_written_in_its_two_largest_units(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
