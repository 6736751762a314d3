"""Where programs are looked for, in which order, and the one line when there are none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from statemachine.world.databases import availability
from statemachine.world.databases.availability import missing_because
from statemachine.world.databases.binaries import Binaries, carried, find, installed

WAY = "install one (apt install postgresql), or pip install '.[postgres]', or name one with --database-server"


def programs(directory: Path, *names: str) -> Path:
    directory.mkdir(parents=True)
    for name in names or ("initdb", "postgres"):
        (directory / name).write_text("#!/bin/sh\n")
        (directory / name).chmod(0o755)
    return directory


def test_path_comes_first_then_the_newest_of_each_kind_then_pg_config(tmp_path: Path) -> None:
    debian = [programs(tmp_path / f"lib/postgresql/{version}/bin") for version in ("9.6", "10", "16")]
    rpm = [programs(tmp_path / f"pgsql-{version}/bin") for version in ("15", "17")]
    elsewhere = programs(tmp_path / "elsewhere")
    on_path = programs(tmp_path / "links", "pg_config")
    (on_path / "pg_config").write_text(f"#!/bin/sh\necho {elsewhere}\n")
    # As Debian's alternatives do: the rest of the programs is where the link leads to.
    (on_path / "initdb").symlink_to(rpm[0] / "initdb")
    found = installed(str(on_path), (f"{tmp_path}/lib/postgresql/*/bin", f"{tmp_path}/pgsql-*/bin"))
    expected = [rpm[0], *reversed(debian), *reversed(rpm), elsewhere]
    assert [each.directory for each in found] == expected


def test_a_client_alone_is_no_server(tmp_path: Path) -> None:
    clients = programs(tmp_path / "bin", "psql", "initdb")
    assert list(installed(str(clients), (str(tmp_path / "*"),))) == []


def test_the_newest_version_that_a_wheel_carries_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "some_pgserver"
    directories = [programs(package / f"pginstall{version}" / "bin") for version in ("", "9", "18")]
    (package / "__init__.py").write_text("raise AssertionError('a wheel was imported')")
    (tmp_path / "some_pgserver.libs").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    found = list(carried(["no_such_package", "some_pgserver"]))
    assert [each.directory for each in found] == directories[::-1]
    assert found[0].needs == (package / "pginstall18", tmp_path / "some_pgserver.libs")


def test_programs_that_are_shut_are_used_only_where_they_can_be_copied_or_by_their_owner(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o700)
    directory = programs(tmp_path / "bin")
    fixed, movable = Binaries(directory), Binaries(directory, (tmp_path,))
    assert not fixed.open_to_all()
    assert find(True, [lambda: [fixed], lambda: [movable]]) == movable
    assert find(False, [lambda: [fixed], lambda: [movable]]) == fixed
    assert find(True, [lambda: [fixed]]) is None


def test_a_file_that_others_may_not_run_is_shut(place: Path) -> None:
    directory = programs(place / "bin")
    assert Binaries(directory).open_to_all()
    (directory / "postgres").chmod(0o750)
    assert not Binaries(directory).open_to_all()


def test_a_named_server_is_never_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability, "find", lambda any_user: None)
    assert missing_because("postgresql://nobody.example/postgres") is None
    assert missing_because(None) == f"the transactions lane needs a PostgreSQL: {WAY}"


def test_nothing_is_missing_where_there_is_a_server(postgresql_server: str) -> None:
    assert missing_because(None) is None


def test_what_else_is_missing_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        without.delattr(os, "geteuid")
        expected = "the lane needs a POSIX system, or a server that is named with --database-server"
        assert missing_because(None, "the lane") == expected
    with monkeypatch.context() as without:
        without.setattr(availability, "find_spec", lambda name: None)
        assert (
            missing_because(None, "the lane")
            == "the lane needs psycopg and greenlet: pip install '.[postgres]'"
        )
    with monkeypatch.context() as without:
        without.setattr(os, "geteuid", lambda: 0)
        without.setattr(availability, "unprivileged_user", lambda: None)
        assert str(missing_because(None, "the lane")).startswith(
            "the lane runs PostgreSQL, which never runs as root, and there is no user nobody: run it as"
        )


def test_without_any_programs_it_really_is_missing(tmp_path: Path) -> None:
    """In a process whose PATH, directories and packages hold none."""
    code = (
        "from statemachine.world.databases import availability, binaries\n"
        "binaries.find.__defaults__ = ([lambda: binaries.installed('', ['/nowhere/*']), "
        "lambda: binaries.carried(['no_such_package'])],)\n"
        "print(availability.missing_because(None))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == f"the transactions lane needs a PostgreSQL: {WAY}\n"
