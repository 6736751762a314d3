"""The tasks that the application lets django-q2 run, in three styles.

The binding sets ``inference`` before each run of a task: how it ends, and with what result.
"""

from django.db import transaction

from jobs.models import Job

inference = {"ends": "DONE", "with": ""}


class InferenceFailed(Exception):
    """The model refused its input: trying again would not help."""


def infer(name: str) -> str:
    """Raise a failure: the package stores it as the failure of the task."""
    if inference["ends"] == "FAILED":
        raise InferenceFailed(inference["with"])
    return inference["with"]


def infer_and_tell(name: str) -> tuple[str, str]:
    """Return a failure like any other outcome: the package stores what is returned."""
    return inference["ends"], inference["with"]


def infer_and_write(name: str) -> None:
    """Write the outcome to the application's own row, unless another run of the task has done so.

    An error on the way fails the task, and a failed task comes back.
    """
    with transaction.atomic():
        job = Job.objects.select_for_update().get(name=name)
        if not job.status:
            job.status, job.result = inference["ends"], inference["with"]
            job.save()
