"""``python -m statemachine check-binding``: play a binding once, operation by operation, while it is written.

The walk plays the operations of the search on a database of its own, and the claims judge each step.
What this package adds is the translation of a broken claim into the mistake of a *binding* that usually
breaks it, with the way to mend it.  Nothing to mend means that the binding fits the port.  It does not
mean that the system behind it is right: for that there is the search.
"""
