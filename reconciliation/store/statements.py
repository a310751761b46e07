"""Bank statements and their entries, as they came, and what proves one after the other."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from adapters.contract import Statement
from reconciliation.bank_matching import Expected, ForeignBatch, OpenBatch, OpenPayout
from reconciliation.breaks import Action
from reconciliation.postings import Booking
from reconciliation.store import Connection, Record


async def known(connection: Connection, bank_account: str, sha256: str) -> bool:
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM reconciliation.statement WHERE bank_account = $1 AND sha256 = $2)",
        bank_account,
        sha256,
    )
    return found


async def identifier_is_used(connection: Connection, bank_account: str, identifier: str) -> bool:
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM reconciliation.statement"
        " WHERE bank_account = $1 AND identifier = $2 AND status <> 'refused')",
        bank_account,
        identifier,
    )
    return found


async def insert(
    connection: Connection, statement: Statement, *, bank_account: str, reason: str, refused: bool, booking: Booking,
    now: datetime,
) -> int:  # fmt: skip
    """Store a statement: refused with its reason, or waiting to be proven against its predecessor."""
    number: int = await connection.fetchval(
        """
        INSERT INTO reconciliation.statement (statement_no, bank_account, account_iban, identifier, sequence, currency,
          opened_on, closed_on, opening_minor, closing_minor, entry_count, file_name, sha256, status, reason,
          imported_at, book_date, effective_at)
        SELECT coalesce(max(statement_no), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
               $16, $17
        FROM reconciliation.statement
        RETURNING statement_no
        """,
        bank_account,
        statement.account_iban,
        statement.identifier,
        statement.sequence,
        statement.currency,
        statement.opened_on,
        statement.closed_on,
        statement.opening.amount_minor,
        statement.closing.amount_minor,
        len(statement.entries),
        statement.file_name,
        statement.sha256,
        "refused" if refused else "quarantined",
        reason,
        now,
        booking.business_date,
        booking.effective_at,
    )
    return number


async def insert_entries(connection: Connection, statement_no: int, statement: Statement) -> None:
    """Copy the entries, numbered from 1 in their order, so that a number names one entry whatever the bank wrote."""
    await connection.copy_records_to_table(
        "statement_entry",
        schema_name="reconciliation",
        columns=(
            "statement_no", "number", "amount_minor", "booked_on", "value_on", "bank_reference", "end_to_end_id",
            "batch_reference", "remittance", "counterparty", "counterparty_iban", "code", "returned",
        ),
        records=(
            (
                statement_no, number, entry.amount.amount_minor, entry.booked_on, entry.value_on, entry.bank_reference,
                entry.end_to_end_id, entry.batch_reference, entry.remittance, entry.counterparty,
                entry.counterparty_iban, entry.code, entry.returned,
            )
            for number, entry in enumerate(statement.entries, start=1)
        ),
    )  # fmt: skip
    await connection.copy_records_to_table(
        "entry_reference",
        schema_name="reconciliation",
        columns=("statement_no", "number", "reference"),
        records=(
            (statement_no, number, reference)
            for number, entry in enumerate(statement.entries, start=1)
            for reference in dict.fromkeys(entry.references)
            if reference != statement.account_iban
        ),
    )


async def waiting(connection: Connection, bank_account: str) -> list[Record]:
    """Read what waits in quarantine, in the order in which it must be proven, and whether two people take it."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT statement_no, identifier, sequence, opened_on, closed_on, opening_minor, closing_minor, currency,
               file_name, reason,
               EXISTS (SELECT FROM reconciliation.break b
                       JOIN reconciliation.resolution r ON r.break_id = b.id AND r.action = $2
                        AND r.decision = 'approved'
                       WHERE b.type = 'file_sequence' AND b.leg = 'bank' AND b.file_no = statement_no) AS taken
        FROM reconciliation.statement WHERE bank_account = $1 AND status = 'quarantined'
        ORDER BY closed_on, sequence NULLS LAST, statement_no
        """,
        bank_account,
        Action.TAKE_STATEMENT,
    )
    return rows


async def follows_last(connection: Connection, statement_no: int) -> bool:
    """Say whether a waiting statement opens where the last accepted one of its account closed."""
    row = await connection.fetchrow(
        "SELECT bank_account, opening_minor FROM reconciliation.statement"
        " WHERE statement_no = $1 AND status = 'quarantined'",
        statement_no,
    )
    last = row and await last_accepted(connection, row["bank_account"])
    return bool(row and last and last["closing_minor"] == row["opening_minor"])


async def last_accepted(connection: Connection, bank_account: str) -> Record | None:
    """Read the statement accepted last, whatever date it says it closes on: the next one opens where it closed."""
    return await connection.fetchrow(
        """
        SELECT statement_no, sequence, closed_on, closing_minor, posted_through, entry_count
        FROM reconciliation.statement WHERE bank_account = $1 AND status = 'accepted'
        ORDER BY accepted_as DESC LIMIT 1
        """,
        bank_account,
    )


async def set_reason(connection: Connection, statement_no: int, reason: str) -> None:
    await connection.execute(
        "UPDATE reconciliation.statement SET reason = $2 WHERE statement_no = $1", statement_no, reason
    )


async def accept(connection: Connection, statement_no: int, booking: Booking, now: datetime) -> None:
    """Accept a proven statement as the next of its account; its postings belong to the day on which it was proven."""
    await connection.execute(
        """
        UPDATE reconciliation.statement s
        SET status = 'accepted', reason = NULL, accepted_at = $2, book_date = $3, effective_at = $4, late_for = $5,
            accepted_as = (SELECT coalesce(max(o.accepted_as), 0) + 1 FROM reconciliation.statement o
                           WHERE o.bank_account = s.bank_account)
        WHERE statement_no = $1
        """,
        statement_no,
        now,
        booking.business_date,
        booking.effective_at,
        booking.late_for,
    )


async def dates_to_fetch(
    connection: Connection, bank_account: str, business_date: date, look_back_days: int
) -> list[date]:
    """Return the night's date and the days before it that no accepted statement covers."""
    rows = await connection.fetch(
        """
        SELECT d::date AS day FROM generate_series($2::timestamp, $3::timestamp, interval '1 day') d
        WHERE NOT EXISTS (SELECT FROM reconciliation.statement s WHERE s.bank_account = $1 AND s.status = 'accepted'
                            AND d::date BETWEEN s.opened_on AND s.closed_on)
        UNION SELECT $3::date
        UNION SELECT b.business_date FROM reconciliation.break b
              WHERE b.type IN ('file_missing', 'file_refused') AND b.leg = 'bank' AND b.provider = $1
                AND b.closed_at IS NULL AND b.business_date <= $3::date
        ORDER BY day
        """,
        bank_account,
        business_date - timedelta(days=look_back_days),
        business_date,
    )
    return [row["day"] for row in rows]


async def unposted(connection: Connection, bank_account: str) -> list[Record]:
    """Read the accepted statements that are not wholly in the books, in their order."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT statement_no, identifier, currency, opening_minor, closing_minor, entry_count, book_date, effective_at,
               late_for, posted_through, file_name
        FROM reconciliation.statement
        WHERE bank_account = $1 AND status = 'accepted' AND posted_through < greatest(entry_count, 1)
        ORDER BY accepted_as
        """,
        bank_account,
    )
    return rows


