"""SQS by moto on loopback, in a process of its own: ``python -m statemachine.processes.sqs_server``.

It prints its address once it listens, and takes commands from standard input, a line each: ``down``, refuse
connections; ``up``, accept them again, on the same port, with every message kept.  It repeats each command
when it is done.  It ends when standard input is closed, so it cannot outlive the process that started it.

Unlike SQS, moto lets an old receipt handle delete and extend.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from threading import Thread
from typing import Any

ADDRESS = "127.0.0.1"


class _Listener:
    def __init__(self, application: Any, port: int = 0) -> None:
        from werkzeug.serving import make_server

        self._server = make_server(ADDRESS, port, application, threaded=True)
        self.port = int(self._server.server_port)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def serve(application: Any, commands: Iterable[str]) -> None:
    """Listen, and carry out ``commands``, until they end."""
    listener: _Listener | None = _Listener(application)
    port = listener.port if listener else 0
    sys.stdout.write(f"http://{ADDRESS}:{port}\n")
    sys.stdout.flush()
    for line in commands:
        asked = line.strip()
        if asked == "down" and listener is not None:
            listener.stop()
            listener = None
        elif asked == "up" and listener is None:
            listener = _Listener(application, port)
        sys.stdout.write(f"{asked}\n")
        sys.stdout.flush()


def main() -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    serve(DomainDispatcherApplication(create_backend_app), sys.stdin)


if __name__ == "__main__":
    main()
