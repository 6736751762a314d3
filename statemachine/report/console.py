"""What a subcommand of ``python -m statemachine`` is: its exit codes, its errors and its output.

The last line of a command is its own; in a pytest run pytest prints the last line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from statemachine.history.shown import without_passwords
from statemachine.report.text.paper import paper_for

DONE = 0
BROKEN = 1
MISUSED = 4
"""The exit code of a wrong option, as in pytest."""
INTERRUPTED = 130


class UsageError(ValueError):
    """A command line that cannot be carried out; the message says what is wrong and how to mend it."""


class Command(NamedTuple):
    """A subcommand."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    """Declares the options."""
    run: Callable[[argparse.Namespace], int]
    """Does what they ask for, and returns the exit code."""


class Parser(argparse.ArgumentParser):
    """Answers a wrong option with one sentence and exit code 4 (:data:`MISUSED`)."""

    def error(self, message: str) -> NoReturn:
        said = paper_for(sys.stderr).spelt(without_passwords(message))
        self.exit(MISUSED, f"{self.prog}: {said}\n")


def say(line: str = "") -> None:
    """Print a line, and flush: a log that is followed must not lag behind."""
    sys.stdout.write(f"{paper_for(sys.stdout).spelt(line)}\n")
    sys.stdout.flush()


def whole_number(text: str) -> int:
    """Return a positive whole number, as the type of an option."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number above 0")
    return int(text)
