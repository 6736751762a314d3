"""What gate report §0 advises when the gate cannot begin: one sentence, not a traceback."""

from __future__ import annotations

from collections.abc import Iterator

_ENVIRONMENT = "activate the virtual environment, install the requirements and run the gate again"
_DATABASE = "check the database settings (.env) and run migrate, then run the gate again"
ADVICE = {
    "ModuleNotFoundError": _ENVIRONMENT,
    "ImportError": _ENVIRONMENT,
    "OperationalError": _DATABASE,
    "ProgrammingError": _DATABASE,
}
"""By the name of the error, since which module defines it depends on the system and its database."""


def advice_on(error: BaseException, binding: str) -> str | None:
    """The error in a sentence, with what to do about it; None for a kind that §0 does not know.

    That the module of ``binding`` itself is not there is such a kind: its name was mistyped.
    """
    for cause in _chain(error):
        if isinstance(cause, ImportError) and f"{binding.partition(':')[0]}.".startswith(f"{cause.name}."):
            return None
        for kind in type(cause).__mro__:
            if kind.__name__ in ADVICE:
                what = " ".join(str(error).split())
                return f"{type(error).__name__}: {what}: {ADVICE[kind.__name__]}"
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