async def is_first(connection: Connection, statement_no: int) -> bool:
    """Say whether no statement of the same account is in the books before this one."""
    found: bool = await connection.fetchval(
        """
        SELECT NOT EXISTS (SELECT FROM reconciliation.statement other JOIN reconciliation.statement this
                             ON this.statement_no = $1 AND other.bank_account = this.bank_account
                           WHERE other.statement_no <> $1 AND other.status = 'accepted' AND other.posted_through > 0)
        """,
        statement_no,
    )
    return found


async def posted_through(connection: Connection, statement_no: int) -> int:
    through: int = await connection.fetchval(
        "SELECT posted_through FROM reconciliation.statement WHERE statement_no = $1 FOR UPDATE", statement_no
    )
    return through


async def move_posted_through(connection: Connection, statement_no: int, number: int) -> None:
    await connection.execute(
        "UPDATE reconciliation.statement SET posted_through = $2 WHERE statement_no = $1", statement_no, number
    )


async def entries_to_post(connection: Connection, statement_no: int, after: int, limit: int) -> list[Record]:
    rows: list[Record] = await connection.fetch(
        """
        SELECT number, amount_minor, booked_on, end_to_end_id, batch_reference, remittance, returned,
               ARRAY(SELECT r.reference FROM reconciliation.entry_reference r
                     WHERE r.statement_no = e.statement_no AND r.number = e.number ORDER BY 1) AS references
        FROM reconciliation.statement_entry e WHERE statement_no = $1 AND number > $2 ORDER BY number LIMIT $3
        """,
        statement_no,
        after,
        limit,
    )
    return rows


