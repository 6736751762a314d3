"""Binds Map Mill to the verifier: its lifecycle, and the function that each operation is here."""

from functools import partialmethod
from types import SimpleNamespace

from django.db.models import Count, Min

from statemachine.binding import ObservedRow
from statemachine.lifecycle import Lifecycle, Operation

HOST = "render-1"  # all workers are processes of one host, as in production
STATES = {"pending": "WAITING", "retrying": "POSTPONED", "running": "CLAIMED"}
ENDS = {"done": "RENDERED", "failed": "UNRENDERABLE"}
TIMES = {"lease_seconds": 90, "visibility_seconds": 120, "recover_after_seconds": 30}
OFFERS = frozenset({Operation.RENEW, Operation.RELEASE, Operation.RECOVER})
STEPS = {"take": "receive", "begin": "prepare", "end": "finish", "drop": "acknowledge"}
COLUMNS = ("reference", "customer", "state", "claim_no", "claimed_by", "claimed_until", "announced_at")


class Binding:
    settings_module = "mapmill.settings"
    lifecycle = Lifecycle(**STATES, **ENDS, **TIMES, max_receives=5, offers=OFFERS)
    tenants = ("alpine-club", "ministry")
    waived, defects = {}, {}

    def plant(self, defect):
        """Plant nothing: ``defects`` is empty."""

    def open(self, queue, publisher):
        from renders import claims, models, orders, worker

        self.claims, self.models, self.orders, self.worker = claims, models, orders, worker
        self.queue, self.announce = self.queue_at(queue), publisher.enqueue
        for slug in self.tenants:
            models.Customer.objects.get_or_create(slug=slug)

    def queue_at(self, port):
        def take():
            return (message := port.receive()) and self.worker.Message(*message)

        return SimpleNamespace(put=port.send, take=take, hide=port.change_visibility, drop=port.delete)

    def create(self, job, tenant):
        self.orders.place(job, tenant, self.announce)

    def publish(self, job, tenant):
        self.orders.send(job, tenant, self.queue)

    def recover(self):
        self.orders.send_forgotten(self.queue)

    def mark_running(self, job, tenant):
        claim = self.claims.claim(job, tenant, HOST)
        return claim and claim.number

    def finish(self, operation, job, tenant, attempt, detail):
        claim = self.claims.Claim(job, tenant, attempt)
        return self.claims.finish(claim, self.state_after(operation), detail)

    complete = partialmethod(finish, Operation.COMPLETE)
    fail = partialmethod(finish, Operation.FAIL)
    release = partialmethod(finish, Operation.RELEASE)

    def renew(self, job, tenant, attempt):
        return self.claims.heartbeat(self.claims.Claim(job, tenant, attempt))

    def state_after(self, operation):
        return self.models.State[self.lifecycle.finished_status(operation)]

    def observe(self, jobs):
        orders = self.models.MapOrder.objects.filter(reference__in=jobs)
        for *names, state, number, host, until, announced, sheets, path in orders.values_list(
            *COLUMNS, Count("sheets"), Min("sheets__path")
        ):
            status = self.models.State(state).name
            yield ObservedRow(*names, status, number, host or None, until, announced, sheets, path)

    def reset(self, jobs):
        self.models.MapOrder.objects.filter(reference__in=jobs).delete()

    def deliver(self, worker, queue):
        return Delivery(self, self.worker.Shift(self.queue_at(queue), HOST))


class Delivery:
    """One ``Shift`` of the worker, driven a step at a time."""

    def __init__(self, binding, shift):
        self.binding, self.worker, self.shift = binding, binding.worker, shift

    @property
    def next_step(self):
        return STEPS.get(self.shift.todo)

    def receive(self):
        return self.worker.take(self.shift)

    def prepare(self):
        claim = self.worker.begin(self.shift)
        return claim and claim.number

    def finish(self, operation, detail):
        return self.worker.end(self.shift, self.binding.state_after(operation), detail)

    def renew(self):
        return self.worker.beat(self.shift)

    def acknowledge(self):
        self.worker.drop(self.shift)
