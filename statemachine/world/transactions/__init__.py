"""The transactions lane: two operations at once on a real PostgreSQL, interleaved statement by statement.

How one step of it works, from the outside in:

1. ``lane`` plays an operation as the embedded lane does, but starts it in the ``scheduler``.
2. ``scheduler`` runs it in a greenlet of its own, and gets control back when it stops.
3. ``sessions`` stops it: before each SQL statement, before COMMIT, and inside a statement that waits.
4. ``server`` asks PostgreSQL who waits for whom, on a connection of its own, and ends sessions.
5. ``naming`` gives the statement the name that histories and reports use (``SELECT job FOR UPDATE``).

An operation so stopped is *in flight*.  Later steps (``proceed``, ``kill_in_flight``) resume or kill it, so
the machine chooses every interleaving, and a history replays it.
"""
