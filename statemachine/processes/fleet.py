"""Forwards to :mod:`statemachine.binding.fleet` for bindings written for 0.1, until the next release."""

from statemachine.binding.fleet import (
    End,
    Fleet,
    FleetBinding,
    FleetError,
    Stage,
    Stop,
    Work,
)

__all__ = ["End", "Fleet", "FleetBinding", "FleetError", "Stage", "Stop", "Work"]
