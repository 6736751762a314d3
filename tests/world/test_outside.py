"""What code under test does stays inside of the run: mail, files, caches in files, connections."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from django.core import mail
from django.core.cache import caches
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test.utils import override_settings

from models_under_test.binding import AIJobsBinding
from statemachine.binding import BindingError
from statemachine.lifecycle import Operation
from statemachine.world import outside
from statemachine.world.example import Example
from statemachine.world.lane import Lane

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def example() -> Iterator[Example]:
    lane = Lane(AIJobsBinding())
    with lane.open():
        yield lane.begin()


@pytest.fixture
def listener() -> Iterator[tuple[str, int]]:
    """A server on this machine that is none of the run's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


def connect(address: tuple[str, int]) -> bool:
    socket.create_connection(address, timeout=5).close()
    return True


def test_a_connection_in_a_call_ends_the_run_and_is_told_by_its_place(listener: tuple[str, int]) -> None:
    line = connect.__code__.co_firstlineno + 1
    with example() as playing, pytest.raises(BindingError) as caught:
        playing.call(Operation.COMPLETE, lambda: connect(listener), actor="stray", job="j1")
    said = str(caught.value)
    assert f"connects to 127.0.0.1:{listener[1]} at {__file__}:{line}:" in said
    assert "--allow network" in said


def test_code_that_swallows_the_refusal_is_told_as_well(listener: tuple[str, int]) -> None:
    def swallows() -> bool:
        with suppress(Exception):
            connect(listener)
        return True

    with example() as playing, pytest.raises(BindingError, match="connects to"):
        playing.call(Operation.COMPLETE, swallows, actor="stray", job="j1")


def test_what_is_allowed_connects(listener: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "allowed", frozenset({"network"}))
    with example() as playing:
        playing.call(Operation.COMPLETE, lambda: connect(listener), actor="stray", job="j1")


def test_connections_of_our_own_are_not_refused_and_none_is_afterwards(listener: tuple[str, int]) -> None:
    before = socket.socket.connect
    with example():
        assert connect(listener)
    assert socket.socket.connect is before
    assert connect(listener)


def test_files_and_caches_in_files_lie_in_a_folder_of_the_run(tmp_path: Path) -> None:
    theirs = {
        "MEDIA_ROOT": str(tmp_path / "media"),
        "CACHES": {
            "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
            "slow": {
                "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
                "LOCATION": str(tmp_path / "cache"),
            },
        },
    }
    with override_settings(**theirs):
        with example():
            name = default_storage.save("result.txt", ContentFile(b"of the run"))
            written = Path(default_storage.path(name))
            caches["slow"].set("key", "of the run")
            assert written.exists()
            assert caches["slow"].get("key") == "of the run"
        assert not written.exists()
        assert caches["slow"].get("key") is None
    assert not (tmp_path / "media").exists()


def test_mail_stays_in_the_process_and_is_forgotten() -> None:
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend"), example() as playing:
        mail.send_mail("done", "your render", "us@example.com", ["you@example.com"])
        assert len(mail.outbox) == 1
        playing.jobs.append("j1")
        assert isinstance(playing.lane, Lane)
        playing.lane.begin()
        assert mail.outbox == []


@pytest.mark.parametrize("asked", ["mail", "mail, files", "", "network,mail,files"])
def test_names_are_read(asked: str) -> None:
    assert outside.parse(asked) <= outside.ALLOWABLE.keys()


def test_another_name_is_refused_in_a_sentence() -> None:
    with pytest.raises(
        ValueError, match="--allow disk: what can be allowed is mail, files, network, between commas"
    ):
        outside.parse("mail,disk")
