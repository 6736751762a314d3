"""Drives Hypothesis: plays a search with a seed, ends it in order on Ctrl-C, and minimises what it finds."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import Flaky, Unsatisfiable
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from statemachine.search.control import InvariantBroken, SearchControl, Stopped
from statemachine.search.figures import InSearch
from statemachine.search.findings import Finding
from statemachine.search.interrupts import handled_by
from statemachine.search.machine import JobMachine
from statemachine.search.tally import Part
from statemachine.search.triage.failure import Failure
from statemachine.search.triage.repeats import answered_differently
from statemachine.world.clock import real_seconds

FINDING = (Phase.generate,)
"""Hypothesis's phases of a run.  Shrinking is ours (``minimise.py`` says why), and so is what is kept from
one run to the next: histories, which mean the same after an edit (``corpus/``), in place of choices."""

PROFILES = {"dev": 600, "ci": 5000, "fuzz": 300}
"""Examples by profile.  The hardest planted defect needs 58 in the median and 251 at most.

``fuzz`` is one of the many searches of a run by time: about ten seconds, which is what is lost when its
process is killed.
"""

EXAMPLES_OF_A_TIMED_RUN = PROFILES["dev"]
"""A run by time that played fewer does not say that a situation was missed."""


def register_profiles() -> None:
    """Register our profiles with Hypothesis.

    ``ci`` replaces the one that Hypothesis loads by itself when ``CI`` is set: that one is derandomized,
    which overrides ``--hypothesis-seed``.
    """
    for name, examples in PROFILES.items():
        settings.register_profile(
            name, settings(max_examples=examples, stateful_step_count=50, derandomize=False, print_blob=False)
        )


def sized(examples: int, profile: str | None = "dev", steps: int | None = None) -> settings:
    """Return ``profile``, None for the one that is loaded, with other numbers of examples and steps."""
    parent = settings.get_profile(profile) if profile else settings()
    return settings(parent, max_examples=examples, stateful_step_count=steps or parent.stateful_step_count)


def search(
    control: SearchControl,
    seed_number: int,
    profile: settings | None = None,
    phases: Sequence[Phase] = FINDING,
    machine: type[RuleBasedStateMachine] = JobMachine,
) -> None:
    """Play as :func:`play` does, and minimise the failure that is found: the run is complete then.

    ``machine`` is that of the run's lane.  With the shrink phase among Hypothesis's ``phases``, its result
    is what is minimised.
    """
    run = control.run
    play(control, seed_number, machine, profile, phases)
    control.as_found = control.failure
    if control.failure is not None and not control.unstable:
        run.minimise()
        control.failure = run.failure
    run.finished = True


def play(
    control: SearchControl,
    seed_number: int,
    machine: type[RuleBasedStateMachine],
    profile: settings | None = None,
    phases: Sequence[Phase] = FINDING,
) -> None:
    """Play examples until the profile's number is reached, a claim breaks, or ``control`` ends the search.

    The run's lane must be open.  A broken claim is not raised: it is the ``failure`` of ``control``, and
    among the findings of its run.
    """
    run = control.run
    run.seed = seed_number if run.seed is None else run.seed
    seeded = seed(seed_number)(_played(machine))
    seeded.control = control
    control.planned = settings(profile).max_examples
    try:
        with run.spending(Part.SEARCH), _interrupts_noticed(control), _collector_spared():
            run_state_machine_as_test(seeded, settings=_settings(profile, phases))
    except (InvariantBroken, Stopped):
        pass
    except Unsatisfiable:
        # No example came to its end: each met a failure that was known already, or was given up.
        if not control.met_again and not run.given_up:
            raise
    except Flaky as error:
        # An example that was given up ended elsewhere than it would have.
        if control.failure is None and not run.given_up:
            raise
        if control.failure is not None:
            said = str(error).partition("\n")[0]
            control.unstable = answered_differently(run.lane, control.first_failure or control.failure) or (
                f"Hypothesis says so ({said}), and yet its steps, played again, went as before: please "
                "report that as a bug of ours"
            )
    finally:
        del seeded.control
        if control.failure is not None:
            run.findings.add(_finding(control, control.failure))


def _finding(control: SearchControl, failure: Failure) -> Finding:
    run = control.run
    origin = InSearch(run.tally.examples, real_seconds() - run.started)
    return Finding(
        failure,
        origin,
        len(failure.steps),
        seed=run.seed,
        unstable=control.unstable,
        played_before=tuple(run.latest),
    )


@cache
def _played(machine: type[RuleBasedStateMachine]) -> Any:
    """Return the class that Hypothesis plays: one for all searches, since it keeps each class for ever."""
    return type("AIJobs", (machine,), {})


@contextmanager
def _collector_spared() -> Iterator[None]:
    """Collect garbage seldom, and leave what is loaded by now, Django above all, out of it: 10 % faster."""
    # Garbage that is frozen would never be collected: measured, 150 MB over sixty short searches.
    gc.collect()
    gc.freeze()
    before = gc.get_threshold()
    # Nearly all that a step makes dies by its references: young objects are looked at every 20,000, not 700.
    gc.set_threshold(20_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def _interrupts_noticed(control: SearchControl) -> Iterator[None]:
    """Make sure that Ctrl-C, or SIGTERM, ends the search at its next step at the latest.

    Python delivers a signal wherever it happens to be, and Hypothesis has a callback in the garbage
    collector, where an exception is dropped: measured, 1 Ctrl-C in 15 was lost there.
    """
    # A worker process ignores Ctrl-C: its parent decides what happens to it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield
        return

    def interrupted(number: int, frame: FrameType | None) -> None:
        control.interrupted = True
        raise KeyboardInterrupt

    with handled_by(interrupted):
        yield


def _settings(profile: settings | None, phases: Sequence[Phase]) -> settings:
    return settings(
        profile,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        phases=phases,
    )
