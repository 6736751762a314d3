"""Finds an order of commits that explains what the lines of one job say, if there is one.

A call's commit lies anywhere between its line and its answer's, and a call without an answer may have
committed or not.  So the commits of calls that overlap are tried in every order that the lines allow,
as late and as few as possible first, until each answer is the one that the legality table gives.
Calls overlap only while workers collide on one job, so there are few; what is given up after
:data:`MOST_STATES` states is said to be too tangled, never judged.
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


class Tangled(Exception):
    """Too many calls overlap for every order to be tried."""


def explain(rules: Rules, items: Sequence[JobLine], world: JobState) -> FoundOrder:
    """The first order of commits that explains all of ``items``.

    Where none does, the line at which every order fails is taken as it stands, and the rest is explained
    from there.  Raises :class:`Tangled`.
    """
    forced: set[int] = set()
    while True:
        search = _Search(rules, items, forced)
        ends = search.explore(0, search.listened(world))
        end = next(ends, None)
        if end is None:
            forced.add(search.furthest)
            continue
        moves = list(search.moves)
        guessed = any(not isinstance(move, Take) and move.call.answer is None for move in moves)
        return FoundOrder(moves, end, len(forced), guessed and _is_other(ends, end))


def _is_other(ends: Iterator[JobState], first: JobState) -> bool:
    """Whether one of the further ``ends`` is another row than the first."""
    try:
        return any(_gist(end.row) != _gist(first.row) for end in ends)
    except Tangled:
        return True


def _gist(row: JobRow | None) -> tuple[str, int] | None:
    return None if row is None else (row.status, row.attempt)


class _Search:
    """One depth-first walk; ``moves`` is the way to the state that it is in."""

    def __init__(self, rules: Rules, items: Sequence[JobLine], forced: set[int]) -> None:
        self.rules = rules
        self.items = items
        self.forced = forced
        self.moves: list[Move] = []
        self.furthest = 0
        self._states = 0

    def explore(self, place: int, world: JobState) -> Iterator[JobState]:
        """The states in which all items from ``place`` on can end, the way there being in ``moves``."""
        if place == len(self.items):
            yield world
            return
        self.furthest = max(self.furthest, place)
        item, mark = self.items[place], len(self.moves)
        for commits, before in self._with_commits(world, item, place):
            self.moves[mark:] = commits
            after = self._take(item, before, place in self.forced)
            if after is not None:
                yield from self.explore(place + 1, after)
        del self.moves[mark:]

    def _with_commits(
        self, world: JobState, item: JobLine, place: int, commits: tuple[Commit, ...] = ()
    ) -> Iterator[tuple[tuple[Commit, ...], JobState]]:
        """``world``, and then ``world`` after some of the waiting calls have committed, fewest first."""
        self._states += 1
        if self._states > MOST_STATES:
            raise Tangled
        yield commits, world
        if place in self.forced:
            return
        for call in world.waiting:
            if call in world.written or call is item.call:
                continue
            outcome = self.rules.write(call, world)
            if outcome is not None:
                after = self._committed(call, outcome, world)
                yield from self._with_commits(
                    after, item, place, (*commits, Commit(call, outcome, world.waiting))
                )

    def _committed(self, call: Call, outcome: CallEffect, world: JobState) -> JobState:
        fenced = self.rules.lifecycle.fenced
        after = world._replace(
            row=outcome.row,
            slack=outcome.slack,
            finisher=None if call.acquires else (call.operation, call.attempt if fenced else None),
            written=world.written | {call},
        )
        if call.answer is None and not call.under_way:
            after = after._replace(waiting=tuple(c for c in after.waiting if c is not call))
        return self.listened(after)

    def listened(self, world: JobState) -> JobState:
        """Note whose answer is right in this state without a commit."""
        heard = [
            call
            for call in world.waiting
            if call not in world.heard and call not in world.written and self.rules.reads(call, world)
        ]
        return world._replace(heard=world.heard.union(heard)) if heard else world

    # -- one item ---------------------------------------------------------------------------

    def _take(self, item: JobLine, world: JobState, forced: bool) -> JobState | None:
        """The state after ``item``, with its moves added; None when it does not fit."""
        match item.said:
            case LineMeaning.CALL if item.call is not None:
                self.moves.append(Take(item, world))
                early = world.early | {item.call} if world.unseen else world.early
                return self.listened(world._replace(waiting=(*world.waiting, item.call), early=early))
            case LineMeaning.ANSWER if item.call is not None:
                return self._answered(item, item.call, world, forced)
            case LineMeaning.ROW:
                return self._row_told(item, world, forced)
            case LineMeaning.EVENTS if not forced and self._is_too_early(item, world):
                return None
        self.moves.append(Take(item, world))
        return world

    def _is_too_early(self, item: JobLine, world: JobState) -> bool:
        """Whether a message is deleted before its job has ended, by one who may have ended it unheard."""
        row = world.row
        if world.unseen or row is None or row.status in self.rules.lifecycle.terminal:
            return False
        deleters = {event.worker for event in item.events if isinstance(event, DeleteRequested)}
        return any(call.worker in deleters and not call.acquires for call in world.waiting)

    def _answered(self, item: JobLine, call: Call, world: JobState, forced: bool) -> JobState | None:
        if forced:
            return self._as_it_stands(item, call, world)
        refused_by, vague = None, False
        if call in world.written:
            if not self._keeps_its_word(call):
                return None
        elif call not in world.heard:
            outcome = self.rules.write(call, world)
            refused_by = self.rules.lease_that_refuses(call, world)
            if outcome is not None:
                self.moves.append(Commit(call, outcome, world.waiting))
                world = self._committed(call, outcome, world)
            elif refused_by is not None and world.row is not None:
                put_off = (refused_by.lease_expires_at or 0) - (world.row.lease_expires_at or 0)
                world = world._replace(row=refused_by, slack=world.slack - put_off)
            elif call in world.early and call.answer is Answer.REFUSED:
                vague = True
            else:
                return None
        if world.unseen and call.reason == "ended":
            world = world._replace(ended=True)
        self.moves.append(Take(item, world, refused_by, vague))
        return self._without_the_dead(call, _settled(call, world), wrote=call in world.written)

    def _keeps_its_word(self, call: Call) -> bool:
        """Whether the answer of a call agrees with the commit that was placed before it was known."""
        if call.answer is not Answer.ACCEPTED:
            return False
        return not call.acquires or call.given is None or call.told in (None, call.given)

    def _as_it_stands(self, item: JobLine, call: Call, world: JobState) -> JobState:
        if call.answer is Answer.ACCEPTED:
            outcome = self.rules.forced(call, world)
            self.moves.append(Commit(call, outcome, world.waiting))
            world = self._committed(call, outcome, world)
        self.moves.append(Take(item, world))
        return _settled(call, world)

    def _row_told(self, item: JobLine, world: JobState, forced: bool) -> JobState | None:
        """A created row, or one that was read: the answers must have led to it."""
        told = item.row
        if told is None or not (world.unseen or forced or item.created or self._is_the_row(told, world.row)):
            return None
        self.moves.append(Take(item, world))
        if world.unseen or (item.created and world.row is None):
            early = world.early
            if item.created:
                # Before it was created it can only have been absent.
                early = frozenset(call for call in early if call.reason not in ("ended", "lease live"))
            return self.listened(world._replace(row=told, finisher=None, early=early))
        return world

    def _is_the_row(self, told: JobRow, row: JobRow | None) -> bool:
        return row is not None and (told.status, told.attempt, told.results) == (
            row.status,
            row.attempt,
            row.results,
        )

    def _without_the_dead(self, call: Call, world: JobState, wrote: bool) -> JobState:
        """Drop calls that ended before ``call`` began and that its answer shows to have taken no effect."""
        gone = [
            other
            for other in world.waiting
            if other.ended_at is not None
            and other.ended_at <= call.called_at
            and (wrote or not self._may_still_count(other, call, world))
        ]
        if not gone:
            return world
        self.moves += map(Drop, gone)
        return world._replace(waiting=tuple(c for c in world.waiting if c not in gone))

    def _may_still_count(self, other: Call, call: Call, world: JobState) -> bool:
        outcome = self.rules.write(other, world)
        if outcome is None:
            # It cannot be written here: only a further commit of the unknown kind could let it.
            return sum(c.answer is None for c in world.waiting) > 1
        return self.rules.reads(call, world._replace(row=outcome.row, slack=outcome.slack, finisher=None))


def _settled(call: Call, world: JobState) -> JobState:
    return world._replace(
        waiting=tuple(other for other in world.waiting if other is not call),
        heard=world.heard - {call},
        early=world.early - {call},
        written=world.written - {call},
    )
