"""The shipped schema is what the migrations make. After a change: `mizan schema > ops/schema.sql`."""

from ops.schema import dump_schema, shipped_schema


async def test_the_shipped_schema_equals_the_migrations(database_url):
    assert dump_schema(database_url) == shipped_schema()


async def test_the_service_may_not_touch_what_is_written(owner):
    """Privileges, read from the catalogue: append-only tables give the service no update, delete or truncate."""
    rows = await owner.fetch(
        """
        SELECT table_schema || '.' || table_name AS name, array_agg(privilege_type::text) AS privileges
          FROM information_schema.role_table_grants
         WHERE grantee = 'mizan_service' AND table_schema IN ('ledger', 'gateway', 'reconciliation')
         GROUP BY 1
        """
    )
    granted = {row["name"]: set(row["privileges"]) for row in rows}
    for table in (
        "ledger.journal",
        "ledger.posting",
        "ledger.account",
        "ledger.seal",
        "gateway.event",
        "gateway.intent_line",
    ):
        assert not granted.get(table, set()) & {"UPDATE", "DELETE", "TRUNCATE"}, table
    assert {name for name, privileges in granted.items() if "TRUNCATE" in privileges} == set()
