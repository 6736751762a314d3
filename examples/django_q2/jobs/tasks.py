"""What the application lets django-q2 run, in three styles.

How inference ends, and with what, is for whoever drives the worker to say.
"""

from django.db import transaction

from jobs.models import Job

inference = {"ends": "DONE", "with": ""}


class InferenceFailed(Exception):
    """The model refused its input: trying again would not help."""


def infer(name: str) -> str:
    """A failure is raised, and the package keeps it as the failure of the task."""
    if inference["ends"] == "FAILED":
        raise InferenceFailed(inference["with"])
    return inference["with"]


def infer_and_tell(name: str) -> tuple[str, str]:
    """A failure is an outcome like any other: the package keeps what is returned."""
    return inference["ends"], inference["with"]


def infer_and_write(name: str) -> None:
    """The application keeps the outcome, in its own row: whoever comes first writes it.

    An error on the way fails the task, and a failed task comes back.
    """
    with transaction.atomic():
        job = Job.objects.select_for_update().get(name=name)
        if not job.status:
            job.status, job.result = inference["ends"], inference["with"]
            job.save()
