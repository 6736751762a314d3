"""``python -m statemachine``: what is no pytest run, as subcommands.  A new one is a line in COMMANDS."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from statemachine.binding import BindingError
from statemachine.binding.fleet import FleetError
from statemachine.commands import soak
from statemachine.commands.certificate import command as certificate
from statemachine.commands.check_binding import command as check_binding
from statemachine.commands.gate import command as gate
from statemachine.commands.merge import command as merge
from statemachine.lifecycle import LifecycleError
from statemachine.logs import command as check_log
from statemachine.processes import command as processes
from statemachine.processes.plan import PlanError
from statemachine.processes.servers import NotInstalled
from statemachine.report.console import BROKEN, INTERRUPTED, MISUSED, Command, Parser, UsageError, say
from statemachine.search.corpus.places import PlaceError
from statemachine.search.pool import WorkFailed
from statemachine.search.run_file import RunFileError
from statemachine.world.databases.safety import Refused

COMMANDS: tuple[Command, ...] = (
    gate.COMMAND,
    processes.COMMAND,
    check_log.COMMAND,
    check_binding.COMMAND,
    certificate.COMMAND,
    soak.COMMAND,
    merge.COMMAND,
)

_MISUSED = (
    UsageError,
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
"""Errors that whoever called can mend; their message is all that is needed for it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code; 4 for a command line that cannot be carried out."""
    parser = Parser(prog="python -m statemachine", description="Commands of the leased-job verifier.")
    choices = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        chosen = choices.add_parser(command.name, help=command.help, description=command.help)
        command.add_arguments(chosen)
        chosen.set_defaults(run=command.run, name=command.name)
    asked = parser.parse_args(arguments)
    try:
        code: int = asked.run(asked)
    except (*_MISUSED, WorkFailed) as error:
        sys.stderr.write(f"python -m statemachine {asked.name}: {error}\n")
        return MISUSED if isinstance(error, _MISUSED) else BROKEN
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    return code


if __name__ == "__main__":
    sys.exit(main())
