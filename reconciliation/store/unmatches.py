"""Matches as they stand, the journals they made, and what two people undid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from reconciliation.store import Connection, Record


async def versions(connection: Connection, leg: str, file_no: int, line: int) -> list[Record]:
    """Read everything a line or entry was ever matched to, oldest first."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT m.version, m.outcome, m.rule, m.account, m.item, m.payment, m.expected_minor, m.variance_minor, m.score,
               u.id AS undone_by, u.reason AS undone_because, u.maker, u.checker
        FROM reconciliation.match m
        LEFT JOIN reconciliation.unmatch u ON u.leg = m.leg AND u.file_no = m.file_no AND u.line = m.line
          AND u.version = m.version AND u.decision = 'approved'
        WHERE m.leg = $1 AND m.file_no = $2 AND m.line = $3 ORDER BY m.version
        """,
        leg,
        file_no,
        line,
    )
    return rows


async def settlement_line(connection: Connection, file_no: int, line: int) -> Record | None:
    return await connection.fetchrow(
        """
        SELECT f.provider, f.name, f.currency, l.gross_minor AS amount_minor, l.kind,
               f.posted_through >= l.number AS posted, coalesce(l.provider_reference, l.reference, '') AS reference
        FROM reconciliation.settlement_file f
        JOIN reconciliation.settlement_line l ON l.file_no = f.file_no AND l.number = $2 WHERE f.file_no = $1
        """,
        file_no,
        line,
    )


async def statement_entry(connection: Connection, statement_no: int, number: int) -> Record | None:
    return await connection.fetchrow(
        """
        SELECT s.bank_account AS provider, s.file_name AS name, s.currency, e.amount_minor, '' AS kind,
               s.posted_through >= e.number AS posted, coalesce(e.batch_reference, e.end_to_end_id, '') AS reference
        FROM reconciliation.statement s
        JOIN reconciliation.statement_entry e ON e.statement_no = s.statement_no AND e.number = $2
        WHERE s.statement_no = $1
        """,
        statement_no,
        number,
    )


async def journal(connection: Connection, reference: str) -> list[Record]:
    """Read a journal's postings by its reference, in order."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT journal_id, account, currency, amount_minor, item, payment, provider, provider_reference, file, line
        FROM ledger.postings WHERE reference = $1 ORDER BY seq
        """,
        reference,
    )
    return rows


async def settled_together(connection: Connection, reference: str, file_no: int, line: int) -> list[Record]:
    """Read what one line cleared in the journal it shares with others, with the evidence of that line alone."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT p.journal_id, p.account, p.currency, p.amount_minor, p.item, m.payment, p.provider,
               l.provider_reference, p.file, l.number AS line
        FROM reconciliation.match m
        JOIN reconciliation.settlement_line l ON l.file_no = m.file_no AND l.number = m.line
        JOIN ledger.postings p ON p.reference = $1 AND p.account = m.account AND p.item = m.item
        WHERE m.leg = 'provider' AND m.file_no = $2 AND m.line = $3 AND m.version = 1
        """,
        reference,
        file_no,
        line,
    )
    return rows


async def resolving_break(connection: Connection, leg: str, file_no: int, line: int) -> str | None:
    """Return the latest break about a line that a match by hand resolved."""
    found: str | None = await connection.fetchval(
        """
        SELECT b.id FROM reconciliation.break b JOIN reconciliation.resolution r ON r.break_id = b.id
        WHERE b.leg = $1 AND b.file_no = $2 AND b.line = $3 AND r.action IN ('match_by_hand', 'exchange')
          AND r.decision = 'approved'
        ORDER BY r.checked_at DESC, r.id DESC LIMIT 1
        """,
        leg,
        file_no,
        line,
    )
    return found


async def insert(
    connection: Connection, unmatch_id: str, of: tuple[str, int, int, int], reason: str, maker: str, now: datetime
) -> None:
    """Store a proposal to undo one version of a match."""
    await connection.execute(
        """
        INSERT INTO reconciliation.unmatch (id, leg, file_no, line, version, reason, maker, made_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        unmatch_id,
        *of,
        reason,
        maker,
        now,
    )


async def read_locked(connection: Connection, unmatch_id: str) -> Record | None:
    return await connection.fetchrow(
        "SELECT id, leg, file_no, line, version, reason, maker, decision FROM reconciliation.unmatch"
        " WHERE id = $1 FOR UPDATE",
        unmatch_id,
    )


async def decide(
    connection: Connection, unmatch_id: str, checker: str, decision: str, now: datetime, journal_id: int | None
) -> None:
    await connection.execute(
        "UPDATE reconciliation.unmatch SET checker = $2, decision = $3, checked_at = $4, journal_id = $5 WHERE id = $1",
        unmatch_id,
        checker,
        decision,
        now,
        journal_id,
    )


async def waiting(connection: Connection) -> list[Record]:
    rows: list[Record] = await connection.fetch(
        "SELECT id, leg, file_no, line, reason, maker FROM reconciliation.unmatch WHERE decision IS NULL ORDER BY id"
    )
    return rows


async def payouts_paid(connection: Connection, line_ids: Sequence[str]) -> bool:
    """Say whether all of these payout lines are paid and none has come back since."""
    return not await connection.fetchval(
        "SELECT EXISTS (SELECT FROM reconciliation.payout_line WHERE id = ANY ($1::text[]) AND status <> 'paid')",
        list(line_ids),
    )


async def unprove_payouts(connection: Connection, line_ids: Sequence[str], now: datetime) -> None:
    """Let payout lines wait for the statement again: the debit that proved them was not theirs."""
    await connection.execute(
        """
        WITH line AS (
          UPDATE reconciliation.payout_line SET status = 'accepted', paid_on = NULL, moved_at = $2
          WHERE id = ANY ($1::text[]) AND status = 'paid' RETURNING batch_id
        )
        UPDATE reconciliation.payout_batch SET status = 'accepted', moved_at = $2
        WHERE id IN (SELECT batch_id FROM line) AND status = 'confirmed'
        """,
        list(line_ids),
        now,
    )


_UNDONE: Final = """
  SELECT m.file_no, m.line, m.account, m.item FROM reconciliation.unmatch u
  JOIN reconciliation.match m ON m.leg = u.leg AND m.file_no = u.file_no AND m.line = u.line AND m.version = u.version
  WHERE u.decision = 'approved' AND u.leg = $1"""


async def undone(connection: Connection, leg: str) -> set[tuple[int, int, str, str]]:
    """Return every pair that people took apart: it is never put together again by rule."""
    return {tuple(row) for row in await connection.fetch(_UNDONE, leg)}
