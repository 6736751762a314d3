"""The loader of bindings: what may be left out, and the sentence for a binding that does not fit.

A stranger's first run ends here if anything is missing.  The sentence must name the piece and the way
out, and never be a traceback.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from models_under_test.binding import AIJobsBinding
from statemachine.binding import DELIVERY_STEPS, Binding, BindingError, load
from statemachine.lifecycle import OPTIONAL, Lifecycle, Operation
from statemachine.search.run import Run
from statemachine.world.lane import Lane
from statemachine.world.operations import perform

HERE = "tests.binding.test_loading"
REASON = {"only_the_holder_finishes": "results are the same, whoever writes them"}


class Complete:
    """Every piece is there; none of them is called before a lane is opened."""

    settings_module = "x"
    lifecycle = Lifecycle(offers=OPTIONAL, further_terminal=("REVIEW_REQUIRED",))
    tenants = ("t1", "t2")
    waived: dict[str, str] = {}  # noqa: RUF012
    defects: dict[str, str] = {}  # noqa: RUF012
    plant = open = create = publish = deliver = mark_running = staticmethod(lambda *given: None)
    complete = fail = release = close = renew = recover = observe = others = reset = plant


def lacking(*pieces: str, **fields: Any) -> type[Any]:
    """The complete binding without ``pieces``, and with other ``fields``."""
    kept = {name: value for name, value in vars(Complete).items() if not name.startswith("__")}
    return type("Lacking", (), {name: value for name, value in kept.items() if name not in pieces} | fields)


def loaded(factory: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(f"{HERE}.factory", factory, raising=False)
    return load(f"{HERE}:factory")


def refusal(factory: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    with pytest.raises(BindingError) as refused:
        loaded(factory, monkeypatch)
    assert str(refused.value).startswith(f"--binding {HERE}:factory: ")
    return str(refused.value)


def without(*operations: Operation) -> Lifecycle:
    return replace(Complete.lifecycle, offers=OPTIONAL - set(operations))


NO_CLOSE = replace(Complete.lifecycle, further_terminal=())

OPTIONAL_PIECES: dict[str, Lifecycle] = {
    "release": without(Operation.RELEASE),
    "renew": without(Operation.RENEW),
    "recover": without(Operation.RECOVER),
    "close": NO_CLOSE,
}


def test_a_complete_binding_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(loaded(Complete, monkeypatch), Complete)


@pytest.mark.parametrize("piece", OPTIONAL_PIECES)
def test_what_the_lifecycle_does_not_offer_may_be_left_out(
    piece: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(lacking(piece, lifecycle=OPTIONAL_PIECES[piece]), monkeypatch)
    said = refusal(lacking(piece), monkeypatch)
    assert f"it lacks {piece};" in said
    assert "statemachine/binding/port.py says what each one is" in said


def test_the_aggregate_over_other_rows_may_always_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(lacking("others"), monkeypatch)


NEEDED = sorted(
    {name for name in vars(Complete) if not name.startswith("__")} - {"others", "plant", *OPTIONAL_PIECES}
)


@pytest.mark.parametrize("piece", NEEDED)
def test_everything_else_is_needed_and_named(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"it lacks {piece};" in refusal(lacking(piece), monkeypatch)


def test_plant_is_needed_where_there_is_something_to_plant(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(lacking("plant"), monkeypatch)
    said = refusal(lacking("plant", defects={"forgets": "Caught by nobody."}), monkeypatch)
    assert "it lacks plant;" in said


def test_an_empty_body_of_the_port_is_no_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    class Begun(Binding):
        settings_module = "x"
        lifecycle = NO_CLOSE
        tenants = ("t1", "t2")
        waived: dict[str, str] = {}  # noqa: RUF012
        defects: dict[str, str] = {}  # noqa: RUF012

        def create(self, job: str, tenant: str) -> None: ...

    said = refusal(Begun, monkeypatch)
    assert "it lacks open, publish, deliver, mark_running" in said
    assert "create" not in said.partition(";")[0]


MISFITS: dict[str, tuple[dict[str, Any], str]] = {
    "a parameter too few": (
        {"deliver": lambda self, worker: None},
        "its deliver(worker) cannot be called as deliver(worker, queue), which is how the verifier calls it; "
        "write def deliver(self, worker, queue)",
    ),
    "a parameter too many": (
        {"publish": lambda self, job, tenant, queue: None},
        "its publish(job, tenant, queue) cannot be called as publish(job, tenant), which is",
    ),
    "no method": ({"reset": None}, "its reset is None and no method; write def reset(self, jobs)"),
    "an aggregate of nothing": ({"others": lambda self: 1}, "its others() cannot be called as others(jobs)"),
}


@pytest.mark.parametrize(("pieces", "words"), MISFITS.values(), ids=MISFITS)
def test_a_method_that_cannot_be_called_is_shown_as_it_should_be(
    pieces: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert words in refusal(lacking(**pieces), monkeypatch)


@pytest.mark.parametrize(
    "method", [lambda self, *given: None, lambda self, worker, queue, name="w": None], ids=["star", "default"]
)
def test_parameters_of_their_own_are_no_misfit(method: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(lacking(deliver=method), monkeypatch)


def test_all_that_is_lacking_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(lacking("observe", "reset", "renew"), monkeypatch)
    assert all(piece in said for piece in ("observe", "reset", "renew"))
    assert "others" not in said.partition(";")[0]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"lifecycle": "3540"}, ["its lifecycle is a str", "statemachine.lifecycle.Lifecycle"]),
        ({"waived": None}, ["its waived is a NoneType", "{} for none"]),
        ({"waived": {"every_job_starts": "so"}}, ["waives every_job_starts", "every_job_ends"]),
        ({"waived": {"every_job_ends": " "}}, ["waives every_job_ends without a reason"]),
        (
            {"unreachable": ["answer_lost in prepare"]},
            ["its unreachable is a list", "to the reason, or leave it out"],
        ),
        (
            {"unreachable": {"answer lost in prepare": "so"}},
            ["it calls 'answer lost in prepare' unreachable", "the nearest are 'answer_lost in prepare', "],
        ),
        ({"unreachable": {7: "so"}}, ["it calls 7 unreachable"]),
        (
            {"unreachable": {"answer_lost in recover": "so"}, "lifecycle": without(Operation.RECOVER)},
            ["it calls 'answer_lost in recover' unreachable", "under its lifecycle must meet"],
        ),
        (
            {"unreachable": {"redriven": " ", "answer_lost in prepare": None}},
            ["it calls answer_lost in prepare, redriven unreachable without a reason"],
        ),
        ({"tenants": "t1"}, ["its tenants are 't1'", "two different ones"]),
        ({"tenants": ["t1", "t1"]}, ["its tenants are ['t1', 't1']"]),
        (
            {"lifecycle": replace(Complete.lifecycle, fenced=False)},
            ["fenced=False", "waive only_the_holder_finishes"],
        ),
    ],
)
def test_a_piece_that_does_not_fit_is_named_with_the_way_out(
    fields: dict[str, Any], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = refusal(lacking(**fields), monkeypatch)
    for word in words:
        assert word in said


def test_what_cannot_exist_is_taken_with_its_reason_and_reaches_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = {
        "answer_lost in prepare": "one UPDATE in autocommit",
        "create: id exists": "ids are the database's",
    }
    assert Run(Lane(loaded(lacking(unreachable=said), monkeypatch))).reach.unreachable == said
    assert Run(Lane(loaded(Complete, monkeypatch))).reach.unreachable == {}


def test_a_system_without_tokens_needs_its_waiver_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(lacking(lifecycle=replace(Complete.lifecycle, fenced=False), waived=REASON), monkeypatch)


def test_a_factory_that_raises_is_named_with_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def factory() -> object:
        return Lifecycle(lease_seconds=0)

    assert "factory() raised LifecycleError: lease_seconds is 0" in refusal(factory, monkeypatch)


class Strays(AIJobsBinding):
    """Its delivery names a next step of its own after a step that is named here."""

    after = "receive"
    says: object = "lunch"

    def deliver(self, worker: str, queue: Any) -> Any:
        delivery, strays = super().deliver(worker, queue), self

        class Straying:
            next_step: object = "receive"

            def __getattr__(self, name: str) -> Any:
                def step(*rest: Any) -> Any:
                    answer = getattr(delivery, name)(*rest)
                    self.next_step = strays.says if name == strays.after else delivery.next_step
                    return answer

                return step

        return Straying()


STEPS: list[tuple[str, dict[str, Any]]] = [
    ("create", {"job": "j1", "tenant": "t1"}),
    ("publish", {"job": "j1"}),
    ("receive", {"worker": "A", "message": "m2"}),
    ("prepare", {"worker": "A"}),
    ("complete", {"worker": "A"}),
    ("acknowledge", {"worker": "A"}),
]


@pytest.fixture
def straying(transactional_db: None) -> Iterator[tuple[Lane, Strays]]:
    binding: Any = Strays()
    lane = Lane(binding)
    with lane.open():
        yield lane, binding


@pytest.mark.parametrize(
    ("after", "steps"), [("receive", 3), ("prepare", 4), ("finish", 5), ("acknowledge", 6)]
)
def test_a_next_step_that_there_is_not_is_refused_where_it_is_said(
    after: str, steps: int, straying: tuple[Lane, Strays]
) -> None:
    lane, binding = straying
    binding.after = after
    example = lane.begin()
    for operation, arguments in STEPS[: steps - 1]:
        perform(example, operation, arguments)
    with pytest.raises(BindingError) as refused:
        perform(example, *STEPS[steps - 1])
    assert "the delivery of worker A says next_step 'lunch'" in str(refused.value)
    assert f"None or one of {', '.join(DELIVERY_STEPS)}" in str(refused.value)


def test_next_steps_that_there_are_pass(straying: tuple[Lane, Strays]) -> None:
    lane, binding = straying
    binding.after = "nothing"
    example = lane.begin()
    for operation, arguments in STEPS:
        perform(example, operation, arguments)
    assert example.judge.violations == []


class WithoutAggregate(AIJobsBinding):
    def __getattribute__(self, name: str) -> Any:
        if name == "others":
            raise AttributeError(name)
        return super().__getattribute__(name)


def test_a_binding_without_an_aggregate_is_played_without_it(transactional_db: None) -> None:
    lane = Lane(WithoutAggregate())
    with lane.open():
        example = lane.begin()
        assert example.events == []
        perform(example, "create", {"job": "j1", "tenant": "t1"})
        assert example.judge.violations == []
