"""The SQS server of a run and its operator: up, down, up again; on loopback; without real credentials."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from statemachine.processes.servers import NotInstalled, Operator, SQSServer, sqs_server
from tests.processes.scripted import gone
from tests.support.waiting import until

POISON = {
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "poison",
    "AWS_SECRET_ACCESS_KEY": "poison",
    "AWS_SESSION_TOKEN": "poison",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:1",
    "AWS_DEFAULT_REGION": "mars-east-1",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
    "ALL_PROXY": "http://127.0.0.1:1",
}
"""What a developer's shell may hold; a client that used any of it would fail."""


def with_queue(server: SQSServer, name: str) -> Operator:
    """An operator, and an empty queue with its DLQ."""
    operator = Operator(server.endpoint)
    for queue in (f"{name}-dlq", name):
        operator._sqs.create_queue(QueueName=queue, Attributes={"VisibilityTimeout": "30"})
    return operator


def send(operator: Operator, queue: str, text: str) -> str:
    return str(operator._sqs.send_message(QueueUrl=operator._url(queue), MessageBody=text)["MessageId"])


def port_of(server: SQSServer) -> int:
    return urlsplit(server.endpoint).port or 0


def refused(server: SQSServer) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port_of(server))) != 0


def test_it_goes_down_and_comes_up_on_the_same_port_with_its_messages() -> None:
    with sqs_server() as server:
        endpoint, operator = server.endpoint, with_queue(server, "q")
        message = send(operator, "q", "kept")
        for _ in range(2):
            server.down()
            assert refused(server)
            server.up()
            assert not refused(server)
        assert server.endpoint == endpoint
        assert [(body.message, body.text) for body in operator.take("q")] == [(message, "kept")]
    assert refused(server)


def test_down_and_up_may_be_repeated(sqs: SQSServer) -> None:
    sqs.up()
    assert not refused(sqs)
    sqs.down()
    sqs.down()
    assert refused(sqs)
    sqs.up()
    assert not refused(sqs)


def test_a_client_gets_an_error_while_it_is_down() -> None:
    with sqs_server() as server:
        operator = with_queue(server, "q")
        server.down()
        operator._sqs.meta.config.retries = {"total_max_attempts": 1}
        with pytest.raises(EndpointConnectionError):
            operator.depth("q")


def test_only_loopback_is_listened_on(sqs: SQSServer) -> None:
    assert urlsplit(sqs.endpoint).hostname == "127.0.0.1"
    wanted = f":{port_of(sqs):04X}"
    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        # 0A is LISTEN.
        if line.split()[1].endswith(wanted) and line.split()[3] == "0A"
    ]
    assert listening == [f"0100007F{wanted}"]


def test_it_ends_when_the_process_that_started_it_dies() -> None:
    program = (
        "import os, signal\n"
        "from statemachine.processes.servers import sqs_server\n"
        "with sqs_server() as server:\n"
        "    print(server._process.pid, server.endpoint, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    pid, endpoint = ran.stdout.split()
    until(lambda: gone(int(pid)))
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", urlsplit(endpoint).port or 0)) != 0


def test_ctrl_c_in_the_terminal_does_not_reach_it(sqs: SQSServer) -> None:
    assert os.getpgid(sqs._process.pid) != os.getpgid(0)


def test_a_server_that_has_died_is_not_taken_to_be_down() -> None:
    with sqs_server() as server:
        server._process.kill()
        server._process.wait()
        for ask in (server.down, server.up):
            with pytest.raises(ConnectionError, match="the run's own SQS server has died"):
                ask()


def test_without_moto_the_way_to_get_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "moto.py").write_text("raise ImportError('No module named moto')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(NotInstalled, match=r"pip install '\.\[processes\]'"), sqs_server():
        pass


def test_the_operator_sees_what_lies_in_a_queue_hidden_or_not(sqs: SQSServer) -> None:
    operator = with_queue(sqs, "deep")
    assert operator.depth("deep") == 0
    sent = {send(operator, "deep", f"body {number}") for number in range(12)}
    assert operator.depth("deep") == 12
    taken = list(operator.take("deep"))
    # More than the ten that one receive gives at most.
    assert {body.message for body in taken} == sent
    assert operator.depth("deep") == 12, "taken messages are hidden, not gone"
    assert list(operator.take("deep")) == []


def test_a_redriven_message_is_a_new_one_with_the_same_text(sqs: SQSServer) -> None:
    operator = with_queue(sqs, "redriven")
    old = send(operator, "redriven-dlq", '{"job_id": "j1"}')
    [body] = operator.take("redriven-dlq")
    new = operator.redrive(body, "redriven-dlq", "redriven")
    assert new != old
    assert (operator.depth("redriven-dlq"), operator.depth("redriven")) == (0, 1)
    [found] = operator.take("redriven")
    assert (found.message, found.text) == (new, body.text)


def test_nothing_of_the_environment_is_used(
    sqs: SQSServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("config", "credentials"):
        (tmp_path / name).write_text(
            "[default]\naws_access_key_id = poison\nendpoint_url = http://127.0.0.1:1\n"
        )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    for name, value in POISON.items():
        monkeypatch.setenv(name, value)
    operator = with_queue(sqs, "poisoned")
    send(operator, "poisoned", "{}")
    assert operator.depth("poisoned") == 1
    credentials = operator._sqs._request_signer._credentials
    assert json.dumps([credentials.access_key, credentials.secret_key, credentials.token]) == (
        '["nobody", "nothing", null]'
    )
    assert operator._sqs.meta.region_name == "us-east-1"


def test_a_missing_queue_is_an_error_not_an_empty_queue(sqs: SQSServer) -> None:
    with pytest.raises((ClientError, BotoCoreError)):
        Operator(sqs.endpoint).depth("never-made")
