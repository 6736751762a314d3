"""What Django alone can say of a step: rows by table, an open transaction, the settings' time zone.

Django is imported inside each function: the command loads settings first.
"""

from __future__ import annotations

from collections.abc import Mapping


def row_counts() -> dict[str, int]:
    """Return the number of rows of each table, without Django's own record of migrations.

    A row that is changed, and neither added nor deleted, does not show here.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        counts = {}
        for table in tables:
            if table != "django_migrations":
                cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")
                counts[table] = int(cursor.fetchone()[0])
    return counts


def difference(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """Return how many rows each changed table gained, or lost (negative)."""
    return {
        table: after[table] - before.get(table, 0) for table in after if after[table] != before.get(table)
    }


def in_words(changed: Mapping[str, int]) -> str:
    """Return ``1 row in shop_order, 2 rows in shop_result``, without signs."""
    return ", ".join(
        f"{abs(count)} row{'' if abs(count) == 1 else 's'} in {table}" for table, count in changed.items()
    )


def in_transaction() -> bool:
    """Return whether a transaction is open on the connection."""
    from django.db import connection

    # get_autocommit() is False after set_autocommit(False), which opens a transaction without any atomic().
    return bool(connection.in_atomic_block or not connection.get_autocommit())


def hours_of_the_time_zone(day: object) -> float:
    """Return how many hours the settings' ``TIME_ZONE`` is ahead of UTC on ``day``, a datetime."""
    from django.utils import timezone

    offset = timezone.get_default_timezone().utcoffset(day)
    return offset.total_seconds() / 3600 if offset is not None else 0
