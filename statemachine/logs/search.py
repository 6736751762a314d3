"""Linearisation: find an order of commits that explains what the lines of one job say.

A call commits at some moment between its line and its answer's, and a call without an answer may have
committed or not.  The lines are fixed; only commits are placed between them.  The walk is depth-first over
the lines, fewest commits first and each as late as possible, and stops at the first order in which every
answer is the one that the legality table gives (the method of Wing and Gong, 1993, with the lines as
bounds; it is exponential in the calls that overlap, and :data:`MOST_STATES` bounds it).

What it cannot decide:

- which of several orders really was: the first that explains the lines is taken, and only when orders
  disagree about the row because of an unanswered call is the result called doubtful;
- what a call that is never answered did, until a later line depends on it;
- jobs whose calls overlap too much: they raise :class:`Tangled` and are counted, never judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from statemachine.history.events import DeleteRequested
from statemachine.lifecycle import Answer, JobRow
from statemachine.logs.calls import (
    Call,
    CallEffect,
    Commit,
    Drop,
    FoundOrder,
    JobLine,
    JobState,
    LineMeaning,
    Move,
    Take,
)
from statemachine.logs.rules import Rules

MOST_STATES = 2000
"""States that one search may try; beyond, the job is given up.

Six unanswered calls that can commit in any order before one line make 1,957 states (the sum of 6!/(6-k)!),
seven 13,700.
Measured: 5 at most in 65,737 searches (``benchmarks/check_log.py --events 100000``); in 29,275 searches of
random histories with random delays (``tests/logs/test_converted.py``) 44 at most in 99.9 %, 430 in all.
"""


class Tangled(Exception):
    """Too many calls overlap for every order to be tried within :data:`MOST_STATES` states."""


def find_order(rules: Rules, items: Sequence[JobLine], state: JobState) -> FoundOrder:
    """Return the first order of commits that explains all of ``items``, beginning in ``state``.

    Where none does, the line that no order gets past is taken as it stands (the claims then judge it), and
    the search begins again.  Raises :class:`Tangled`.
    """
    forced: set[int] = set()
    while True:
        search = _OrderSearch(rules, items, forced)
        ends = search.explore(0, search.with_explained(state))
        end = next(ends, None)
        if end is None:
            # No order gets past this line, so it contradicts those before it.
            forced.add(search.furthest)
            continue
        # Copied before the generator goes on: it changes its moves in place.
        moves = list(search.moves)
        # Without a guess about an unanswered call the answers fix the row, and other orders need no look.
        guessed = any(not isinstance(move, Take) and move.call.answer is None for move in moves)
        return FoundOrder(moves, end, len(forced), guessed and _ends_elsewhere(ends, end))


def _ends_elsewhere(ends: Iterator[JobState], first: JobState) -> bool:
    """Whether one of the further ``ends`` has another row than the first.  Out of states counts as yes."""
    try:
        return any(_status_and_attempt(end.row) != _status_and_attempt(first.row) for end in ends)
    except Tangled:
        return True


def _status_and_attempt(row: JobRow | None) -> tuple[str, int] | None:
    # Without the end of the lease: orders that differ in nothing else do not decide who holds the job.
    return None if row is None else (row.status, row.attempt)


class _OrderSearch:
    """One depth-first walk."""

    def __init__(self, rules: Rules, items: Sequence[JobLine], forced: set[int]) -> None:
        self.rules = rules
        self.items = items
        self.forced = forced
        """Indexes of the lines that are taken as they stand."""
        self.moves: list[Move] = []
        """The way to the state that the walk is in."""
        self.furthest = 0
        """Index of the last line that any order has reached."""
        self._states = 0

    def explore(self, place: int, state: JobState) -> Iterator[JobState]:
        """Yield each state in which all items from ``place`` on can end, with the way there in ``moves``."""
        if place == len(self.items):
            yield state
            return
        self.furthest = max(self.furthest, place)
        item, mark = self.items[place], len(self.moves)
        for commits, before in self._with_commits(state, item, place):
            self.moves[mark:] = commits
            after = self._take(item, before, place in self.forced)
            if after is not None:
                yield from self.explore(place + 1, after)
        del self.moves[mark:]

    def _with_commits(
        self, state: JobState, item: JobLine, place: int, commits: tuple[Commit, ...] = ()
    ) -> Iterator[tuple[tuple[Commit, ...], JobState]]:
        """Yield ``state``, then the states after some waiting calls have committed, fewest first.

        Fewest first and late make the explanation that assumes least: a commit stands in it only because a
        line needs it.
        """
        self._states += 1
        if self._states > MOST_STATES:
            raise Tangled
        yield commits, state
        # A forced line says itself what the row is; commits before it would only multiply the orders.
        if place in self.forced:
            return
        for call in state.waiting:
            # The call that this line answers commits in _answered, where its answer is known to fit.
            if call in state.written or call is item.call:
                continue
            effect = self.rules.write(call, state)
            if effect is not None:
                after = self._committed(call, effect, state)
                yield from self._with_commits(
                    after, item, place, (*commits, Commit(call, effect, state.waiting))
                )

    def _committed(self, call: Call, effect: CallEffect, state: JobState) -> JobState:
        fenced = self.rules.lifecycle.fenced
        after = state._replace(
            row=effect.row,
            slack=effect.slack,
            finisher=None if call.acquires else (call.operation, call.attempt if fenced else None),
            written=state.written | {call},
        )
        if call.answer is None and not call.under_way:
            # Its caller is gone: no line will settle it later, so it must not stay among the waiting.
            after = after._replace(waiting=tuple(c for c in after.waiting if c is not call))
        return self.with_explained(after)

    def with_explained(self, state: JobState) -> JobState:
        """Note the calls whose answer is right in this state without a commit.

        The row that refused a call may have changed again before the refusal is logged, so one state
        between call and answer in which it is right is enough.  Noting it saves placing reads in the
        order: every position of every read would be one more branch.
        """
        explained = [
            call
            for call in state.waiting
            if call not in state.explained and call not in state.written and self.rules.reads(call, state)
        ]
        return state._replace(explained=state.explained.union(explained)) if explained else state

    # -- one item ---------------------------------------------------------------------------

    def _take(self, item: JobLine, state: JobState, forced: bool) -> JobState | None:
        """Return the state after ``item``, with its moves added; None when it does not fit."""
        match item.meaning:
            case LineMeaning.CALL if item.call is not None:
                self.moves.append(Take(item, state))
                early = state.early | {item.call} if state.unseen else state.early
                return self.with_explained(state._replace(waiting=(*state.waiting, item.call), early=early))
            case LineMeaning.ANSWER if item.call is not None:
                return self._answered(item, item.call, state, forced)
            case LineMeaning.ROW:
                return self._row_read(item, state, forced)
            case LineMeaning.EVENTS if not forced and self._is_too_early(item, state):
                return None
        self.moves.append(Take(item, state))
        return state

    def _is_too_early(self, item: JobLine, state: JobState) -> bool:
        """Whether a worker deletes a message before its job has ended, with a finish of its own in flight.

        That finish may have committed first: this order is tried before the deletion counts as a mistake.
        """
        row = state.row
        if state.unseen or row is None or row.status in self.rules.lifecycle.terminal:
            return False
        deleters = {event.worker for event in item.events if isinstance(event, DeleteRequested)}
        return any(call.worker in deleters and not call.acquires for call in state.waiting)

    def _answered(self, item: JobLine, call: Call, state: JobState, forced: bool) -> JobState | None:
        """Return the state after an answer, explained by the first of these that fits; None if none does.

        1. a commit that was placed earlier, 2. a read, 3. a commit just now, 4. a lease that ends later
        than was known, 5. a row from before the log.
        """
        if forced:
            return self._as_it_stands(item, call, state)
        refused_by, vague = None, False
        if call in state.written:
            if not self._agrees_with_commit(call):
                return None
        elif call not in state.explained:
            effect = self.rules.write(call, state)
            refused_by = self.rules.lease_that_refuses(call, state)
            if effect is not None:
                self.moves.append(Commit(call, effect, state.waiting))
                state = self._committed(call, effect, state)
            elif refused_by is not None and state.row is not None:
                # What this refusal uses up of the slack cannot explain a later one.
                put_off = (refused_by.lease_expires_at or 0) - (state.row.lease_expires_at or 0)
                state = state._replace(row=refused_by, slack=state.slack - put_off)
            elif call in state.early and call.answer is Answer.REFUSED:
                vague = True
            else:
                return None
        if state.unseen and call.reason == "ended":
            state = state._replace(ended=True)
        self.moves.append(Take(item, state, refused_by, vague))
        return self._without_the_dead(call, _settled(call, state), wrote=call in state.written)

    def _agrees_with_commit(self, call: Call) -> bool:
        """Whether the answer of a call agrees with the commit that was placed before it was known."""
        if call.answer is not Answer.ACCEPTED:
            return False
        if not call.acquires or call.written_attempt is None:
            return True
        return call.logged_attempt in (None, call.written_attempt)

    def _as_it_stands(self, item: JobLine, call: Call, state: JobState) -> JobState:
        if call.answer is Answer.ACCEPTED:
            effect = self.rules.forced(call, state)
            self.moves.append(Commit(call, effect, state.waiting))
            state = self._committed(call, effect, state)
        self.moves.append(Take(item, state))
        return _settled(call, state)

    def _row_read(self, item: JobLine, state: JobState, forced: bool) -> JobState | None:
        """Return the state after a created row, or one that was read: the answers must have led to it."""
        read = item.row
        if read is None or not (state.unseen or forced or item.created or self._is_the_row(read, state.row)):
            return None
        self.moves.append(Take(item, state))
        if state.unseen or (item.created and state.row is None):
            early = state.early
            if item.created:
                # Before the creation there was no row: only "no such job" can have been a true refusal.
                early = frozenset(call for call in early if call.reason not in ("ended", "lease live"))
            return self.with_explained(state._replace(row=read, finisher=None, early=early))
        return state

    def _is_the_row(self, read: JobRow, row: JobRow | None) -> bool:
        return row is not None and (read.status, read.attempt, read.results) == (
            row.status,
            row.attempt,
            row.results,
        )

    def _without_the_dead(self, call: Call, state: JobState, wrote: bool) -> JobState:
        """Drop calls that ended before ``call`` began and that its answer shows to have taken no effect.

        Every kill leaves a call without an answer, and each that stays doubles the orders of all later
        lines.  A call that ended before this one began cannot commit after it, so this answer decides.
        """
        gone = [
            other
            for other in state.waiting
            if other.ended_at is not None
            and other.ended_at <= call.called_at
            and (wrote or not self._may_still_count(other, call, state))
        ]
        if not gone:
            return state
        self.moves += map(Drop, gone)
        return state._replace(waiting=tuple(c for c in state.waiting if c not in gone))

    def _may_still_count(self, other: Call, call: Call, state: JobState) -> bool:
        """Whether ``other`` can have committed although ``call`` was answered as it was."""
        effect = self.rules.write(other, state)
        if effect is None:
            # It cannot commit here: only the commit of another unanswered call could make that possible.
            return sum(c.answer is None for c in state.waiting) > 1
        return self.rules.reads(call, state._replace(row=effect.row, slack=effect.slack, finisher=None))


def _settled(call: Call, state: JobState) -> JobState:
    return state._replace(
        waiting=tuple(other for other in state.waiting if other is not call),
        explained=state.explained - {call},
        early=state.early - {call},
        written=state.written - {call},
    )
