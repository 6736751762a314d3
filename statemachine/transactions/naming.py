"""What a DBA would call a SQL statement: its verb, its table, and whether it locks.

The name is for people and for replays, which find the next statement by it.  It does not tell two statements
apart that differ in their columns or their conditions only.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TABLE = r'(?:ONLY\s+)?(?:"?\w+"?\.)?"?(\w+)"?'
_FORMS = (
    (re.compile(rf"SELECT\b.*?\bFROM\s+{_TABLE}", re.I | re.S), "SELECT"),
    (re.compile(rf"INSERT\s+INTO\s+{_TABLE}", re.I), "INSERT"),
    (re.compile(rf"UPDATE\s+{_TABLE}", re.I), "UPDATE"),
    (re.compile(rf"DELETE\s+FROM\s+{_TABLE}", re.I), "DELETE"),
)
_LOCK = re.compile(
    r"\b(FOR\s+(?:NO\s+KEY\s+UPDATE|UPDATE|KEY\s+SHARE|SHARE))\b(?:\s+OF\s+[\w\",\s.]+?)?(\s+NOWAIT|\s+SKIP\s+LOCKED)?\Z",
    re.I,
)
_CONTROL = re.compile(r"(SAVEPOINT|RELEASE(?:\s+SAVEPOINT)?|ROLLBACK\s+TO(?:\s+SAVEPOINT)?)\b", re.I)


@lru_cache(maxsize=1000)
def name_of(sql: str) -> str:
    """The name of one statement.

    >>> name_of('SELECT "ai_job"."id" FROM "ai_job" WHERE ("ai_job"."job_id" = %s) LIMIT 1 FOR UPDATE')
    'SELECT ai_job FOR UPDATE'
    >>> name_of('INSERT INTO "ai_result" ("job_id") VALUES (%s) RETURNING "ai_result"."id"')
    'INSERT ai_result'
    >>> name_of('RELEASE SAVEPOINT "s1_x2"')
    'RELEASE SAVEPOINT'
    """
    text = sql.strip().lstrip("(").rstrip("; \n\t")
    control = _CONTROL.match(text)
    if control:
        return " ".join(control[1].upper().split())
    for form, verb in _FORMS:
        found = form.match(text)
        if found:
            return f"{verb} {found[1]}{_lock_of(text) if verb == 'SELECT' else ''}"
    return " ".join(text.split()[:2]).upper()


def _lock_of(select: str) -> str:
    found = _LOCK.search(select)
    return "".join(f" {' '.join(part.upper().split())}" for part in found.groups() if part) if found else ""
