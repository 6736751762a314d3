"""What a system, a log or a file says is shown whole, is obeyed by nobody, and gives no password away."""

from __future__ import annotations

import pytest

from statemachine.history.shown import cut, fenced, visible, without_passwords

SECRET = "hunter2"


@pytest.mark.parametrize(
    "address",
    [
        "redis://h/0?password=hunter2",
        "redis://:hunter2@h:6379/0",
        "Redis://u:hunter2@h",
        "redis:/u:hunter2@h/0 is no directory",
        "the module redis has no //u:hunter2@h",
        "unix://u:hunter2@/run/redis.sock?db=0",
        "postgresql://u:hunter2@db/x",
        "postgresql://u:p@hunter2@db/x",
        "postgresql://u:p/hunter2@db/x",
        "postgresql://u:p?hunter2#@db/x",
        "postgresql://u@db/x?sslmode=require&password=hunter2&dbname=x",
        "postgresql://u@db/x?PassWord=hunter2",
        "postgresql://u@db/x?p%61ssword=hunter2",
        "postgresql:///x?sslpassword=hunter2",
        "postgresql:///x?passfile=/home/hunter2",
        "host=db password=hunter2 dbname=x",
        "host=db password = 'two words, hunter2' dbname=x",
        r"host=db password='it\'s hunter2'",
        "host=db sslpassword=hunter2",
        "connection to 'redis://h/0?password=hunter2' refused",
        "(postgresql://u:hunter2@db/x)",
    ],
)
def test_no_password_is_shown_whatever_the_spelling_of_its_address(address: str) -> None:
    shown = without_passwords(address)
    assert SECRET not in shown
    assert "PASSWORD" in shown
    assert without_passwords(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://owner@db:5432/postgres?sslmode=require",
        "redis://cache:6379/0",
        "j1 is RUNNING: the password of t1 was asked for twice",
        "file:///home/me/.statemachine",
    ],
)
def test_what_holds_no_password_stays_as_it_is(text: str) -> None:
    assert without_passwords(text) == text


def test_two_addresses_keep_their_hosts() -> None:
    assert (
        without_passwords("from redis://a:x@one/0 to redis://b:y@two/0")
        == "from redis://a:PASSWORD@one/0 to redis://b:PASSWORD@two/0"
    )


def test_two_texts_that_differ_in_what_cannot_be_seen_stay_different() -> None:
    shown = {visible(text) for text in ("a", "a\u200b", "a\x1b", "a ", "a\u00a0", "a\ud800", "a\u202e")}
    assert len(shown) == 7


def test_a_text_is_cut_only_where_it_is_too_long() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3) == "abc… (1 more character)"


def test_a_fence_of_markdown_cannot_be_closed_from_inside() -> None:
    assert fenced(["a", "````", "</details>"]) == ["`````text", "a", "````", "</details>", "`````"]
