"""``python -m statemachine check-binding MODULE:FACTORY``: say what a binding lacks and what to mend in it.

Run it again and again while you write the binding.  Exit code 0 when there is nothing to mend, 1 when there
is, 4 when there is no such binding or it may not be used here.
"""

from __future__ import annotations

import argparse
import inspect
from datetime import UTC, datetime
from typing import Any

from statemachine.binding import DEFAULT_BINDING, Binding, OwnFault, lacks, make, misfits_of
from statemachine.commands.check_binding import text
from statemachine.commands.check_binding.walk import Walk
from statemachine.lifecycle import Answer, Lifecycle
from statemachine.report.console import BROKEN, DONE, Command, UsageError, say
from statemachine.world import outside
from statemachine.world.databases import opening

ESSENTIAL = ("settings_module", "lifecycle", "tenants", "open", "create", "observe")
"""Without these nothing can be played; the others may be written later."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "binding",
        metavar="MODULE:FACTORY",
        nargs="?",
        default=DEFAULT_BINDING,
        help="a class or function, called without arguments, that makes the binding: verify_shop:Binding "
        "(default: the bundled example)",
    )
    parser.add_argument(
        "--allow",
        metavar="NAMES",
        default="",
        help=f"what code under test may do outside of the walk: {', '.join(outside.ALLOWABLE)}, with commas "
        "between (default: nothing)",
    )


def run(asked: argparse.Namespace) -> int:
    """Return the exit code.

    Raise ``BindingError`` for a path that leads nowhere, and ``Refused`` where the environment belongs to
    another Django project or names a database that may hold real data.
    """
    started = datetime.now(UTC)
    try:
        outside.allowed = outside.parse(asked.allow)
    except ValueError as error:
        raise UsageError(str(error)) from None
    try:
        with opening.private_if_set_up():
            binding: Any = make(asked.binding)
    except OwnFault as error:
        return _end(asked.binding, 0, [str(error)])
    missing, unfit = lacks(binding), list(misfits_of(binding))
    if unfit or set(missing) & set(ESSENTIAL):
        _print_missing(missing)
        return _end(asked.binding, len(missing), unfit)
    try:
        opening.check_environment(binding, asked.binding)
        opening.choose_settings(binding, asked.binding)
        with opening.private_database(asked.binding):
            return exercise(binding, missing, asked.binding, started)
    except OwnFault as error:
        return _end(asked.binding, len(missing), [str(error)])


def exercise(binding: Any, missing: list[str], path: str, started: datetime) -> int:
    """Play ``binding`` on the database that Django is connected to, and return the exit code.

    ``missing`` are the names of pieces it has not got yet; ``path`` is how the user named it; ``started`` is
    the real time, in UTC.
    """
    say(f"settings   {binding.settings_module}: SQLite in memory, made for this run")
    for place, words in enumerate(_lifecycle_lines(binding.lifecycle)):
        say(f"{'lifecycle' if not place else '':<10} {words}")
    _print_missing(missing)
    walk = Walk(binding, missing, started)
    walk.go()
    return _end(path, len(missing) + walk.faults, [])


def _lifecycle_lines(lifecycle: Lifecycle) -> list[str]:
    late = "may" if lifecycle.late_completion is Answer.ACCEPTED else "may not"
    ends = [lifecycle.done, *sorted(lifecycle.terminal - {lifecycle.done})]
    return [
        f"lease {lifecycle.lease_seconds} s, messages hidden for {lifecycle.visibility_seconds} s, "
        f"{lifecycle.max_receives} receives; offers {', '.join(sorted(lifecycle.offers)) or 'nothing more'}",
        f"{lifecycle.pending}, {lifecycle.retrying}, {lifecycle.running}; ends in {', '.join(ends)}; "
        f"{'fenced' if lifecycle.fenced else 'not fenced'}, finishing late {late} succeed",
    ]


def _print_missing(missing: list[str]) -> None:
    if not missing:
        return
    say()
    say("Still to write")
    for name in missing:
        for line in text.todo(name, _purpose(name)):
            say(line)


def _purpose(name: str) -> str:
    documented = inspect.getdoc(vars(Binding).get(name)) if name in vars(Binding) else None
    return (documented or _FIELDS.get(name, "")).partition("\n")[0].replace("``", "")


_FIELDS = {
    "settings_module": 'A Django settings module whose databases are SQLite: "shop.settings".',
    "lifecycle": "What the system promises: a statemachine.lifecycle.Lifecycle, Lifecycle() to begin with.",
    "tenants": 'Two names at least, as text, to see whether they mix: ("t1", "t2").',
    "waived": "Claims that do not apply, with the reason: {} for none.",
    "defects": "Bugs to plant, by name: {} for none.",
}
"""What the attributes of a binding are for; the methods say it in their docstrings."""


def _end(path: str, count: int, sentences: list[str]) -> int:
    """Print ``sentences`` and what to run next; return the exit code.

    ``count`` is how many things were named already.
    """
    if sentences:
        say()
    for sentence in sentences:
        for line in text.fault(sentence, mark="MEND"):
            say(line)
    count += len(sentences)
    say()
    if count:
        things = "1 thing" if count == 1 else f"{count} things"
        say(f"{things} to mend or to write. Then run this again:")
        say(f"python -m statemachine check-binding {path}")
        return BROKEN
    say("Nothing to mend. Next, the search:")
    say(f"pytest -p statemachine.plugin --pyargs statemachine --binding {path}")
    return DONE


COMMAND = Command(
    "check-binding",
    "Play your binding once, operation by operation, and say what to write or to mend.",
    add_arguments,
    run,
)
