"""For each planted defect the shortest history that a person would write to show it.

A step is the name of an operation with its arguments.  Steps are numbered from 1, and what step 2 creates is
called j2 or m2.  A test plays each history, and shows that no step of it can be left out.  Where a history
ends before the violation, the drain that follows it shows the bug.
"""

from collections.abc import Mapping

from models_under_test.defects.minimal import (
    attempts,
    errors,
    fencing,
    finishes,
    leases,
    messages,
    publishing,
    races,
    redrives,
    tenants,
    transactions,
)
from models_under_test.defects.minimal.steps import History

AREAS = (
    attempts,
    errors,
    fencing,
    finishes,
    leases,
    messages,
    publishing,
    races,
    redrives,
    tenants,
    transactions,
)

MINIMAL: Mapping[str, History] = {defect: steps for area in AREAS for defect, steps in area.HISTORIES.items()}
"""The name of each defect → its steps."""
