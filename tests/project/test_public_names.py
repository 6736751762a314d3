"""What bindings and plain tests in users' projects import stays where they import it from."""

from __future__ import annotations

from importlib import import_module

import pytest

from statemachine.binding import fleet
from statemachine.report import leased_jobs

PUBLIC = {
    "statemachine.binding": (
        *(
            "DEFAULT_BINDING",
            "DELIVERY_STEPS",
            "Binding",
            "BindingError",
            "Delivery",
            "Message",
            "ObservedRow",
        ),
        *(
            "OwnFault",
            "PublisherPort",
            "QueuePort",
            "faults_of",
            "faults_of_delivery",
            "lacks",
            "load",
            "make",
        ),
        "misfits_of",
    ),
    "statemachine.lifecycle": (
        *("ACQUISITIONS", "FENCED", "FINISHES", "MESSAGE_STEPS", "OPTIONAL", "Answer", "JobRow", "Lifecycle"),
        *("LifecycleError", "Operation"),
    ),
    "statemachine.plugin": ("embedded_lane", "interleaved_jobs", "leased_jobs", "processes_lane"),
    "statemachine.processes.fleet": (
        *("SIGNALS", "End", "Fleet", "FleetBinding", "FleetError", "Stage", "Stop", "Work"),
    ),
    "statemachine.regression": ("InterleavedJobs", "LeasedJobs", "Misused"),
}
"""By module.  ``processes.fleet`` forwards for one release; ``regression`` stays for good."""


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in PUBLIC.items() for name in names]
)
def test_a_public_name_can_be_imported(module: str, name: str) -> None:
    assert hasattr(import_module(module), name)


def test_what_forwards_gives_the_thing_itself() -> None:
    for name in PUBLIC["statemachine.processes.fleet"]:
        assert getattr(import_module("statemachine.processes.fleet"), name) is getattr(fleet, name)
    for name in PUBLIC["statemachine.regression"]:
        assert getattr(import_module("statemachine.regression"), name) is getattr(leased_jobs, name)
