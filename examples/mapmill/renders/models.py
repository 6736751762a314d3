from django.db import models


class Customer(models.Model):
    slug = models.SlugField(primary_key=True)

    def __str__(self) -> str:
        return self.slug


class State(models.IntegerChoices):
    WAITING = 10
    POSTPONED = 15
    CLAIMED = 20
    RENDERED = 30
    UNRENDERABLE = 40


OVER = (State.RENDERED, State.UNRENDERABLE)


class MapOrder(models.Model):
    """A map that a customer has ordered.  ``claim_no`` is the number of the latest claim, 0 before any."""

    reference = models.CharField(max_length=40, primary_key=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT)
    region = models.CharField(max_length=80, blank=True)
    state = models.PositiveSmallIntegerField(choices=State.choices, default=State.WAITING)
    claim_no = models.PositiveIntegerField(default=0)
    claimed_by = models.CharField(max_length=80, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    ordered_at = models.DateTimeField()
    announced_at = models.DateTimeField(null=True, blank=True)
    remark = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.reference} ({self.get_state_display()})"


class Sheet(models.Model):
    """A file that was made for an order, by the claim with that number."""

    order = models.ForeignKey(MapOrder, on_delete=models.CASCADE, related_name="sheets")
    claim_no = models.PositiveIntegerField()
    path = models.CharField(max_length=200)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("order", "claim_no"), name="one_sheet_a_claim"),)

    def __str__(self) -> str:
        return self.path
