"""What saved plain tests import, in users' projects too.  It is never to go."""

from statemachine.report.leased_jobs import InterleavedJobs, LeasedJobs, Misused

__all__ = ["InterleavedJobs", "LeasedJobs", "Misused"]
