"""Mistakes that newcomers make, by name, each with the words that its sentence must hold, in this order."""

from __future__ import annotations

from tests.commands.check_binding import broken
from tests.commands.check_binding.broken import (
    Mistake,
    delivering,
    doing,
    observing,
    planted,
    showing,
    telling,
)

MISTAKES: dict[str, Mistake] = {
    # observe
    "observe returns nothing": Mistake(
        observing(lambda rows: None),
        (
            "after create(j1, t1), observe(['j1']) returned None",
            "return a list",
        ),
    ),
    "observe misses the job": Mistake(
        observing(lambda rows: []),
        (
            "create(j1, t1) left 1 row in ai_job",
            "observe(['j1']) does not show",
            "by the name",
        ),
    ),
    "observe gives tuples": Mistake(
        observing(lambda rows: [tuple(row) for row in rows]),
        (
            "observe(['j1']) returned ('j1',",
            "a tuple",
            "return ObservedRow(job, tenant",
        ),
    ),
    "observe gives a row twice": Mistake(
        observing(lambda rows: rows * 2),
        (
            "returned several rows for j1",
            "return one for each job",
        ),
    ),
    "a job by its primary key": Mistake(
        showing(job=1),
        (
            "returned a row of job 1",
            "by the names, as text",
        ),
    ),
    "a status of one letter": Mistake(
        showing(status="1"),
        (
            "shows j1 in status '1'",
            "the lifecycle has PENDING",
            "translate it in observe()",
        ),
    ),
    "attempt None": Mistake(
        showing(attempt=None),
        (
            "shows j1 with attempt None",
            "give a whole number, 0 before",
        ),
    ),
    "a time as text": Mistake(
        showing(lease_expires_at="2030-10-27"),
        (
            "with lease_expires_at '2030-10-27'",
            "give a datetime",
        ),
    ),
    "a model as the tenant": Mistake(
        showing(tenant=1),
        (
            "with tenant 1",
            "give the tenant's name as text",
        ),
    ),
    "results counted wrongly": Mistake(
        showing(results=0),
        (
            "after A.finish(COMPLETE) observe counts 0 results",
            "1 is expected (1 row in ai_result added)",
        ),
    ),
    "another result": Mistake(
        showing(result=lambda row: row.result and row.result.upper()),
        (
            "observe shows result 'COMPLETE@8'",
            "'complete@8' was given",
            "store that text",
        ),
    ),
    "no holder": Mistake(
        showing(locked_by=None),
        (
            "A.prepare() left j1 RUNNING with locked_by None",
            "can show any text",
        ),
    ),
    "local time": Mistake(
        showing(lease_expires_at=broken.seoul),
        (
            "a lease of 35940 s",
            "lease_seconds=3540",
            "9 h off",
        ),
    ),
    "the database's time": Mistake(
        showing(published_at=broken.real_time),
        (
            "publish(j1, t1) wrote published_at 20",
            "the real time",
            "2030-10-27 00:30 UTC",
            "timezone.now() at each call",
        ),
    ),
    "the time of the import": Mistake(
        planted("now_read_at_import"),
        (
            "B.prepare() left lease_expires_at 3540 at second 3600",
            "not at import",
        ),
    ),
    "always published": Mistake(
        showing(published_at=broken.unsent),
        (
            "create(j1, t1) left published_at 0",
            "leave it NULL until publish()",
        ),
    ),
    # create and publish
    "create raises": Mistake(
        doing(create=broken.create_in_missing_table),
        (
            "create(j1, t1) raised OperationalError: no such table: shop_order",
            "broken.py:",
            "INSTALLED_APPS",
            "makemigrations",
        ),
    ),
    "create in an open transaction": Mistake(
        doing(create=broken.create_in_open_transaction),
        (
            "create(j1, t1) returned inside an open transaction",
            "leave every atomic() block",
        ),
    ),
    "create inside of a transaction": Mistake(
        doing(create=broken.create_inside_of_a_transaction),
        (
            "create(j1, t1) raised RuntimeError: A durable",
            "open no transaction around",
        ),
    ),
    "create writes nothing": Mistake(
        doing(create=lambda *given: None),
        (
            "create(j1, t1) returned and no table has a new row",
            "commit it",
        ),
    ),
    "create under another name": Mistake(
        doing(create=broken.create_hidden),
        (
            "create(j1, t1) left 1 row in ai_job",
            "observe(['j1']) does not show",
        ),
    ),
    "no publisher": Mistake(
        doing(create=broken.create_without_publisher),
        (
            "never called publisher.enqueue(job, tenant)",
            "transaction.on_commit",
        ),
    ),
    "create sends": Mistake(
        doing(create=broken.create_and_send),
        (
            "create(j1, t1) sent the message itself",
            "send in publish()",
        ),
    ),
    "published before the commit": Mistake(
        planted("published_before_commit"),
        (
            "called publisher.enqueue before its row was committed",
            "transaction.on_commit",
        ),
    ),
    "an error of their own": Mistake(
        doing(create=broken.create_or_translate),
        (
            "create(j1, t1) for an id that exists raised ValueError: j1 exists",
            "raise django.db.IntegrityError",
        ),
    ),
    "get_or_create": Mistake(
        planted("create_again_resets_the_job"),
        (
            "create(j1, t1) for an id that exists returned",
            "unique=True",
            "get_or_create",
        ),
    ),
    "publish by another queue": Mistake(
        doing(publish=broken.publish_elsewhere),
        (
            "publish(j1, t1) sent nothing through the queue that open() was given",
            "boto3",
        ),
    ),
    "publish by primary key": Mistake(
        doing(publish=broken.publish_under_another_name),
        (
            "publish(j1, t1) sent a message of job '1'",
            "'j1'",
        ),
    ),
    "publish without a note": Mistake(
        doing(publish=broken.publish_without_note),
        (
            "observe shows published_at None",
            "a small table that the binding adds",
        ),
    ),
    # the delivery
    "no delivery at all": Mistake(
        doing(deliver=lambda *given: None), ("what deliver() returned, a NoneType, lacks next_step, receive",)
    ),
    "deliver raises": Mistake(
        doing(deliver=lambda *given: 1 // 0),
        (
            "deliver(A, queue) raised ZeroDivisionError",
            "mistakes.py:",
        ),
    ),
    "receive asks nobody": Mistake(
        delivering(receive=broken.receive_nothing),
        (
            "A.receive() did not ask the queue",
            "receive() of the queue that deliver() was given",
        ),
    ),
    "receive returns None": Mistake(
        telling("receive", lambda answer: None),
        (
            "A.receive() returned None although a message came",
            "return True",
        ),
    ),
    "prepare returns True": Mistake(
        telling("prepare", lambda answer: answer is not None),
        (
            "A.prepare() returned True",
            "return the attempt number",
        ),
    ),
    "prepare returns 1": Mistake(
        telling("prepare", lambda answer: answer and 1),
        (
            "B.prepare() returned 1 and the row has attempt 2",
            "return the number in the row",
        ),
    ),
    "prepare returns a model": Mistake(
        telling("prepare", lambda answer: object()),
        (
            "A.prepare() returned an instance of object",
            "return the attempt number",
        ),
    ),
    "prepare returns None": Mistake(
        telling("prepare", lambda answer: None),
        (
            "A.prepare() returned None, which is read as a refusal",
            "return the attempt number",
        ),
    ),
    "prepare raises": Mistake(
        delivering(prepare=lambda *given: {}["lease"]),
        (
            "A.prepare() raised KeyError: 'lease' at ",
            "mistakes.py:",
            "mend it",
        ),
    ),
    "finish returns None": Mistake(
        telling("finish", lambda answer: None),
        (
            "A.finish(COMPLETE) returned None, which is read as a refusal",
            "return True",
        ),
    ),
    "complete returns None": Mistake(
        doing(complete=lambda *given: broken.AIJobsBinding.complete(*given) and None),
        (
            "complete(j1, t1, 1) returned None",
            "return True",
        ),
    ),
    "a next step that there is not": Mistake(
        delivering(next_step=lambda delivery: "work"),
        (
            "says next_step 'work'",
            "None or one of receive",
        ),
    ),
    "a next step that is a method": Mistake(
        delivering(next_step=lambda delivery: delivery.acknowledge),
        (
            "has a method next_step",
            "@property",
        ),
    ),
    "a next step too early": Mistake(
        delivering(next_step=lambda it: "finish" if it.next_step == "prepare" else it.next_step),
        (
            "has next_step 'finish' where it must be 'prepare'",
            "after a receive()",
        ),
    ),
    "acknowledge deletes nothing": Mistake(
        delivering(acknowledge=broken.acknowledge_nothing),
        (
            "A.acknowledge() deleted nothing",
            "delete(message.receipt_handle)",
        ),
    ),
    "extend hides nothing": Mistake(
        delivering(extend=lambda delivery: None),
        (
            "A.extend() hid nothing",
            "change_visibility",
            "leave EXTEND out",
        ),
    ),
    # what the system does
    "a lease of another length": Mistake(
        broken.HALF,
        (
            "a lease of 3540 s",
            "lease_seconds=1800",
            "correct the lifecycle",
            "else the code",
        ),
    ),
    "local time in the system": Mistake(
        planted("lease_in_local_time"),
        (
            "a lease of 35940 s",
            "9 h off",
        ),
    ),
    "lock kept when done": Mistake(
        planted("locked_by_kept_when_done"),
        (
            "A.finish(COMPLETE) left locked_by 'ai-worker'",
            "set it to None",
        ),
    ),
    "no token": Mistake(
        planted("completion_without_token"),
        (
            "complete(j1, t1, 1) was carried out, with a token",
            "WHERE",
            "breaks only_the_holder_finishes",
        ),
    ),
    "no tenant": Mistake(
        planted("tenant_ignored_by_mark_running"),
        (
            "mark_running(j1, t2) was carried out although j1 is t1's",
            "its tenant",
        ),
    ),
    "a sweep without age": Mistake(
        planted("sweep_ignores_age"),
        (
            "the sweep sent j1",
            "at least 60 s",
            "breaks recovery_sends_only_unsent_jobs: yours or the system's",
        ),
    ),
    "a sweep that sends nothing": Mistake(
        doing(recover=lambda binding: None),
        (
            "the sweep passed over j1, which nobody has sent",
            "expected 1, got 0",
        ),
    ),
    "others counts its own": Mistake(
        doing(others=lambda self, jobs: broken.count_jobs()),
        (
            "others(['j1', 'j2']) is ",
            "leave out the rows of the jobs that it is given",
        ),
    ),
    "others sees nothing": Mistake(
        doing(others=lambda self, jobs: None),
        (
            "others(['j1']) is None whether j2 is there or not",
            "count the rows of all other jobs",
        ),
    ),
    "reset forgets results": Mistake(
        doing(reset=broken.reset_jobs_only),
        (
            "reset(['j1']) left 1 row in ai_result",
            "their results first",
        ),
    ),
    "reset deletes all": Mistake(
        doing(reset=broken.reset_everything),
        (
            "reset(['j1']) left no job of j1 and j2",
            "no other",
        ),
    ),
    "reset raises": Mistake(
        doing(reset=lambda *given: 1 // 0),
        (
            "reset(['j1']) raised ZeroDivisionError",
            "mistakes.py:",
        ),
    ),
    "open raises": Mistake(
        doing(open=lambda *given: 1 // 0),
        (
            "open(queue, publisher) raised ZeroDivisionError",
            "mistakes.py:",
        ),
    ),
}
