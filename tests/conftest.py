"""What a bare ``pytest`` plays and on how many cores, and lanes for tests that play by hand.

Django, settings and safety come from the plugin itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from statemachine.binding import DEFAULT_BINDING, load
from statemachine.world.databases.availability import missing_because
from statemachine.world.databases.private_server import private_server
from statemachine.world.lane import Lane
from tests.parts import OF_A_SEARCH, PARTS, QUICK, part_of, place_in_order
from tests.support.places import checkout, short
from tests.support.postgresql import migrated_server, open_transactions
from tests.support.surroundings import surroundings

__all__ = ["checkout", "migrated_server", "open_transactions", "short"]

OpenLane = Callable[..., AbstractContextManager[Lane]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("tests of this project").addoption(
        "--everything",
        action="store_true",
        help="play what a bare pytest leaves out as well: " + ", ".join(PARTS),
    )


def _is_bare(config: pytest.Config) -> bool:
    """``pytest``, with neither files nor a choice of tests."""
    chosen = config.option.markexpr or config.option.keyword
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not chosen


def _is_quick(config: pytest.Config) -> bool:
    asked = any(argument.startswith(OF_A_SEARCH) for argument in config.invocation_params.args)
    return _is_bare(config) and not config.option.everything and not asked


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Play a bare run on all cores, a file at a time: what tests share is made once for a file."""
    option = config.option
    if hasattr(config, "workerinput"):
        # A worker is told what the controller was, and would start workers of its own, and they theirs.
        return
    by_itself = option.usepdb or option.trace or option.capture == "no" or option.collectonly
    asked = getattr(option, "numprocesses", 0) is not None or option.dist != "no" or option.tx
    if _is_bare(config) and not by_itself and not asked and not option.fuzz_for:
        option.numprocesses, option.dist = "auto", "loadfile"
        # As they are collected, the longest first; xdist would begin with the files of the most tests.
        option.loadscopereorder = False


def pytest_configure(config: pytest.Config) -> None:
    for name, what in PARTS.items():
        config.addinivalue_line("markers", f"{name}: {what}; a bare pytest leaves it out")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with its part, before ``-m`` chooses; a bare run keeps the quick ones."""
    quick, others = [], []
    for item in items:
        part = part_of(item.nodeid, getattr(item, "fixturenames", ()))
        if part == QUICK:
            quick.append(item)
        else:
            item.add_marker(part)
            others.append(item)
    if _is_quick(config):
        config.hook.pytest_deselected(items=others)
        items[:] = quick
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: place_in_order(item.nodeid))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    if _is_quick(config):
        terminalreporter.write_line(
            f"The quick tests only, without {', '.join(PARTS)}.  All of them: pytest --everything"
        )


@pytest.fixture(scope="session", autouse=True)
def same_surroundings() -> Iterator[None]:
    with surroundings():
        yield


@pytest.fixture
def open_lane(transactional_db: None) -> OpenLane:
    """``with open_lane(defect) as lane:`` opens the system under test on the run's own database.

    Another one than the default by the path of its binding: ``open_lane(defect, path)``.
    """

    @contextmanager
    def open_one(defect: str | None = None, path: str = DEFAULT_BINDING) -> Iterator[Lane]:
        lane = Lane(load(path, defect))
        with lane.open():
            yield lane

    return open_one


@pytest.fixture
def lane(open_lane: OpenLane) -> Iterator[Lane]:
    """The correct system, open."""
    with open_lane() as lane:
        yield lane


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a private PostgreSQL server, for as long as the tests run."""
    missing = missing_because(None, lane="the test")
    if missing:
        pytest.skip(missing)
    with private_server() as server:
        yield server.url
