"""The queue against a real SQS API, and against a machine full of credentials that are not ours."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from models_under_test.configuration import read
from models_under_test.pipelines import PIPELINES, dlq_of
from models_under_test.sqs import NoQueue, SQSQueue, connect, create_queues, parse
from models_under_test.variables import SQS
from tests.system.worker.fleet import Fleet, environment

BASIC = PIPELINES["ai"].default_queue


class Listener:
    """A server on the loopback that answers nothing of use and remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[dict[str, str]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_any(self) -> None:
                listener.requests.append(dict(self.headers))
                self.send_response(500)
                self.end_headers()

            do_GET = do_POST = do_PUT = do_any  # noqa: N815  the names that http.server looks for

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def listeners() -> Iterator[tuple[Listener, Listener]]:
    """(SQS, instance metadata)"""
    pair = (Listener(), Listener())
    yield pair
    for listener in pair:
        listener.close()


def ambient(folder: Path, metadata: str) -> dict[str, str]:
    """A machine that has everything boto3 looks for."""
    aws = folder / ".aws"
    aws.mkdir()
    keys = "aws_access_key_id = AMBIENTFILE\naws_secret_access_key = ambient\n"
    (aws / "credentials").write_text(f"[default]\n{keys}[team]\n{keys}")
    (aws / "config").write_text("[default]\nregion = eu-west-3\n[profile team]\nregion = eu-west-3\n")
    return {
        "HOME": str(folder),
        "USERPROFILE": str(folder),
        "AWS_ACCESS_KEY_ID": "AMBIENTVARIABLE",
        "AWS_SECRET_ACCESS_KEY": "ambient",
        "AWS_SESSION_TOKEN": "ambient-token",
        "AWS_PROFILE": "no-such-profile",
        "AWS_DEFAULT_REGION": "eu-west-3",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": metadata,
    }


def test_ambient_credentials_are_never_used(
    listeners: tuple[Listener, Listener], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, metadata = listeners
    for name, value in ambient(tmp_path, metadata.url).items():
        monkeypatch.setenv(name, value)
    calls = connect(read(environment(server.url), {SQS})).calls
    with pytest.raises(ClientError):
        calls.list_queues()
    [headers] = server.requests
    assert "Credential=explicit-key-id/" in headers["Authorization"]
    assert "/us-east-1/sqs/" in headers["Authorization"]
    assert not [value for value in headers.values() if "ambient" in value.lower()]
    assert metadata.requests == []


def test_without_keys_of_its_own_it_does_not_start(
    listeners: tuple[Listener, Listener], tmp_path: Path
) -> None:
    server, metadata = listeners
    fleet = Fleet(server.url, tmp_path)
    fleet.environment |= ambient(tmp_path, metadata.url)
    missing = {"JOBS_SQS_ACCESS_KEY_ID": "", "JOBS_SQS_SECRET_ACCESS_KEY": ""}
    done = fleet.run("create-queues", **missing)
    assert done.returncode == 2
    assert "AWS_* variables and profiles are not read" in done.stderr
    assert server.requests == metadata.requests == []


def test_the_queues_have_the_deployed_numbers_and_making_them_again_changes_them(fleet: Fleet) -> None:
    names = [name for pipeline in PIPELINES.values() for name in pipeline.queues]
    assert len(names) == 5
    deployed = read(
        {name: value for name, value in fleet.environment.items() if "SQS" in name},
        {SQS},
    )
    calls = fleet.clients.calls
    for _ in range(2):
        create_queues(calls, names, deployed)
    listed = {url.rpartition("/")[2] for url in calls.list_queues()["QueueUrls"]}
    assert listed == {*names, *map(dlq_of, names)}
    for name in names:
        url = calls.get_queue_url(QueueName=name)["QueueUrl"]
        found = calls.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        policy = json.loads(found["RedrivePolicy"])
        assert (policy["deadLetterTargetArn"].rpartition(":")[2], policy["maxReceiveCount"]) == (
            dlq_of(name),
            3,
        )
        assert found["VisibilityTimeout"] == "3600"
        assert found["MessageRetentionPeriod"] == str(14 * 86_400)
        assert found["ReceiveMessageWaitTimeSeconds"] == "20"


def test_a_message_is_received_extended_and_deleted(fleet: Fleet) -> None:
    queue = SQSQueue(fleet.clients, BASIC, visibility_seconds=30, poll_seconds=1)
    sent = queue.send("j1", "t1")
    message = queue.receive()
    assert message is not None
    assert (message.message_id, message.job_id, message.tenant_id, message.receive_count) == (
        sent,
        "j1",
        "t1",
        1,
    )
    assert len(message.receipt) == 12
    assert message.receipt not in message.receipt_handle
    assert queue.receive() is None
    queue.change_visibility(message.receipt_handle, 0)
    again = queue.receive()
    assert again is not None
    assert (again.message_id, again.receive_count) == (sent, 2)
    queue.delete(again.receipt_handle)
    assert fleet.in_queue(BASIC) == 0


def test_a_queue_that_is_not_there_says_how_to_make_it(fleet: Fleet) -> None:
    with pytest.raises(NoQueue, match="no queue nowhere: make it with create-queues"):
        SQSQueue(fleet.clients, "nowhere", visibility_seconds=30, poll_seconds=1).receive()


def test_an_endpoint_that_is_away_is_reported_soon() -> None:
    clients = connect(read(environment("http://127.0.0.1:9"), {SQS}))
    with pytest.raises(BotoCoreError, match="Could not connect"):
        SQSQueue(clients, BASIC, visibility_seconds=30, poll_seconds=1).send("j1", "t1")


@pytest.mark.parametrize(
    "body",
    [
        *("", "{", "null", "[]", '"j1"', "{}", '{"job_id": "j1"}', '{"job_id": "", "tenant_id": "t1"}'),
        *('{"job_id": 1, "tenant_id": "t1"}', '{"job_id": "j1", "tenant_id": null}', "[" * 100_000),
    ],
)
def test_a_body_that_names_no_job_is_none(body: str) -> None:
    assert parse(body) == (None, None)
