"""Binds django-q2 and its table of queued tasks, ``django_q_ormq``, to the verifier.

The package's own functions do the work: ``async_task``, then one round each of ``pusher``, ``worker`` and
``monitor``, on the ORM broker.  A job is a row of that table, in a queue of its own, beside the application's
row.  The table is the queue: a message of the verifier stands for a moment at which some cluster polls it.
"""

from collections import defaultdict
from datetime import timedelta
from itertools import count
from multiprocessing import Value
from types import SimpleNamespace

from statemachine.binding import ObservedRow
from statemachine.lifecycle import Lifecycle, Operation

RETRY, TIMEOUT = 60, 50  # seconds, as in settings.py
ENDS = {Operation.COMPLETE: "DONE", Operation.FAIL: "FAILED"}
A_POLL = "the table is the queue: a message here is a poll by some cluster, which the binding arranges"


class Binding:
    """The simplest use: the ``Task`` row is the outcome, and a failure is final (``ack_failure``)."""

    settings_module = "settings"
    lifecycle = Lifecycle(
        lease_seconds=RETRY,
        visibility_seconds=RETRY,
        inference_cap_seconds=TIMEOUT,
        fenced=False,
        offers=frozenset({Operation.RECOVER}),
    )
    tenants = ("t1", "t2")
    defects = {}  # noqa: RUF012
    waived = {  # noqa: RUF012
        "only_the_holder_finishes": "finishing shows no token: the first success stands, whosever it is",
        "attempts_count_acquisitions": "the package numbers no acquisitions: the binding counts new locks",
        "a_refused_delivery_waits": A_POLL,
        "messages_are_not_hurried": A_POLL,
        "published_means_committed": A_POLL,
        "recovery_sends_only_unsent_jobs": A_POLL,
    }
    unreachable = dict.fromkeys(
        (
            "killed before_prepare_commit",
            "killed after_prepare_commit",
            "error_before_commit in prepare",
            "answer_lost in prepare",
        ),
        "dequeue claims by one UPDATE in autocommit: there is no COMMIT to strike",
    )
    task, options, looks_first = "jobs.tasks.infer", {"ack_failure": True}, False

    def open(self, queue, publisher):
        from django.db import transaction
        from django.utils import timezone
        from django_q import models, monitor, pusher, tasks, worker
        from django_q.brokers import orm
        from jobs import models as ours
        from jobs.tasks import inference

        class Broker(orm.ORM):
            """The package's own, which keeps the lock that it gave, and deletes in a step of its own."""

            acknowledged = None

            def timeout(self, task):
                self.lock = super().timeout(task)
                return self.lock

            def acknowledge(self, task_id):
                self.acknowledged = task_id

            def delete_acknowledged(self):
                super().acknowledge(self.acknowledged)

        self.queue, self.publisher, self.inference, self.broker = queue, publisher, inference, Broker
        self.atomic, self.on_commit, self.now = transaction.atomic, transaction.on_commit, timezone.now
        self.async_task, self.pusher = tasks.async_task, pusher.pusher
        self.worker, self.monitor, self.timer = worker.worker, monitor.monitor, Value("f", -1)
        self.jobs, self.entries, self.tasks = ours.Job.objects, models.OrmQ.objects, models.Task.objects
        # The broker compares times with "<".  A real clock never shows one twice, so a frozen one must not.
        orm.timezone = SimpleNamespace(now=lambda: self.now() + timedelta(microseconds=next(self.ticks)))
        orm.sleep = pusher.sleep = lambda seconds: None
        self.forget()

    def forget(self):
        self.ticks, self.locks, self.packages = count(1), defaultdict(set), {}

    def create(self, job, tenant):
        with self.atomic():
            task = self.async_task(self.task, job, cluster=f"{tenant}.{job}", **self.options)
            self.jobs.create(name=job, tenant=tenant, task_id=task, created_at=self.now())
            self.on_commit(lambda: self.publisher.enqueue(job, tenant))

    def publish(self, job, tenant):
        """Let clusters poll for the job.  The package has no such step."""
        self.queue.send(job, tenant)
        with self.atomic():
            if self.row(job, tenant).status == "PENDING":
                self.jobs.filter(name=job, published_at=None).update(published_at=self.now())

    def recover(self):
        """Publish old jobs that no step published.  The package needs none: every cluster polls."""
        old = self.now() - timedelta(seconds=self.lifecycle.recover_after_seconds)
        for job in self.jobs.filter(published_at=None, created_at__lte=old):
            if self.row(job.name, job.tenant).status == "PENDING":
                self.publish(job.name, job.tenant)

    def deliver(self, worker, queue):
        return Delivery(self, queue)

    def acquire(self, job, tenant, broker):
        """Run one round of the package's pusher.  Return the attempt, or None when there is nothing to do."""
        pushed, rounds = Feed(), Rounds()
        self.pusher(pushed, rounds, broker)
        if not rounds.ended:
            raise RuntimeError("the pusher failed to pull a task from its broker, and has ended")
        if not pushed:
            return None
        package = self.packages[job] = pushed.get()
        if self.row(job, tenant).status not in ENDS.values():
            self.locks[job].add(broker.lock)
        elif self.looks_first:
            broker.acknowledge(package["ack_id"])
            return None
        return len(self.locks[job])

    def finish(self, job, tenant, operation, payload, broker):
        """Run one round of the package's worker, then of its monitor.

        They return nothing to the worker, so the answer is read from the row: with the opposite outcome, this
        one was refused; with none, it could not be saved, which the package only logs.
        """
        results = Feed()
        self.inference.update({"ends": ENDS[operation], "with": payload})
        self.worker(Feed([dict(self.packages[job]), "STOP"]), results, self.timer, None)
        failed = not results[0]["success"] and results[0]["result"]
        self.monitor(Feed([*results, "STOP"]), broker)
        status = self.row(job, tenant).status
        if status == "RUNNING":
            raise RuntimeError(failed or "Could not save task result")
        return status == ENDS[operation]

    def mark_running(self, job, tenant):
        return self.acquire(job, tenant, self.broker(f"{tenant}.{job}"))

    def complete(self, job, tenant, attempt, result, operation=Operation.COMPLETE):
        """Finish in the name of a worker that got the job some time ago, outside of any delivery."""
        row, broker = self.row(job, tenant), self.broker(f"{tenant}.{job}")
        if row is None or row.status == "PENDING":
            return False
        if job not in self.packages:
            entry = self.entries.get(key=broker.list_key)
            self.packages[job] = {**entry.task, "ack_id": entry.pk}
        accepted = self.finish(job, tenant, operation, result, broker)
        broker.delete_acknowledged()
        return accepted

    def fail(self, job, tenant, attempt, error):
        return self.complete(job, tenant, attempt, error, Operation.FAIL)

    def row(self, job, tenant):
        return next((row for row in self.observe([job]) if row.tenant == tenant), None)

    def observe(self, jobs):
        rows = {f"{row.tenant}.{row.name}": row for row in self.jobs.filter(name__in=jobs)}
        locks = dict(self.entries.filter(key__in=rows).values_list("key", "lock"))
        tasks = self.tasks.in_bulk([row.task_id for row in rows.values()])
        return [self.seen(row, locks.get(key), tasks.get(row.task_id)) for key, row in rows.items()]

    def seen(self, row, lock, task):
        status, result = self.outcome(row, task)
        # The lock of an entry that is gone without an outcome is the one last seen.
        lock = lock or max(self.locks[row.name], default=None)
        if not status:
            waits = lock is not None and lock - row.created_at < timedelta(seconds=RETRY)
            status = "PENDING" if waits else "RUNNING"
        lease = by = None
        if status == "RUNNING" and lock is not None:
            self.locks[row.name].add(lock)
            lease, by = lock.replace(microsecond=lock.microsecond // 1000 * 1000), "some cluster"
        done, attempt = status == "DONE", len(self.locks[row.name])
        published, result = row.published_at, result if done else None
        return ObservedRow(row.name, row.tenant, status, attempt, by, lease, published, int(done), result)

    def outcome(self, row, task):
        return ("DONE" if task.success else "FAILED", task.result) if task else ("", "")

    def others(self, jobs):
        """Return the columns of all other rows that must not change, in both tables of the package."""
        mine = self.jobs.filter(name__in=jobs)
        tasks = self.tasks.exclude(id__in=mine.values("task_id")).order_by("started")
        entries = self.entries.exclude(key__in=[f"{row.tenant}.{row.name}" for row in mine])
        return [*tasks.values_list("success", "attempt_count"), *entries.values_list("key", "lock")]

    def reset(self, jobs):
        rows = self.jobs.filter(name__in=jobs)
        self.tasks.filter(id__in=[row.task_id for row in rows]).delete()
        self.entries.filter(key__in=[f"{row.tenant}.{row.name}" for row in rows]).delete()
        rows.delete()
        self.forget()


class Careful(Binding):
    """The task looks first whether it has ended, and returns its failures: at least once, idempotent."""

    task, options, looks_first = "jobs.tasks.infer_and_tell", {}, True

    def outcome(self, row, task):
        return task.result if task and task.success else ("", "")


class OwnOutcome(Careful):
    """The application stores the outcome itself; the ``Task`` row is only a log."""

    task = "jobs.tasks.infer_and_write"

    def outcome(self, row, task):
        return row.status, row.result


class Delivery:
    def __init__(self, binding, queue):
        self.binding, self.queue, self.next_step = binding, queue, "receive"

    def receive(self):
        self.message = self.queue.receive()
        self.next_step = "prepare" if self.message and self.message.job else None
        return self.message is not None

    def prepare(self):
        self.job = self.message.job, self.message.tenant
        self.broker = self.binding.broker("{1}.{0}".format(*self.job))
        attempt = self.binding.acquire(*self.job, self.broker)
        row = self.binding.row(*self.job)
        ended = row is not None and row.status in ENDS.values()
        self.next_step = "finish" if attempt else "acknowledge" if ended else None
        return attempt

    def finish(self, operation, payload):
        try:
            return self.binding.finish(*self.job, operation, payload, self.broker)
        finally:
            self.next_step = "acknowledge" if self.broker.acknowledged else None

    def acknowledge(self):
        self.broker.delete_acknowledged()
        self.queue.delete(self.message.receipt_handle)
        self.next_step = None


class Feed(list):
    """A list in place of the queue between the package's processes."""

    put = list.append

    def get(self):
        return self.pop(0)


class Rounds:
    """In place of the package's stop event: it ends a pusher after one round."""

    ended = False

    def is_set(self):
        self.ended = True
        return True
