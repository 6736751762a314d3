"""The module that saved plain tests import.  It stays: they were copied into users' own projects."""

from statemachine.report.leased_jobs import InterleavedJobs, LeasedJobs, Misused

__all__ = ["InterleavedJobs", "LeasedJobs", "Misused"]
