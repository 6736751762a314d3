"""What a subcommand of ``python -m statemachine`` is, and how it speaks.

The commands end with a line of their own, which nothing run by pytest can: pytest prints the last one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from statemachine.report.text.paper import paper_for

DONE = 0
BROKEN = 1
MISUSED = 4
"""As in pytest, so that both answer a wrong option alike."""
INTERRUPTED = 130


class UsageError(ValueError):
    """A command line that cannot be carried out; the message says what is wrong and what would do."""


class Command(NamedTuple):
    """``add_arguments`` declares the options, ``run`` carries them out and returns the exit code."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """Answers a wrong option with one sentence and exit code 4."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISUSED, f"{self.prog}: {message}\n")


def say(line: str = "") -> None:
    """Print a line at once: a log that is followed must not lag behind."""
    sys.stdout.write(f"{paper_for(sys.stdout).spelt(line)}\n")
    sys.stdout.flush()


def whole_number(text: str) -> int:
    """A positive whole number, as an option's type."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number above 0")
    return int(text)