async def unidentified_credits(connection: Connection, since: date, after: tuple[int, int], limit: int) -> list[Record]:
    """Read credits still in suspense after one of them, to be looked at again now that more files have come."""
    rows: list[Record] = await connection.fetch(
        """
        WITH standing AS MATERIALIZED (
          SELECT file_no, line, account, currency, item FROM reconciliation.break
          WHERE type IN ('unknown_bank_credit', 'transfer_waiting') AND closed_at IS NULL AND business_date >= $1
            AND leg = 'bank' AND (file_no, line) > ($2, $3)
        )
        SELECT s.statement_no, s.identifier, s.bank_account, s.currency, e.number, e.amount_minor, e.end_to_end_id,
               e.batch_reference, e.remittance, e.returned, m.version,
               ARRAY(SELECT r.reference FROM reconciliation.entry_reference r
                     WHERE r.statement_no = e.statement_no AND r.number = e.number ORDER BY 1) AS references
        FROM standing b
        -- By key: what the night has just filled looks empty to the planner, and it would walk it once a break.
        CROSS JOIN LATERAL (SELECT * FROM reconciliation.match m
                            WHERE m.leg = 'bank' AND m.file_no = b.file_no AND m.line = b.line
                            ORDER BY m.version DESC LIMIT 1) m
        CROSS JOIN LATERAL (SELECT * FROM reconciliation.statement s WHERE s.statement_no = m.file_no OFFSET 0) s
        CROSS JOIN LATERAL (SELECT * FROM reconciliation.statement_entry e
                            WHERE e.statement_no = m.file_no AND e.number = m.line OFFSET 0) e
        CROSS JOIN LATERAL (SELECT o.amount_minor FROM ledger.open_items o
                            WHERE o.account = b.account AND o.currency = b.currency AND o.item = b.item OFFSET 0) o
        WHERE m.outcome = 'unidentified' AND o.amount_minor = -e.amount_minor
        ORDER BY s.statement_no, e.number LIMIT $4
        """,
        since,
        *after,
        limit,
    )
    return rows


async def expected(connection: Connection, currency: str, named: list[str]) -> Expected:
    """Read what the bank may show: open batches, open payouts, and every payout line the entries name."""
    batches = await connection.fetch(
        """
        SELECT a.account, a.currency, o.item, o.amount_minor FROM ledger.accounts a
        -- Account by account, so that the payments that are open, a million of a night, are not read for each chunk.
        CROSS JOIN LATERAL (SELECT item, amount_minor FROM ledger.open_items o
                            WHERE o.account = a.account AND o.currency = a.currency OFFSET 0) o
        WHERE a.account LIKE 'provider:%:in_transit' ORDER BY a.account, o.item, a.currency
        """
    )
    lines = await connection.fetch(
        """
        SELECT l.id, l.batch_id, l.department, l.amount_minor, l.status, coalesce(o.amount_minor, 0) AS open_minor
        FROM reconciliation.payout_line l
        JOIN reconciliation.payout_batch p ON p.id = l.batch_id AND p.currency = $1 AND p.released_at IS NOT NULL
        LEFT JOIN ledger.open_items o ON o.account = 'department:' || l.department || ':payout_in_transit'
                                     AND o.currency = p.currency AND o.item = l.id
        WHERE l.status IN ('released', 'accepted') OR l.id = ANY ($2::text[]) ORDER BY l.id
        """,
        currency,
        named,
    )
    payouts = {
        row["id"]: OpenPayout(
            f"department:{row['department']}:payout_in_transit", row["id"], row["batch_id"], row["department"],
            row["amount_minor"], row["open_minor"], row["status"],
        )
        for row in lines
    }  # fmt: skip
    files: dict[str, list[OpenPayout]] = {}
    for payout in payouts.values():
        files.setdefault(payout.batch_id, []).append(payout)
    found = [
        OpenBatch(row["account"], row["account"].split(":")[1], row["item"], row["amount_minor"])
        for row in batches
        if row["currency"] == currency
    ]
    foreign = [
        ForeignBatch(row["account"], row["account"].split(":")[1], row["item"], row["currency"], row["amount_minor"])
        for row in batches
        if row["currency"] != currency
    ]
    return Expected(found, payouts, files, foreign=foreign)
