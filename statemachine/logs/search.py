"""Linearisation: find an order of commits that explains what the lines of one job say.

A call commits at some moment between its line and its answer's, and a call without an answer may have
committed or not.  The lines are fixed; only commits are placed between them.  The walk is depth-first over
the lines, fewest commits first and each as late as possible, and stops at the first order in which every
answer is the one that the legality table gives (the method of Wing and Gong, 1993, with the lines as
bounds; it is exponential in the calls that overlap, and :data:`MOST_STATES` bounds it).

What it cannot decide:

- which of several orders really was: the first that explains the lines is taken, and the result is called
  doubtful where another ends in a state that the first cannot come to;
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

MOST_STATES = 5000
"""States that one search may try; beyond, the job is given up.

Measured: 11 at most in 65,737 searches (``benchmarks/check_log.py --events 100000``); in 187,524 searches of
random histories with random delays (``tests/logs/test_converted.py``) 173 at most in 99.9 %, 1,260 in all.
"""

Moves = tuple[Move, ...]


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
        return FoundOrder(moves, end, len(forced), search.leads_elsewhere(ends, end))


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
        self._tried: set[tuple[int, JobState]] = set()

    def leads_elsewhere(self, ends: Iterator[JobState], first: JobState) -> bool:
        """Whether one of the further ``ends`` allows what ``first`` does not.  Out of states counts as yes.

        A call that is still waiting in ``first`` may commit later: an end in which it has is no other one.
        """
        within_reach: set[JobState] = set()
        try:
            for end in ends:
                within_reach = within_reach or {state for _, state in self._with_commits(first)}
                if end not in within_reach:
                    return True
        except Tangled:
            return True
        return False

    def explore(self, place: int, state: JobState) -> Iterator[JobState]:
        """Yield each state in which all items from ``place`` on can end, with the way there in ``moves``."""
        if len(state.waiting) > 1:
            # Different orders of the same commits meet again in one state, and what follows is the same.
            if (place, state) in self._tried:
                return
            self._tried.add((place, state))
        if place == len(self.items):
            yield state
            return
        self.furthest = max(self.furthest, place)
        item, mark = self.items[place], len(self.moves)
        # A forced line says itself what the row is; commits before it would only multiply the orders.
        ways = [((), state)] if place in self.forced else self._with_commits(state, item.call)
        for commits, before in ways:
            for moves, after in self._take(item, before, place in self.forced):
                self.moves[mark:] = (*commits, *moves)
                yield from self.explore(place + 1, after)
        del self.moves[mark:]

    def _with_commits(
        self, state: JobState, answered: Call | None = None
    ) -> Iterator[tuple[tuple[Commit, ...], JobState]]:
        """Yield ``state``, then the states after some waiting calls have committed, each with its commits.

        The fewest first, and each as late as can be: then a commit stands in the order found only because a
        line needs it.  ``answered``, the call that the next line answers, is left out: :meth:`_answered` lets
        it commit, where its answer is known to fit.
        """
        ways: list[tuple[tuple[Commit, ...], JobState]] = [((), state)]
        known: set[JobState] = set()
        for commits, before in ways:  # it grows meanwhile
            self._states += 1
            if self._states > MOST_STATES:
                raise Tangled
            yield commits, before
            for call in before.waiting:
                if call in before.written or call is answered:
                    continue
                effect = self.rules.write(call, before)
                if effect is None:
                    continue
                after = self._committed(call, effect, before)
                if after not in known and after != state:
                    known.add(after)
                    ways.append(((*commits, Commit(call, effect, before)), after))

    def _committed(self, call: Call, effect: CallEffect, state: JobState) -> JobState:
        fenced = self.rules.lifecycle.fenced
        after = state._replace(
            row=effect.row,
            slack=effect.slack,
            attempt_told=effect.attempt_told,
            finisher=None if call.acquires else (call.operation, call.attempt if fenced else None),
        )
        if call.answer is None and not call.under_way:
            # Its caller is gone: no line will settle it later, so it must not stay among the waiting.
            after = after._replace(waiting=tuple(c for c in after.waiting if c is not call))
        else:
            after = after._replace(written=state.written | {call})
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

    def _take(self, item: JobLine, state: JobState, forced: bool) -> Iterator[tuple[Moves, JobState]]:
        """Yield the states that ``item`` can leave, with the moves there; none if it does not fit."""
        match item.meaning:
            case LineMeaning.CALL if item.call is not None:
                early = state.early | {item.call} if state.unseen else state.early
                called = state._replace(waiting=(*state.waiting, item.call), early=early)
                yield (Take(item, state),), self.with_explained(called)
            case LineMeaning.ANSWER if item.call is not None and forced:
                yield self._as_it_stands(item, item.call, state)
            case LineMeaning.ANSWER if item.call is not None:
                yield from self._answered(item, item.call, state)
            case LineMeaning.ROW:
                after = self._row_read(item, state, forced)
                if after is not None:
                    yield (Take(item, state),), after
            case _ if forced or not self._is_too_early(item, state):
                yield (Take(item, state),), state

    def _is_too_early(self, item: JobLine, state: JobState) -> bool:
        """Whether a worker deletes a message before its job has ended, with a finish of its own in flight.

        That finish may have committed first: this order is tried before the deletion counts as a mistake.
        """
        row = state.row
        if state.unseen or row is None or row.status in self.rules.lifecycle.terminal:
            return False
        deleters = {event.worker for event in item.events if isinstance(event, DeleteRequested)}
        return any(call.worker in deleters and not call.acquires for call in state.waiting)

    def _answered(self, item: JobLine, call: Call, state: JobState) -> Iterator[tuple[Moves, JobState]]:
        """Yield the states after an answer, one for each way to explain it, in this order:

        1. a commit that was placed earlier, 2. a read, 3. a commit just now, 4. a lease that ends later
        than was known, 5. a row from before the log.
        """
        if call in state.written:
            if self._agrees_with_commit(call):
                yield self._settle(item, call, state)
            return
        if call in state.explained:
            yield self._settle(item, call, state)
        effect = self.rules.write(call, state)
        if effect is not None:
            commit = Commit(call, effect, state)
            yield self._settle(item, call, self._committed(call, effect, state), commit)
        if call in state.explained or effect is not None:
            return
        refused_by = self.rules.lease_that_refuses(call, state)
        if refused_by is not None and state.row is not None:
            # What this refusal uses up of the slack cannot explain a later one.
            put_off = (refused_by.lease_expires_at or 0) - (state.row.lease_expires_at or 0)
            after = state._replace(row=refused_by, slack=state.slack - put_off)
            yield self._settle(item, call, after, refused_by=refused_by)
        elif self._is_about_an_older_row(call, state):
            yield self._settle(item, call, state, vague=True)

    def _is_about_an_older_row(self, call: Call, state: JobState) -> bool:
        """Whether a refusal can be right by a row from before the log says anything of the job."""
        if call.answer is not Answer.REFUSED or call not in state.early:
            return False
        # What had ended by then would not be seen otherwise now.
        return state.unseen or call.reason != "ended"

    def _settle(
        self,
        item: JobLine,
        call: Call,
        state: JobState,
        *commits: Commit,
        refused_by: JobRow | None = None,
        vague: bool = False,
    ) -> tuple[Moves, JobState]:
        """Return what ``call``, whose answer is explained in ``state``, leaves, and the moves there."""
        if state.unseen and call.reason in ("ended", "lease live"):
            state = state._replace(ended=call.reason == "ended" or state.ended, told_of=True)
        gone = self._without_effect(call, state)
        moves: Moves = (*commits, Take(item, state, refused_by, vague), *map(Drop, gone))
        after = _settled(call, state)
        if gone:
            after = after._replace(waiting=tuple(c for c in after.waiting if c not in gone))
        return moves, after

    def _agrees_with_commit(self, call: Call) -> bool:
        """Whether the answer of a call agrees with the commit that was placed before it was known."""
        if call.answer is not Answer.ACCEPTED:
            return False
        if not call.acquires or call.written_attempt is None:
            return True
        return call.logged_attempt in (None, call.written_attempt)

    def _as_it_stands(self, item: JobLine, call: Call, state: JobState) -> tuple[Moves, JobState]:
        commits: Moves = ()
        if call.answer is Answer.ACCEPTED:
            effect = self.rules.forced(call, state)
            commits = (Commit(call, effect, state),)
            state = self._committed(call, effect, state)
        moves: Moves = (*commits, Take(item, state))
        return moves, _settled(call, state)

    def _row_read(self, item: JobLine, state: JobState, forced: bool) -> JobState | None:
        """Return the state after a created row, or one that was read: the answers must have led to it."""
        read = item.row
        if read is None or not (state.unseen or forced or item.created or self._is_the_row(read, state)):
            return None
        if item.created and state.exists:
            # A creation is logged after its commit: workers may have logged lines of the job before.
            return state
        if state.unseen or item.created:
            early = state.early
            if item.created:
                # Before the creation there was no row: only "no such job" can have been a true refusal.
                early = frozenset(call for call in early if call.reason not in ("ended", "lease live"))
            return self.with_explained(state._replace(row=read, finisher=None, early=early))
        if state.row is not None and not state.attempt_told:
            return state._replace(row=state.row._replace(attempt=read.attempt), attempt_told=True)
        return state

    def _is_the_row(self, read: JobRow, state: JobState) -> bool:
        row = state.row
        if row is None or (read.status, read.results) != (row.status, row.results):
            return False
        return read.attempt == row.attempt or not state.attempt_told

    def _without_effect(self, call: Call, state: JobState) -> list[Call]:
        """Return the calls that ended before ``call`` began and, as its answer shows, took no effect.

        Every kill leaves a call without an answer, and each that stays doubles the orders of all later
        lines.  A call that ended before this one began cannot commit after it, so this answer decides.
        """
        wrote = call in state.written
        return [
            other
            for other in _settled(call, state).waiting
            if other.ended_at is not None
            and other.ended_at <= call.called_at
            and (wrote or not self._may_still_count(other, call, _settled(call, state)))
        ]

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
