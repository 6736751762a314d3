"""Map Mill's own tests, as its authors wrote them."""

from datetime import timedelta

from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from renders import claims, orders, worker
from renders.models import Customer, MapOrder, Sheet, State


class MemoryQueue:
    def __init__(self):
        self.waiting, self.hidden = [], {}

    def put(self, reference, customer):
        self.waiting.append(worker.Message(f"handle of {reference}", reference, customer))

    def take(self):
        return self.waiting.pop(0) if self.waiting else None

    def hide(self, handle, seconds):
        self.hidden[handle] = seconds

    def drop(self, handle):
        self.hidden.pop(handle, None)


class ClaimTests(TestCase):
    def setUp(self):
        Customer.objects.create(slug="alpine-club")
        orders.place("A-1", "alpine-club", lambda reference, customer: None)
        self.claim = claims.claim("A-1", "alpine-club", "render-1")

    def run_out(self):
        MapOrder.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))

    def test_an_order_is_claimed_once(self):
        self.assertEqual(self.claim.number, 1)
        self.assertIsNone(claims.claim("A-1", "alpine-club", "render-2"))

    def test_a_heartbeat_keeps_the_claim(self):
        before = MapOrder.objects.get().claimed_until
        self.assertTrue(claims.heartbeat(self.claim))
        self.assertGreater(MapOrder.objects.get().claimed_until, before)

    def test_a_claim_that_has_run_out_can_be_claimed_by_others(self):
        self.run_out()
        self.assertEqual(claims.claim("A-1", "alpine-club", "render-2").number, 2)
        self.assertFalse(claims.heartbeat(self.claim))
        self.assertFalse(claims.finish(self.claim, State.RENDERED, "a.pdf"))
        self.assertEqual(Sheet.objects.count(), 0)

    def test_finishing_twice_makes_one_sheet(self):
        for _ in range(2):
            self.assertTrue(claims.finish(self.claim, State.RENDERED, "a.pdf"))
        self.assertEqual(Sheet.objects.get().path, "a.pdf")


class WorkerTests(TransactionTestCase):
    def setUp(self):
        Customer.objects.create(slug="ministry")
        self.queue = MemoryQueue()
        orders.place("M-1", "ministry", lambda *names: orders.send(*names, self.queue))

    def work(self, state):
        def render(claim, beat):
            self.assertTrue(beat())
            return state, "m.pdf"

        self.assertTrue(worker.work_once(self.queue, "render-1", render))
        return MapOrder.objects.get().state

    def test_an_order_is_rendered_and_its_message_dropped(self):
        self.assertEqual(self.work(State.RENDERED), State.RENDERED)
        self.assertEqual(self.queue.hidden, {})
        self.assertFalse(worker.work_once(self.queue, "render-1", None))

    def test_a_postponed_order_keeps_its_message(self):
        self.assertEqual(self.work(State.POSTPONED), State.POSTPONED)
        self.assertEqual(self.queue.hidden, {"handle of M-1": worker.HIDDEN_SECONDS})

    def test_forgotten_orders_are_sent(self):
        hour_ago = timezone.now() - timedelta(hours=1)
        MapOrder.objects.update(announced_at=None, ordered_at=hour_ago)
        orders.send_forgotten(self.queue)
        self.assertEqual(len(self.queue.waiting), 2)
        self.assertIsNotNone(MapOrder.objects.get().announced_at)
