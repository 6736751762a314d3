"""All that a binding writes or meets, the code that connects a system under test to the verifier.

``port``: what to write (``Binding``, ``Delivery``, ``ObservedRow``) and what is handed over (``QueuePort``,
``PublisherPort``, ``Message``).  ``fleet``: what to add so that real worker processes can be run.  ``gate``:
what to add for ``python -m statemachine gate``.  ``errors``: what is raised.  ``loading`` and
``conformance`` find a binding and check it.

The names below are importable from here.
"""

from __future__ import annotations

from statemachine.binding.errors import BindingError, OwnFault
from statemachine.binding.loading import faults_of, faults_of_delivery, lacks, load, make, misfits_of
from statemachine.binding.port import (
    DEFAULT_BINDING,
    DELIVERY_STEPS,
    Binding,
    Delivery,
    Message,
    ObservedRow,
    PublisherPort,
    QueuePort,
)

__all__ = [
    "DEFAULT_BINDING",
    "DELIVERY_STEPS",
    "Binding",
    "BindingError",
    "Delivery",
    "Message",
    "ObservedRow",
    "OwnFault",
    "PublisherPort",
    "QueuePort",
    "faults_of",
    "faults_of_delivery",
    "lacks",
    "load",
    "make",
    "misfits_of",
]
