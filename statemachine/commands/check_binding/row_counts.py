"""How many rows each table of the run's own database holds: what a binding wrote, and what it left behind.

A row that is changed, and not added or deleted, does not show.
"""

from __future__ import annotations

from collections.abc import Mapping


def row_counts() -> dict[str, int]:
    """Rows by table, Django's own bookkeeping left out."""
    from django.db import connection

    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        counts = {}
        for table in tables:
            if table != "django_migrations":
                cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")
                counts[table] = int(cursor.fetchone()[0])
    return counts


def in_transaction() -> bool:
    """Whether the connection stands in a transaction that nobody has ended."""
    from django.db import connection

    return bool(connection.in_atomic_block or not connection.get_autocommit())


def hours_of_the_time_zone(day: object) -> float:
    """How far the settings' ``TIME_ZONE`` is ahead of UTC on ``day``, a datetime."""
    from django.utils import timezone

    offset = timezone.get_default_timezone().utcoffset(day)
    return offset.total_seconds() / 3600 if offset is not None else 0


def difference(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """By table: how many rows more than ``before``, or fewer (negative)."""
    return {
        table: after[table] - before.get(table, 0) for table in after if after[table] != before.get(table)
    }


def in_words(changed: Mapping[str, int]) -> str:
    """``1 row in shop_order, 2 rows in shop_result``, without signs."""
    return ", ".join(
        f"{abs(count)} row{'' if abs(count) == 1 else 's'} in {table}" for table, count in changed.items()
    )
