"""The settings of a worker: everything that is wrong at once, nothing guessed, no secret repeated."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from models_under_test.configuration import Configuration, ConfigurationError, from_file, read
from models_under_test.database_url import SQLITE_OPTIONS, database, shown
from models_under_test.variables import DATABASE, SQS, VARIABLES
from tests.support.commandline import REPO

GOOD = {
    "JOBS_DATABASE_URL": "postgresql://user:hunter2@db.example:5432/jobs",
    "JOBS_SQS_ENDPOINT_URL": "http://127.0.0.1:4566",
    "JOBS_SQS_REGION": "ap-northeast-2",
    "JOBS_SQS_ACCESS_KEY_ID": "key-id",
    "JOBS_SQS_SECRET_ACCESS_KEY": "correct-horse",
}
BOTH = frozenset({DATABASE, SQS})


def problems(values: Mapping[str, str]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(values, BOTH)
    return str(caught.value).splitlines()


def test_the_defaults_are_the_deployed_numbers() -> None:
    assert read(GOOD, BOTH) == Configuration(
        database_url=GOOD["JOBS_DATABASE_URL"],
        sqs_endpoint_url="http://127.0.0.1:4566",
        sqs_region="ap-northeast-2",
        sqs_access_key_id="key-id",
        sqs_secret_access_key="correct-horse",
        visibility_seconds=3600,
        lease_margin_seconds=60,
        max_receives=3,
        inference_cap_seconds=3600,
        poll_seconds=20,
        extend_every_seconds=1800,
        grace_seconds=8,
        worker_id="",
        worker_name="",
        log_file="",
    )
    assert read(GOOD, BOTH).lease_seconds == 3540


def test_numbers_that_follow_from_others_do_so() -> None:
    scaled = read(GOOD | {"JOBS_VISIBILITY_SECONDS": "3", "JOBS_LEASE_MARGIN_SECONDS": "1"}, BOTH)
    assert (scaled.lease_seconds, scaled.inference_cap_seconds, scaled.extend_every_seconds) == (2, 3, 1.5)


BAD = {
    "JOBS_DATABASE_URL": [
        "mysql://root:hunter2@db/jobs",
        "postgresql://u:hun/ter2@db/jobs",
        "hunter2",
        "sqlite:////no/where",
    ],
    "JOBS_SQS_ENDPOINT_URL": ["127.0.0.1:4566", "ftp://host", "http://user:hunter2@host", "http://host:port"],
    "JOBS_SQS_REGION": ["two words"],
    "JOBS_SQS_ACCESS_KEY_ID": ["hunter2 and more"],
    "JOBS_SQS_SECRET_ACCESS_KEY": ["hunter2 and more"],
    "JOBS_VISIBILITY_SECONDS": ["0", "43201", "1.5", "an hour"],
    "JOBS_LEASE_MARGIN_SECONDS": ["-1", "3600", "one"],
    "JOBS_MAX_RECEIVES": ["0", "1001", "x"],
    "JOBS_INFERENCE_CAP_SECONDS": ["0", "nan", "inf", "x"],
    "JOBS_POLL_SECONDS": ["0", "21", "x"],
    "JOBS_EXTEND_EVERY_SECONDS": ["-1", "3600", "nan"],
    "JOBS_GRACE_SECONDS": ["-1", "inf"],
    "JOBS_WORKER_ID": ["x" * 129, "two\nlines"],
    "JOBS_WORKER_NAME": ["x" * 129, "two\nlines"],
    "JOBS_LOG_FILE": ["/", "/nowhere/at/all.ndjson"],
}


def test_every_variable_can_be_wrong() -> None:
    assert set(BAD) == set(VARIABLES)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in BAD for value in BAD[name]])
def test_a_wrong_value_is_reported_with_its_rule_and_a_way_out(name: str, value: str) -> None:
    [told] = problems(GOOD | {name: value})
    variable = VARIABLES[name]
    assert told.startswith(f"{name} is ")
    assert f": it must be {variable.rule}; {variable.way_out}" in told
    assert "hunter2" not in told
    assert "hun/ter2" not in told


def test_all_problems_are_reported_at_once() -> None:
    told = problems({"JOBS_POLL_SECONDS": "often", "JOBS_VISIBILTY_SECONDS": "3", "JOBS_SQS_REGION": " "})
    assert [line.partition(" ")[0] for line in told] == [
        *("JOBS_VISIBILTY_SECONDS", "JOBS_DATABASE_URL", "JOBS_SQS_ENDPOINT_URL", "JOBS_SQS_REGION"),
        *("JOBS_SQS_ACCESS_KEY_ID", "JOBS_SQS_SECRET_ACCESS_KEY", "JOBS_POLL_SECONDS"),
    ]
    assert "did you mean JOBS_VISIBILITY_SECONDS?" in told[0]
    assert "'often'" in told[-1]


def test_what_a_command_does_not_need_may_be_missing() -> None:
    assert read({}, frozenset()).database_url == ""
    assert [line.partition(" ")[0] for line in problems({})] == list(GOOD)


def test_an_env_file_is_read_below_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "worker.env"
    path.write_text("# deployed\nJOBS_POLL_SECONDS=5\nJOBS_SQS_REGION='eu-west-1'\nJOBS_WORKER_ID=a$b\n")
    values = from_file(str(path), {"JOBS_POLL_SECONDS": "7", "JOBS_SQS_REGION": ""})
    assert values["JOBS_POLL_SECONDS"] == "7"
    assert values["JOBS_SQS_REGION"] == "eu-west-1"
    assert values["JOBS_WORKER_ID"] == "a$b"


def test_a_command_reads_the_env_file_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "worker.env"
    path.write_text(f"JOBS_DATABASE_URL=sqlite://{tmp_path}/jobs.sqlite3\n")
    done = subprocess.run(
        [sys.executable, "-m", "models_under_test", "migrate", "--env-file", str(path)],
        cwd=REPO,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "jobs.sqlite3").stat().st_size > 0


def test_an_env_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"No such file.*name a file of lines"):
        from_file(str(tmp_path / "none.env"), {})


def test_a_misconfigured_worker_says_so_in_lines_and_exits_with_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "models_under_test", "worker", "--queue", "ai"],
        cwd=REPO,
        env=GOOD | {"JOBS_SQS_ENDPOINT_URL": "", "JOBS_POLL_SECONDS": "often"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "python -m models_under_test worker: it cannot start like this:",
        "  JOBS_SQS_ENDPOINT_URL is not set: it must be http(s)://HOST or http(s)://HOST:PORT; "
        "name the SQS endpoint; none is ever guessed",
        "  JOBS_POLL_SECONDS is 'often': it must be a whole number from 1 to 20; leave it out for 20",
    ]


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["worker"], "worker: the following arguments are required: --queue"),
        (["worker", "--queue", "email"], "argument --queue: invalid choice: 'email'"),
        (["worker", "--queue", "ai", "--max-jobs", "0"], "argument --max-jobs: 0 is no whole number above 0"),
        (["worker", "--queue", "video", "--tier", "lite"], "--tier lite: video has no tiers; leave it out"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line(
    arguments: list[str], answer: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from models_under_test.commandline import main

    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert answer in error
    assert error.count("\n") == 1


DATABASES = {
    "sqlite:///srv/jobs.sqlite3": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "/srv/jobs.sqlite3",
        "OPTIONS": dict(SQLITE_OPTIONS),
    },
    "postgresql://u:p%40ss@db:5433/jobs?sslmode=require": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "jobs",
        "USER": "u",
        "PASSWORD": "p@ss",
        "HOST": "db",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    },
    "postgresql:///jobs?host=/run/postgresql&user=u": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "jobs",
        "HOST": "/run/postgresql",
        "USER": "u",
        "OPTIONS": {},
    },
}


@pytest.mark.parametrize("url", DATABASES)
def test_a_database_url_becomes_djangos_settings(url: str) -> None:
    assert database(url) == DATABASES[url]


@pytest.mark.parametrize(
    "url",
    [
        *("", "sqlite://", "sqlite:///", "sqlite://host/path", "postgresql://db", "postgresql://db/a/b"),
        *("postgresql://db/a?dbname=b", "postgresql://db/a?service=b", "postgresql://db/a#x?dbname=b"),
    ],
)
def test_half_a_database_url_and_one_of_two_databases_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="ABSOLUTE/PATH"):
        database(url)


def test_a_url_is_shown_without_what_may_be_secret() -> None:
    assert shown("sqlite:///a/b") == "sqlite:///a/b"
    assert shown("postgresql://u:hunter2@db/jobs") == "postgresql://…"
    assert shown("hunter2") == "a text of 7 characters"
    assert shown("hunter2:x://y") == "a text of 13 characters"


def test_what_no_log_may_hold() -> None:
    assert set(read(GOOD, BOTH).secrets) == {"correct-horse", "key-id", "hunter2"}
