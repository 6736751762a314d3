"""moto's SQS in a process of its own: prints its port, then serves until its stdin is closed."""

from __future__ import annotations

import logging
import sys

from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
_server = ThreadedMotoServer("127.0.0.1", int(sys.argv[1]), verbose=False)
_server.start()
sys.stdout.write(f"{_server.get_host_and_port()[1]}\n")
sys.stdout.flush()
sys.stdin.read()
