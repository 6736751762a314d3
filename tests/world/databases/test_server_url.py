"""Which server and database a URL leads to, by libpq's rules, and what is refused; nothing connects here."""

from __future__ import annotations

import os

import pytest
from psycopg.conninfo import conninfo_to_dict

from statemachine.history.shown import without_passwords
from statemachine.world.databases.safety import Refused
from statemachine.world.databases.server_url import REDIRECTING, forget_redirections, read

LEFT_OUT = {"dbname": "ours"}


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PGHOST", "PGPORT", *REDIRECTING):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize(
    ("url", "place", "login"),
    {
        "a host": ("postgresql://me:pw@DB.example:5433/admin", "DB.example:5433", "admin"),
        "a socket": (
            "postgres://me@/postgres?host=%2Frun%2Fpg&port=5499&options=",
            "its socket:5499",
            "postgres",
        ),
        "no path": ("postgresql://me@db", "db:5432", "postgres"),
        "an address": ("postgresql://[::1]:5/x?sslmode=disable", "::1:5", "x"),
        "no host": ("postgresql:///x", "its socket:5432", "x"),
        "a name in the query": ("postgresql://db/x?user=me@there", "db:5432", "x"),
        "an encoded password": ("postgresql://me:s3%2F%40%3A%3F%23@db/x%20y", "db:5432", "x y"),
    }.values(),
)
def test_the_path_names_the_database_to_log_in_to_and_no_other(url: str, place: str, login: str) -> None:
    server = read(url)
    assert server.place == place
    logged_in = conninfo_to_dict(server.login_conninfo)
    assert logged_in["dbname"] == login
    assert conninfo_to_dict(server.conninfo_of("ours")) == {**logged_in, **LEFT_OUT}
    # Workers get the URL, and read it by their own rules.
    assert conninfo_to_dict(server.url_of("ours")) == {**logged_in, **LEFT_OUT}


UNREADABLE = "--database-server cannot be read"


@pytest.mark.parametrize(
    ("url", "why"),
    {
        "a fragment": ("postgresql://o@/postgres#x?host=%2Ftmp&dbname=prod", "has a # in it"),
        "a blank name": ("postgresql://o@h/postgres?dbname=", "has dbname= as well"),
        "an encoded name": ("postgresql://o@h/postgres?%64bname=prod", "has dbname= as well"),
        "a service": ("postgresql://o@h/postgres?service=prod", "has service= as well"),
        "several hosts": ("postgresql://o@/postgres?host=a,b", "names several hosts"),
        "a password with @": ("postgresql://o:s3@cr3t@h/x", UNREADABLE),
        "a password with ?": ("postgresql://o:s3?dbname=cr3t@h/x", UNREADABLE),
        "a password with /": ("postgresql://o:5432/cr3t@h/x", UNREADABLE),
        "no parameter of libpq": ("postgresql://o:cr3t@h/x?prod=1", UNREADABLE),
        "a line end": ("postgresql://o:cr3t@h/x\n?dbname=y", UNREADABLE),
        "a NUL": ("postgresql://o@h/x\0y", UNREADABLE),
        "another kind": ("postgresql+psycopg://o:cr3t@h/x", "names a postgresql+psycopg server"),
        "no URL": ("host=h password=cr3t", "names a nameless server"),
    }.values(),
)
def test_what_leads_elsewhere_is_refused_in_one_sentence_without_a_password(url: str, why: str) -> None:
    with pytest.raises(Refused) as raised:
        read(url)
    told = str(raised.value)
    assert why in told
    assert "cr3t" not in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("variable", "value", "url"),
    [("PGHOST", "production", "postgresql:///postgres"), ("PGPORT", "5433", "postgresql://h/postgres")],
)
def test_the_environment_does_not_choose_the_server(
    variable: str, value: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Refused, match=f"the environment's {variable} would choose it"):
        read(url)
    assert read("postgresql://h:5432/postgres").place == "h:5432"


def test_what_would_lead_a_connection_elsewhere_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in REDIRECTING:
        monkeypatch.setenv(variable, "prod")
    monkeypatch.setenv("PGPASSWORD", "s3cr3t")
    forget_redirections()
    assert [name for name in REDIRECTING if name in os.environ] == []
    assert os.environ["PGPASSWORD"] == "s3cr3t"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://o:cr3t@h/x",
        "postgresql://o:s@cr3t@h/x?options=",
        "postgresql://o:s/cr3t@h/x",
        "postgresql://o@h/x?password=cr3t&sslpassword=cr3t",
        "postgresql://o@h/x?p%61ssword=cr3t",
    ],
)
def test_no_password_is_shown(url: str) -> None:
    shown = without_passwords(url)
    assert "cr3t" not in shown
    assert shown.startswith("postgresql://o")
    assert "PASSWORD" in shown
