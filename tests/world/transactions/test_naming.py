# ruff: noqa: E501  a line for each statement
"""What a statement is called: as a DBA says it.  A replay finds the next statement by this name."""

from __future__ import annotations

import pytest

from statemachine.world.transactions.naming import name_of

NAMES = {
    # Django's own
    'SELECT "ai_job"."id", "ai_job"."job_id" FROM "ai_job" WHERE "ai_job"."job_id" = %s LIMIT 1': "SELECT ai_job",
    'SELECT "ai_job"."id" FROM "ai_job" ORDER BY "ai_job"."id" ASC LIMIT 1 FOR UPDATE': "SELECT ai_job FOR UPDATE",
    'SELECT "a"."id" FROM "a" INNER JOIN "b" ON ("a"."b_id" = "b"."id") FOR UPDATE OF "a"': "SELECT a FOR UPDATE",
    'SELECT "a"."id" FROM "a" FOR NO KEY UPDATE OF "a", "b" NOWAIT': "SELECT a FOR NO KEY UPDATE NOWAIT",
    'SELECT "a"."id" FROM "a" FOR UPDATE SKIP LOCKED': "SELECT a FOR UPDATE SKIP LOCKED",
    'SELECT 1 AS "a" FROM "ai_job" WHERE "ai_job"."job_id" = %s LIMIT 1': "SELECT ai_job",
    'INSERT INTO "ai_job" ("job_id") VALUES (%s) RETURNING "ai_job"."id"': "INSERT ai_job",
    'INSERT INTO "tenant" ("code") VALUES (%s), (%s) ON CONFLICT DO NOTHING': "INSERT tenant",
    'UPDATE "ai_job" SET "status" = %s WHERE "ai_job"."id" = %s': "UPDATE ai_job",
    'DELETE FROM "ai_job" WHERE "ai_job"."id" IN (%s)': "DELETE ai_job",
    'SAVEPOINT "s140_x1"': "SAVEPOINT",
    'RELEASE SAVEPOINT "s140_x1"': "RELEASE SAVEPOINT",
    'ROLLBACK TO SAVEPOINT "s140_x1"': "ROLLBACK TO SAVEPOINT",
    '(SELECT "a"."id" FROM "a") UNION (SELECT "b"."id" FROM "b")': "SELECT a",
    # raw SQL, as people write it
    "select id from ai_job where id = 1 for update": "SELECT ai_job FOR UPDATE",
    "  \n SELECT id\n   FROM ai_job\n  WHERE id = 1\n  FOR   SHARE ;\n": "SELECT ai_job FOR SHARE",
    "SELECT * FROM ai_job j FOR KEY SHARE OF j SKIP LOCKED": "SELECT ai_job FOR KEY SHARE SKIP LOCKED",
    "UPDATE ONLY ai_job SET status = 'DONE'": "UPDATE ai_job",
    "UPDATE ai_job AS j SET status = 'DONE' FROM tenant t WHERE j.tenant_id = t.code": "UPDATE ai_job",
    "DELETE FROM ONLY ai_job": "DELETE ai_job",
    "insert into ai_job default values": "INSERT ai_job",
    "SELECT 1": "SELECT 1",
    "TRUNCATE ai_job": "TRUNCATE ai_job",
    "LOCK TABLE ai_job IN EXCLUSIVE MODE": "LOCK ai_job",
    "MERGE INTO ai_job USING new ON true WHEN MATCHED THEN DO NOTHING": "MERGE ai_job",
    "SET LOCAL lock_timeout = '1s'": "SET LOCAL",
    # schemas, and names that need their quotes
    'SELECT "id" FROM "public"."ai_job" FOR UPDATE': "SELECT ai_job FOR UPDATE",
    "UPDATE public.ai_job SET status = 1": "UPDATE ai_job",
    'INSERT INTO "My Schema"."My Table" (a) VALUES (1)': "INSERT My Table",
    'SELECT "id" FROM "my-schema"."ai-job" FOR UPDATE NOWAIT': "SELECT ai-job FOR UPDATE NOWAIT",
    # what a common table expression is for is what follows it
    "WITH due AS (SELECT id FROM ai_job FOR UPDATE SKIP LOCKED) UPDATE ai_job SET status = 1 FROM due": "UPDATE ai_job",
    "WITH RECURSIVE t(n) AS (VALUES (1) UNION SELECT n + 1 FROM t) SELECT n FROM t": "SELECT t",
    "WITH a AS (SELECT ')' FROM x), b AS MATERIALIZED (SELECT 1 FROM y) INSERT INTO z SELECT * FROM a": "INSERT z",
    "WITH gone AS (DELETE FROM a RETURNING *) SELECT * FROM gone": "SELECT gone",
    # comments of whoever tags their SQL
    "/* request 17 */ UPDATE ai_job SET status = 1": "UPDATE ai_job",
    "-- from the sweep\nSELECT id FROM ai_job FOR UPDATE /* why */": "SELECT ai_job FOR UPDATE",
    # a subquery has a FROM, and perhaps a lock, of its own
    "SELECT (SELECT max(id) FROM b) FROM a FOR UPDATE": "SELECT a FOR UPDATE",
    "SELECT EXTRACT(epoch FROM locked_at) FROM ai_job": "SELECT ai_job",
    "SELECT id FROM ai_job WHERE id IN (SELECT id FROM b FOR UPDATE)": "SELECT ai_job",
    "UPDATE ai_job SET status = 1 WHERE id IN (SELECT id FROM ai_job FOR UPDATE SKIP LOCKED)": "UPDATE ai_job",
    "SELECT id FROM ai_job WHERE note = ' FROM tenant FOR UPDATE'": "SELECT ai_job",
    "SELECT * FROM (SELECT id FROM ai_job FOR UPDATE) AS inner_one": "SELECT ai_job FOR UPDATE",
}


@pytest.mark.parametrize("sql", NAMES, ids=range(len(NAMES)))
def test_a_statement_is_called_as_a_dba_calls_it(sql: str) -> None:
    assert name_of(sql) == NAMES[sql]


def test_every_name_is_of_one_line() -> None:
    assert [name for name in map(name_of, ["", ";", "\n\n", *NAMES]) if "\n" in name] == []
