"""What is raised when a binding, the code that connects a system under test, cannot be used."""

from __future__ import annotations


class BindingError(ValueError):
    """The binding cannot be used.  The message is one sentence: what is wrong, and how to mend it."""


class OwnFault(BindingError):
    """The binding was found, and its own code fails: at import, when it is made, or in its lifecycle."""
