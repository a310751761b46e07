"""What stands in the way of closing a day, and the closes themselves."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from ledger.decisions import first_business_date
from reconciliation.store import Connection, Record


async def first_date(connection: Connection) -> date | None:
    """Return the day of the first journal, statement or settlement file: where nights and closing begin.

    What a night was once run for does not count: a mistyped date would have to be closed before every other.
    """
    begun = await first_business_date(connection)
    found: date | None = await connection.fetchval(
        """
        SELECT least($1::date,
                     (SELECT min(book_date) FROM reconciliation.settlement_file WHERE status = 'accepted'),
                     (SELECT min(book_date) FROM reconciliation.statement WHERE status = 'accepted'))
        """,
        begun,
    )
    return found


async def files_not_booked(connection: Connection, business_date: date) -> list[Record]:
    """Read the accepted files and statements of the day, or of days before, that are not wholly in the books."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT name FROM reconciliation.settlement_file
        WHERE status = 'accepted' AND book_date <= $1 AND (posted_through < last_line OR NOT fees_charged)
        UNION ALL
        SELECT file_name FROM reconciliation.statement
        WHERE status = 'accepted' AND book_date <= $1 AND posted_through < greatest(entry_count, 1)
        ORDER BY 1
        """,
        business_date,
    )
    return rows


async def waived(connection: Connection, source: str, days: list[date]) -> set[date]:
    """Return the dates of which two people accepted that a source's file never comes."""
    rows = await connection.fetch(
        """
        SELECT business_date FROM reconciliation.break
        WHERE type = 'file_missing' AND provider = $1 AND business_date = ANY ($2::date[]) AND status = 'resolved'
        """,
        source,
        days,
    )
    return {row["business_date"] for row in rows}


async def has_statement(connection: Connection, bank_account: str, business_date: date) -> bool:
    found: bool = await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM reconciliation.statement WHERE bank_account = $1 AND status = 'accepted'
                         AND $2 BETWEEN opened_on AND closed_on)
        """,
        bank_account,
        business_date,
    )
    return found


async def unexplained(connection: Connection, business_date: date) -> list[Record]:
    """Read the standing breaks of the day and before that nobody has taken on with a reason."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT b.id, b.type, b.currency, b.amount_minor FROM reconciliation.break b
        WHERE b.closed_at IS NULL AND b.business_date <= $1
          AND NOT EXISTS (SELECT FROM reconciliation.break_explanation e WHERE e.break_id = b.id)
        ORDER BY b.id
        """,
        business_date,
    )
    return rows


_CLOSES: Final = """
  SELECT c.id, c.business_date, c.note, c.maker, c.made_at, c.checker, c.checked_at, c.decision, c.seal_number,
         c.certificate
  FROM reconciliation.day_close c WHERE """
_OF_DATE: Final = _CLOSES + "c.business_date = $1 ORDER BY c.made_at, c.id"
_ONE: Final = _CLOSES + "c.id = $1 FOR UPDATE"
_WAITING: Final = _CLOSES + "c.decision IS NULL ORDER BY c.business_date, c.id"
_STANDS: Final = _CLOSES + "c.business_date = $1 AND c.decision = 'approved' AND c.checked_at <= $2"


async def of_date(connection: Connection, business_date: date) -> list[Record]:
    rows: list[Record] = await connection.fetch(_OF_DATE, business_date)
    return rows


async def waiting(connection: Connection) -> list[Record]:
    rows: list[Record] = await connection.fetch(_WAITING)
    return rows


async def read_locked(connection: Connection, close_id: str) -> Record | None:
    return await connection.fetchrow(_ONE, close_id)


async def closed(connection: Connection, business_date: date, known: datetime) -> Record | None:
    """Read a date's close as it was known at an instant; `None` when it was not closed by then."""
    return await connection.fetchrow(_STANDS, business_date, known)


async def insert(
    connection: Connection, close_id: str, business_date: date, note: str, maker: str, now: datetime
) -> None:
    await connection.execute(
        "INSERT INTO reconciliation.day_close (id, business_date, note, maker, made_at) VALUES ($1, $2, $3, $4, $5)",
        close_id,
        business_date,
        note,
        maker,
        now,
    )


async def refuse(connection: Connection, close_id: str, checker: str, now: datetime) -> None:
    await connection.execute(
        "UPDATE reconciliation.day_close SET decision = 'refused', checker = $2, checked_at = $3 WHERE id = $1",
        close_id,
        checker,
        now,
    )


async def approve(
    connection: Connection, close_id: str, checker: str, now: datetime, seal_number: int, certificate: str
) -> None:
    await connection.execute(
        """
        UPDATE reconciliation.day_close
        SET decision = 'approved', checker = $2, checked_at = $3, seal_number = $4, certificate = $5 WHERE id = $1
        """,
        close_id,
        checker,
        now,
        seal_number,
        certificate,
    )


async def explain(connection: Connection, break_id: str, owner: str, reason: str, actor: str, now: datetime) -> None:
    """Add who has a break now and why it stands; the caller holds the break's row."""
    await connection.execute(
        """
        INSERT INTO reconciliation.break_explanation (break_id, sequence, at, owner, reason, actor)
        SELECT $1, count(*) + 1, $2, $3, $4, $5 FROM reconciliation.break_explanation WHERE break_id = $1
        """,
        break_id,
        now,
        owner,
        reason,
        actor,
    )
