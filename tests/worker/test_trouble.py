"""Signals, time that is up, and servers that are away: no error loses a message."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from models_under_test.commands import Office  # noqa: F401  must be importable
from models_under_test.configuration import SQS, read
from models_under_test.pipelines import PIPELINES
from models_under_test.sqs import create_queues
from models_under_test.worker import STUCK
from tests.worker.conftest import StartMoto
from tests.worker.fleet import Fleet, ended, stopped, waited_until
