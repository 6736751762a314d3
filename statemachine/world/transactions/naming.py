"""Names of SQL statements as a DBA would say them: the verb, the table, and the lock.

Histories, reports and replays use them: a replay finds the next statement by its name, so the name must not
depend on parameters, aliases or the order of columns.  Statements that differ only in their columns or
conditions have the same name.  A write inside a function that a SELECT calls has no name of its own.

It is no parser.  Texts and comments are removed, then everything in parentheses, so that the few words that
are left at the outermost level say what the statement is; only where a table itself is a subquery, or the
whole statement stands in parentheses, is the inner text read again.
"""

from __future__ import annotations

import re
from functools import lru_cache

_HIDDEN = re.compile(r"/\*.*?\*/|--[^\n]*|'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", re.S)
"""Comments and string literals (also between dollars), in which words mean nothing."""
_PARTS = re.compile(r'"(?:[^"]|"")*"|[()]|[^"()]+')
"""A quoted name, in which a parenthesis is a letter; a parenthesis; or what stands between those."""

_WORD = r'(?:"(?:[^"]|"")*"|[^\s,;()".]+)'
_TABLE = rf"(?:ONLY\s+)?(?:{_WORD}\s*\.\s*)*({_WORD})"
_FORMS = (
    (re.compile(rf"SELECT\b.*?\bFROM\s+{_TABLE}", re.I | re.S), "SELECT"),
    (re.compile(rf"INSERT\s+INTO\s+{_TABLE}", re.I), "INSERT"),
    (re.compile(rf"UPDATE\s+{_TABLE}", re.I), "UPDATE"),
    (re.compile(rf"DELETE\s+FROM\s+{_TABLE}", re.I), "DELETE"),
    (re.compile(rf"MERGE\s+INTO\s+{_TABLE}", re.I), "MERGE"),
    (re.compile(rf"TRUNCATE\s+(?:TABLE\s+)?{_TABLE}", re.I), "TRUNCATE"),
    (re.compile(rf"LOCK\s+(?:TABLE\s+)?{_TABLE}", re.I), "LOCK"),
)
_WRITES = ("INSERT ", "UPDATE ", "DELETE ", "MERGE ", "TRUNCATE ", "WITH ")
# A write may also be a CTE (WITH ... AS (UPDATE ...) SELECT ...): better one look too many than a commit
# unseen.
_CALLED = re.compile(r'("(?:[^"]|"")+"|[A-Za-z_]\w*)\s*\(')
_NO_FUNCTION = re.compile(
    "select|from|where|and|or|not|in|exists|any|all|some|on|as|with|by|having|when|then|else|between|like|"
    "limit|offset|values|over|count|sum|min|max|avg|coalesce|nullif|greatest|least|cast|lower|upper|length",
    re.I,
)
"""What stands before a parenthesis and cannot write: words of SQL, and functions that Django often uses."""
_SUBQUERY = re.compile(r"SELECT\b.*?\bFROM\s+\(", re.I | re.S)
_COMMON = re.compile(
    rf"WITH\s+(?:RECURSIVE\s+)?(?:,?\s*{_WORD}\s*(?:\(\)\s*)?AS\s+(?:(?:NOT\s+)?MATERIALIZED\s+)?\(\)\s*)+",
    re.I,
)
_LOCK = re.compile(
    r"\b(FOR\s+(?:NO\s+KEY\s+UPDATE|UPDATE|KEY\s+SHARE|SHARE))\b"
    rf"(?:\s+OF\s+{_WORD}(?:\s*[.,]\s*{_WORD})*?)?(\s+NOWAIT|\s+SKIP\s+LOCKED)?\s*\Z",
    re.I,
)
_CONTROL = re.compile(r"(SAVEPOINT|RELEASE(?:\s+SAVEPOINT)?|ROLLBACK\s+TO(?:\s+SAVEPOINT)?)\b", re.I)


@lru_cache(maxsize=1000)
def name_of(sql: str) -> str:
    """Return the name of one statement.

    >>> name_of('SELECT "ai_job"."id" FROM "ai_job" WHERE ("ai_job"."job_id" = %s) LIMIT 1 FOR UPDATE')
    'SELECT ai_job FOR UPDATE'
    >>> name_of('WITH due AS (SELECT id FROM ai_job) UPDATE "public"."ai_job" SET status = 1 FROM due')
    'UPDATE ai_job'
    >>> name_of('RELEASE SAVEPOINT "s1_x2"')
    'RELEASE SAVEPOINT'
    """
    control = _CONTROL.match(sql)
    if control:
        return " ".join(control[1].upper().split())
    return _name_of(_plain(sql))


@lru_cache(maxsize=1000)
def may_write(sql: str) -> bool:
    """Return whether a statement may change rows.

    >>> may_write("/* by the sweep */ UPDATE ai_job SET status = 1"), may_write("SELECT 1")
    (True, False)
    """
    return f"{_plain(sql)} ".lstrip("(").upper().startswith(_WRITES)


@lru_cache(maxsize=1000)
def calls_function(sql: str) -> bool:
    """Return whether a statement calls a function, which may write.

    >>> calls_function("SELECT claim_job(%s)"), calls_function("SELECT COUNT(*) FROM ai_job WHERE id IN (1)")
    (True, False)
    """
    return not all(map(_NO_FUNCTION.fullmatch, _CALLED.findall(_plain(sql))))


def _plain(sql: str) -> str:
    return " ".join(_HIDDEN.sub(" ", sql).split()).rstrip("; ")


def _name_of(text: str) -> str:
    outer, inner = _parts_of(text)
    if outer.startswith("()"):
        return _name_of(inner[0].strip())
    common = _COMMON.match(outer)
    if common:
        # The statement follows its CTEs; skip as many inner texts as they had parentheses.
        passed = common[0].count("(")
        outer, inner = outer[common.end() :], inner[passed:]
    for form, verb in _FORMS:
        found = form.match(outer)
        if found:
            table = found[1].strip('"').replace('""', '"')
            return f"{verb} {table}{_lock_of(outer) if verb == 'SELECT' else ''}"
    within = _SUBQUERY.match(outer)
    if within:
        return _name_of(inner[within[0].count("(") - 1].strip())
    return " ".join(outer.split()[:2]).upper()


def _parts_of(text: str) -> tuple[str, list[str]]:
    """Return ``text`` with its outermost parentheses empty, and what stood in each of them.

    >>> _parts_of("a (b (c)) d (e)")
    ('a () d ()', ['b (c)', 'e', ''])
    """
    outer, inner, depth = "", [""], 0
    for part in _PARTS.findall(text):
        depth -= part == ")"
        if depth > 0:
            inner[-1] += part
        else:
            outer += part
            inner += [""] if part == ")" else []
        depth += part == "("
    return outer, inner


def _lock_of(select: str) -> str:
    found = _LOCK.search(select)
    return "".join(f" {' '.join(part.upper().split())}" for part in found.groups() if part) if found else ""
