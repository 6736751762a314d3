"""``python -m statemachine NAME``: the commands beside pytest.

The module of a command is named after what the command does and holds a ``COMMAND``: its name, its help line,
its options and the function that runs it.  A new command is an import and a line in ``COMMANDS`` here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from statemachine.binding import BindingError
from statemachine.binding.fleet import FleetError
from statemachine.commands import clean, plain_test, soak
from statemachine.commands.certificate import certify
from statemachine.commands.check_binding import exercise
from statemachine.commands.gate import run_gate
from statemachine.commands.merge import add_up
from statemachine.history.shown import cut, without_passwords
from statemachine.lifecycle import LifecycleError
from statemachine.logs import check_log
from statemachine.processes import run_workers
from statemachine.processes.plan import PlanError
from statemachine.processes.servers import NotInstalled
from statemachine.report.console import BROKEN, INTERRUPTED, MISUSED, Command, Parser, UsageError, say
from statemachine.report.text.paper import MOST_IN_SENTENCE, paper_for
from statemachine.search.accepted import AcceptanceError
from statemachine.search.corpus.places import PlaceError
from statemachine.search.interrupts import sigterm_interrupts
from statemachine.search.pool import WorkFailed
from statemachine.search.run_file import RunFileError
from statemachine.world import exits
from statemachine.world.databases.safety import Refused
from statemachine.world.exits import GivenUp

COMMANDS: tuple[Command, ...] = (
    run_gate.COMMAND,  # gate
    run_workers.COMMAND,  # processes
    check_log.COMMAND,  # check-log
    exercise.COMMAND,  # check-binding
    certify.COMMAND,  # certificate
    soak.COMMAND,
    add_up.COMMAND,  # merge
    plain_test.COMMAND,
    clean.COMMAND,
)
"""In the order of ``--help``."""

_MISUSED = (
    UsageError,
    AcceptanceError,
    BindingError,
    FleetError,
    LifecycleError,
    NotInstalled,
    PlaceError,
    PlanError,
    Refused,
    RunFileError,
    OSError,
)
"""Errors that the caller can mend.  Their messages say how, so no traceback is printed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    4 is for a command line that cannot be carried out, 1 for a worker process that failed, 130 for Ctrl-C and
    SIGTERM.
    """
    parser = Parser(
        prog="python -m statemachine", description="The commands of the leased-job verifier beside pytest."
    )
    choices = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        chosen = choices.add_parser(command.name, help=command.help, description=command.help)
        command.add_arguments(chosen)
        chosen.set_defaults(run=command.run, name=command.name)
    asked = parser.parse_args(arguments)
    try:
        with exits.noticed(), sigterm_interrupts():
            code: int = asked.run(asked)
    except (*_MISUSED, WorkFailed) as error:
        said = paper_for(sys.stderr).spelt(without_passwords(cut(str(error), MOST_IN_SENTENCE)))
        sys.stderr.write(f"python -m statemachine {asked.name}: {said}\n")
        return MISUSED if isinstance(error, _MISUSED) else BROKEN
    except (GivenUp, SystemExit) as error:
        # Of code under test, or of settings and apps: there is no verdict, so never exit code 0.
        why = f"SystemExit: {error.code} was raised" if isinstance(error, SystemExit) else str(error)
        say(f"UNKNOWN  {why} before there was a verdict")
        return BROKEN
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    return code


if __name__ == "__main__":
    sys.exit(main())
