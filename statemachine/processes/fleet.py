"""Forwards to :mod:`statemachine.binding.fleet` for bindings written for 0.1, until the next release."""

from statemachine.binding.fleet import (
    SIGNALS,
    End,
    Fleet,
    FleetBinding,
    FleetError,
    Stage,
    Stop,
    Work,
)

__all__ = ["SIGNALS", "End", "Fleet", "FleetBinding", "FleetError", "Stage", "Stop", "Work"]
