"""Results and certificates written by hand, for the tests of plan, rows, page and citation."""

from __future__ import annotations

from statemachine.commands.certificate.catalogue import Planted
from statemachine.commands.certificate.citation import Certificate
from statemachine.commands.certificate.hunt import INTERLEAVED, PLAIN, SEARCH, Hunt, HuntResult
from statemachine.commands.certificate.rows import Row

EDGE = Planted("edge_excluded", "an_expired_lease_can_be_taken_over", by_hand=7)
RACE = Planted("two_transactions", "one_holder_at_a_time", "transactions", by_hand=9)


def finding(
    seed: int = 100,
    invariant: str | None = EDGE.invariant,
    *,
    examples: int = 10,
    seconds: float = 1.0,
    shrunk: int = 7,
    method: str = SEARCH,
) -> HuntResult:
    asked = Hunt("system:Binding", method, EDGE.name, seed, 2000, "f00d")
    return HuntResult(asked, invariant, examples, seconds, 30, shrunk, 0.1, "6.170.15")


def row(*searched: HuntResult, planted: Planted = EDGE) -> Row:
    return Row(planted, searched, [finding(method=PLAIN, examples=300), finding(101, None, method=PLAIN)])


def interleaved(
    seed: int = 100, invariant: str | None = RACE.invariant, *, shrunk: int = 9, seconds: float = 1.0
) -> HuntResult:
    asked = Hunt("system:Binding", INTERLEAVED, RACE.name, seed, 400, "beef")
    return HuntResult(asked, invariant, 12, seconds, 40, shrunk, 5.0, "6.170.15", "PostgreSQL 17.4")


CERTIFICATE = Certificate(
    date="2026-11-22",
    commit="abc1234",
    modified=False,
    binding="system:Binding",
    seeds=20,
    examples=2000,
    found=44,
    measured=45,
    machine={},
    system={},
    defects={},
)
