"""The command line of the system under test; what cannot be done is refused in one sentence.

Django, boto3 and the models are imported only after the configuration was found right: a worker with a wrong
one says so in a tenth of a second, whatever else is missing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from models_under_test.configuration import Configuration, ConfigurationError, from_file, read
from models_under_test.log import Log, LogBroken
from models_under_test.pipelines import PIPELINES, PipelineError
from models_under_test.variables import DATABASE, SQS

SETTINGS = "models_under_test.settings"
BROKEN, MISCONFIGURED, INTERRUPTED = 1, 2, 130
TIERS: Mapping[str, Mapping[str, str]] = {
    # academy-ai-jobs-basic is the tier basic; pipelines with a single queue have no tiers.
    pipeline.name: {queue.rpartition("-")[2]: queue for queue in pipeline.queues}
    for pipeline in PIPELINES.values()
    if len(pipeline.queues) > 1
}
OPERATOR = "operator"

Parts = Callable[[], Mapping[str, Any]]
"""Returns the parts that replace a pipeline's own; called when Django is configured."""


class Command(NamedTuple):
    """One command."""

    run: str  # the name of the function in ``commands``
    help: str
    needs: frozenset[str]  # what must be configured: DATABASE, SQS
    options: tuple[str, ...] = ()  # keys of OPTIONS


COMMANDS: Mapping[str, Command] = {
    "worker": Command(
        "work",
        "take messages and work on their jobs until SIGTERM or Ctrl+C",
        frozenset({DATABASE, SQS}),
        ("queue", "tier", "max-jobs"),
    ),
    "create-queues": Command("make_queues", "make every queue and its DLQ, or update them", frozenset({SQS})),
    "migrate": Command("migrate", "make or update the tables", frozenset({DATABASE})),
    "enqueue": Command(
        "enqueue",
        "create jobs and send their messages; a tenant that does not exist is made",
        frozenset({DATABASE, SQS}),
        ("queue", "tier", "job", "tenant", "request", "twice"),
    ),
    "sweep": Command(
        "sweep",
        "send the jobs whose publisher died between commit and send",
        frozenset({DATABASE, SQS}),
        ("queue", "tier"),
    ),
    "redrive": Command(
        "move_back", "move every message of the DLQ back to its queue", frozenset({SQS}), ("queue", "tier")
    ),
}


def _deliveries(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number above 0")
    return int(text)


OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "queue": {"required": True, "choices": sorted(PIPELINES), "help": "the pipeline"},
    "tier": {
        "choices": sorted({tier for tiers in TIERS.values() for tier in tiers}),
        "help": f"the queue of a pipeline that has several ({', '.join(TIERS)}); basic if left out",
    },
    "max-jobs": {
        "type": _deliveries,
        "metavar": "N",
        "help": "stop after N deliveries, refused ones included; never if left out",
    },
    "job": {"required": True, "nargs": "+", "metavar": "ID", "help": "ids of the new jobs"},
    "tenant": {"required": True, "help": "the tenant's code"},
    "request": {
        "default": "",
        "metavar": "JSON",
        "help": 'what to compute: {"seconds": 0.2, "ends": "complete"}, or fail, or transient',
    },
    "twice": {"action": "store_true", "help": "send each message twice, as SQS now and then delivers twice"},
}


class Parser(argparse.ArgumentParser):
    """Answers a wrong option with one sentence and exit code 2."""

    def error(self, message: str) -> Any:
        self.exit(MISCONFIGURED, f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None, parts: Parts | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 misused or misconfigured.

    ``parts`` replaces parts of the pipeline (see ``Pipeline.parts``).  A worker that had to leave a stuck
    inference behind returns 3.
    """
    asked = _parser().parse_args(argv)
    try:
        return _run(asked, COMMANDS[asked.command], parts)
    except KeyboardInterrupt:
        return INTERRUPTED
    except ConfigurationError as error:
        lines = "".join(f"  {problem}\n" for problem in error.problems)
        return _report(asked, f"it cannot start like this:\n{lines}".rstrip(), MISCONFIGURED)
    except (PipelineError, LogBroken) as error:
        return _report(asked, str(error), BROKEN)


def _run(asked: argparse.Namespace, command: Command, parts: Parts | None) -> int:
    values = from_file(asked.env_file, os.environ)
    configuration = read(values, command.needs)
    asked.tier = _queue_of(asked)
    _prepare_django(configuration)
    log = Log(_name(asked, configuration), configuration.log_file, configuration.secrets)
    try:
        commands = import_module("models_under_test.commands")
    except ModuleNotFoundError as error:
        advice = f"{error.name} is missing: pip install '.[worker]' brings what workers need"
        return _report(asked, advice, BROKEN)
    # Now that boto3 is there.
    expected = _expected_errors()
    try:
        pipeline = PIPELINES[asked.queue].open(parts() if parts else {}) if "queue" in asked else None
        code: int = getattr(commands, command.run)(commands.Office(asked, configuration, pipeline, log))
    except expected as error:
        return _report(asked, log.error(error), BROKEN)
    return code


def _expected_errors() -> tuple[type[Exception], ...]:
    """Return the types of error that an unreachable database or queue raises."""
    from botocore.exceptions import BotoCoreError, ClientError
    from django.db import Error

    from models_under_test.sqs import NoQueue

    return (BotoCoreError, ClientError, Error, NoQueue, OSError)


def _prepare_django(configuration: Configuration) -> None:
    """Choose the settings, which read the database's URL from the environment."""
    from django import setup

    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    os.environ["JOBS_DATABASE_URL"] = configuration.database_url
    setup()


def _queue_of(asked: argparse.Namespace) -> str | None:
    """Return the name of the queue of ``--tier``, None for the pipeline's default."""
    tier = getattr(asked, "tier", None)
    if tier is None:
        return None
    queues = TIERS.get(asked.queue, {})
    if tier not in queues:
        _parser().error(f"--tier {tier}: {asked.queue} has no tiers; leave it out")
    return queues[tier]


def _name(asked: argparse.Namespace, configuration: Configuration) -> str:
    default = f"{asked.queue}-{os.getpid()}" if asked.command == "worker" else OPERATOR
    return configuration.worker_name or default


def _report(asked: argparse.Namespace, text: str, code: int) -> int:
    sys.stderr.write(f"python -m models_under_test {asked.command}: {text}\n")
    return code


def _parser() -> Parser:
    parser = Parser(
        prog="python -m models_under_test",
        description="Workers of the three pipelines, and what operators do around them.",
        epilog="Everything else is set by JOBS_… variables; docs/worker.md lists them.",
    )
    choices = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        chosen = choices.add_parser(name, help=command.help, description=f"{command.help}.")
        for option in command.options:
            chosen.add_argument(f"--{option}", **OPTIONS[option])
        chosen.add_argument("--env-file", metavar="PATH", help="read JOBS_… variables from this file too")
    return parser
