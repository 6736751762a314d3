"""The same system under other lifecycles: bindings to start from for a system with other policies.

``pytest statemachine/ --binding models_under_test.variants:Heartbeat`` runs one.  Each changes one thing, and
its lifecycle says what; the machine, the claims and the table are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from models_under_test.binding import OUTCOMES, AIJobsBinding
from models_under_test.variants.review import ToReview
from statemachine.lifecycle import Answer, Operation

OURS = AIJobsBinding.lifecycle


class _Variant(AIJobsBinding):
    defects: Mapping[str, str] = MappingProxyType({})

    def changed(self) -> dict[str, Any]:
        """Return the parts that this variant replaces.  Imported late: they need a configured Django."""
        return {}

    def parts(self) -> dict[str, Any]:
        return super().parts() | self.changed()


class ShortVisibility(_Variant):
    """Messages return after 1800 s, and go to the DLQ after five receives."""

    lifecycle = replace(
        OURS, lease_seconds=1740, visibility_seconds=1800, inference_cap_seconds=1800, max_receives=5
    )

    def changed(self) -> dict[str, Any]:
        from models_under_test.variants import parts

        return {"repository": parts.repository_with_lease(1740), "delivery": parts.delivery_hiding_for(1800)}


class ShortLease(_Variant):
    """A lease of half the visibility timeout: a message always returns long after its lease has ended."""

    lifecycle = replace(OURS, lease_seconds=1800)

    def changed(self) -> dict[str, Any]:
        from models_under_test.variants import parts

        return {"repository": parts.repository_with_lease(1800)}


class LateCompletionRefused(_Variant):
    """An attempt whose lease has expired cannot finish, even if no other has taken over."""

    lifecycle = replace(OURS, late_completion=Answer.REFUSED)

    def changed(self) -> dict[str, Any]:
        from models_under_test.variants import parts

        return {"repository": parts.LateRepository}


class ReviewRequired(_Variant):
    """A job can also end in ``REVIEW_REQUIRED`` or ``REJECTED``, without a result."""

    lifecycle = replace(OURS, further_terminal=("REVIEW_REQUIRED", "REJECTED"))
    outcomes = {**OUTCOMES, Operation.CLOSE: ToReview}  # noqa: RUF012

    def changed(self) -> dict[str, Any]:
        from models_under_test.variants import parts

        return {"repository": parts.ClosingRepository, "delivery": parts.ClosingDelivery}

    def close(self, job: str, tenant: str, attempt: int, status: str) -> bool:
        with self._uow as uow:
            return uow.jobs.close(job, tenant, attempt, status)


class FailureEndsInDone(_Variant):
    """A failure ends in DONE by policy, without a result."""

    lifecycle = replace(OURS, failed="DONE")

    def changed(self) -> dict[str, Any]:
        from models_under_test.variants import parts

        return {"repository": parts.RepositoryWithoutFailed}


class Unfenced(_Variant):
    """Finishing shows no token: the first attempt to finish ends the job."""

    lifecycle = replace(OURS, fenced=False)
    waived = MappingProxyType(
        {"only_the_holder_finishes": "its results are the same whichever attempt computed them"}
    )

    def changed(self) -> dict[str, Any]:
        from models_under_test.variants import parts

        return {"repository": parts.UnfencedRepository}


class Heartbeat(_Variant):
    """A working attempt renews its lease and hides its message again, as long as it lives."""

    lifecycle = replace(OURS, offers=OURS.offers | {Operation.RENEW})

    def changed(self) -> dict[str, Any]:
        from models_under_test.variants import parts

        return {"repository": parts.RenewingRepository, "delivery": parts.RenewingDelivery}

    def renew(self, job: str, tenant: str, attempt: int) -> bool:
        with self._uow as uow:
            return uow.jobs.renew(job, tenant, attempt)


class LateRenewalRefused(Heartbeat):
    """A heartbeat after the end of the lease is refused; finishing then is still accepted."""

    lifecycle = replace(Heartbeat.lifecycle, late_renewal=Answer.REFUSED)

    def changed(self) -> dict[str, Any]:
        from models_under_test.variants import parts

        return super().changed() | {"repository": parts.PunctuallyRenewingRepository}


class NamedWorkers(_Variant):
    """Every worker takes its leases under its own name."""

    def worker_id(self, worker: str) -> str:
        return f"ai-worker-{worker}"


class NothingOptional(_Variant):
    """No release, no extension, no sweep: what a system may do without.

    A publisher that dies leaves its job PENDING for ever, so the claims that every job ends are waived.
    """

    lifecycle = replace(OURS, offers=frozenset())
    waived = MappingProxyType(
        dict.fromkeys(
            ("every_job_ends", "a_killed_job_is_reprocessed_once"),
            "without a sweep a job whose publisher died waits for an operator",
        )
    )


VARIANTS: Mapping[str, type[AIJobsBinding]] = {
    variant.__name__: variant
    for variant in (
        ShortVisibility,
        ShortLease,
        LateCompletionRefused,
        ReviewRequired,
        FailureEndsInDone,
        Unfenced,
        Heartbeat,
        LateRenewalRefused,
        NamedWorkers,
        NothingOptional,
    )
}
