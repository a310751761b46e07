"""Providers' files and their lines, as they came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from adapters.contract import LineKind, SettlementFile, SettlementLine
from reconciliation.postings import Booking
from reconciliation.store import WHOLE_FILE_TIMEOUT_S, Connection, Record


@dataclass(slots=True)
class Loaded:
    """What was counted while the lines went into the stage."""

    lines: int = 0
    last_line: int = 0
    net_minor: int = 0
    in_order: bool = True
    """Whether every line is numbered above the one before it, and so none twice."""
    refused: list[tuple[int, str]] = field(default_factory=list)
    """The lines that nobody could read, and those whose own amounts do not add up: number and reason."""


_STAGE: Final = """
  CREATE TEMPORARY TABLE stage (
    number integer NOT NULL, kind text NOT NULL, reference text COLLATE "C", provider_reference text COLLATE "C",
    gross_minor bigint NOT NULL, fee_minor bigint NOT NULL, fee_vat_minor bigint NOT NULL, net_minor bigint NOT NULL,
    transaction_on date, raw_kind text NOT NULL
  ) ON COMMIT DROP"""
_COLUMNS: Final = (
    "number", "kind", "reference", "provider_reference", "gross_minor", "fee_minor", "fee_vat_minor", "net_minor",
    "transaction_on", "raw_kind",
)  # fmt: skip

ROUNDING_OF_A_LINE_MINOR: Final = 2
"""How far a line's net may be from its gross less its fees: fee and VAT are each rounded, and no more than that."""
LINES_REFUSED_MAX: Final = 1_000
"""Where more lines do not add up, the file is of another kind than ours are."""


class LineUnfitError(Exception):
    """A line cannot be stored; the file is refused for it. The first argument is the reason's code."""


async def stage(connection: Connection, file: SettlementFile, loaded: Loaded) -> None:
    """Stream the lines into a temporary table, summing as they pass; no list of them is ever held here."""
    await connection.execute(_STAGE)
    await connection.copy_records_to_table(
        "stage",
        schema_name="pg_temp",
        columns=_COLUMNS,
        records=_records(file.lines, file.currency, loaded),
        timeout=WHOLE_FILE_TIMEOUT_S,
    )


def _records(lines: Iterable[SettlementLine], currency: str, loaded: Loaded) -> Iterable[tuple[object, ...]]:
    """Turn lines into rows as they pass; this runs a million times a night."""
    count = last = net_minor = 0
    in_order = True
    payout = LineKind.PAYOUT
    for line in lines:
        number, kind, raw_kind, at = line.number, line.kind, line.raw_kind, line.transaction_at
        gross, fee, fee_vat, net = line.gross, line.fee, line.fee_vat, line.net
        if not gross.currency == fee.currency == fee_vat.currency == net.currency == currency:
            raise LineUnfitError("line_in_other_currency")
        reference, provider_reference = line.reference, line.provider_reference
        if "\0" in f"{reference}{provider_reference}{raw_kind}":
            raise LineUnfitError("line_with_nul")
        if number > last:
            last = number
        else:
            in_order = False
        gross_minor, fee_minor, fee_vat_minor = gross.amount_minor, fee.amount_minor, fee_vat.amount_minor
        net_of_line_minor = net.amount_minor
        if kind is not payout:
            if abs(gross_minor - fee_minor - fee_vat_minor - net_of_line_minor) > ROUNDING_OF_A_LINE_MINOR:
                _refuse(loaded, number)
                continue
            net_minor += net_of_line_minor
        count += 1
        yield (
            number, kind, reference, provider_reference, gross_minor, fee_minor, fee_vat_minor,
            net_of_line_minor, at.date() if isinstance(at, datetime) else at, raw_kind,
        )  # fmt: skip
    loaded.lines, loaded.last_line, loaded.net_minor, loaded.in_order = count, last, net_minor, in_order


def _refuse(loaded: Loaded, number: int) -> None:
    if len(loaded.refused) == LINES_REFUSED_MAX:
        raise LineUnfitError("line_not_its_parts")
    loaded.refused.append((number, "line_not_its_parts"))


async def has_numbered_twice(connection: Connection) -> bool:
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM pg_temp.stage GROUP BY number HAVING count(*) > 1)", timeout=WHOLE_FILE_TIMEOUT_S
    )
    return found


async def known(connection: Connection, provider: str, sha256: str) -> bool:
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM reconciliation.settlement_file WHERE provider = $1 AND sha256 = $2)",
        provider,
        sha256,
    )
    return found


async def batch_is_booked(connection: Connection, file: SettlementFile) -> bool:
    found: bool = await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM reconciliation.settlement_file
                       WHERE provider = $1 AND batch_reference = $2 AND currency = $3 AND status = 'accepted')
        """,
        file.provider,
        file.batch_reference,
        file.currency,
    )
    return found


async def insert(
    connection: Connection, file: SettlementFile, loaded: Loaded, booking: Booking, now: datetime,
    *, provider: str, reason: str | None,
) -> int:  # fmt: skip
    """Store a file's head, accepted or quarantined with the reason, and return its number."""
    number: int = await connection.fetchval(
        """
        INSERT INTO reconciliation.settlement_file (file_no, provider, name, sha256, business_date, batch_reference,
          currency, line_count, total_net_minor, expected_credit_date, status, reason, imported_at, book_date,
          effective_at, late_for, last_line)
        SELECT coalesce(max(file_no), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8, $9,
               CASE WHEN $10::text IS NULL THEN 'accepted' ELSE 'quarantined' END, $10, $11, $12, $13, $14, $15
        FROM reconciliation.settlement_file
        RETURNING file_no
        """,
        provider,
        file.name,
        file.sha256,
        file.business_date,
        file.batch_reference,
        file.currency,
        loaded.lines,
        file.total_net.amount_minor,
        file.expected_credit_date,
        reason,
        now,
        booking.business_date,
        booking.effective_at,
        booking.late_for,
        loaded.last_line,
    )
    await connection.executemany(
        "INSERT INTO reconciliation.settlement_line_refused (file_no, number, reason) VALUES ($1, $2, $3)"
        " ON CONFLICT DO NOTHING",
        [(number, line, why) for line, why in loaded.refused],
    )
    return number


async def dates_to_fetch(connection: Connection, provider: str, business_date: date, look_back_days: int) -> list[date]:
    """Return the night's date and the days looked back on, and any before them whose file is a standing break.

    A day that has a file is asked for again: a second batch of it may be delivered later.
    """
    rows = await connection.fetch(
        """
        SELECT d::date AS day FROM generate_series($2::timestamp, $3::timestamp, interval '1 day') d
        UNION SELECT b.business_date FROM reconciliation.break b
              WHERE b.type IN ('file_missing', 'file_refused') AND b.leg = 'provider' AND b.provider = $1
                AND b.closed_at IS NULL AND b.business_date <= $3::date
        ORDER BY day
        """,
        provider,
        business_date - timedelta(days=look_back_days),
        business_date,
    )
    return [row["day"] for row in rows]


async def unposted(connection: Connection) -> list[Record]:
    """Read the accepted files whose lines are not all in the books, oldest first."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT file_no, provider, name, batch_reference, currency, book_date, effective_at, late_for, last_line
        FROM reconciliation.settlement_file WHERE status = 'accepted' AND posted_through < last_line ORDER BY file_no
        """
    )
    return rows


async def drop_stage(connection: Connection) -> None:
    """Forget the staged lines and what they were matched with, before another file is staged."""
    await connection.execute(
        "DROP TABLE IF EXISTS pg_temp.stage, pg_temp.met, pg_temp.unfound, pg_temp.settled_before, pg_temp.aside"
    )


async def is_late(connection: Connection, provider: str, business_date: date, night: date) -> bool:
    """Say whether the file was missed before: its absence is a break, or an earlier night of its date is over."""
    found: bool = await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM reconciliation.break WHERE type = 'file_missing' AND leg = 'provider'
                         AND provider = $1 AND business_date = $2 AND closed_at IS NULL)
            OR ($2 < $3 AND EXISTS (SELECT FROM reconciliation.break b JOIN ledger.open_items o
                         ON o.account = b.account AND o.item = b.item AND o.currency = b.currency
                       WHERE b.type = 'missing_at_provider' AND b.provider = $1 AND b.closed_at IS NULL
                         AND o.business_date = $2))
        """,
        provider,
        business_date,
        night,
    )
    return found


async def posted_through(connection: Connection, file_no: int) -> int:
    through: int = await connection.fetchval(
        "SELECT posted_through FROM reconciliation.settlement_file WHERE file_no = $1 FOR UPDATE", file_no
    )
    return through


async def move_posted_through(connection: Connection, file_no: int, number: int) -> None:
    await connection.execute(
        "UPDATE reconciliation.settlement_file SET posted_through = $2 WHERE file_no = $1", file_no, number
    )


async def uncharged(connection: Connection) -> list[Record]:
    """Read the files wholly in the books whose fees no department has been charged yet."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT file_no, provider, name, currency, book_date, effective_at, late_for
        FROM reconciliation.settlement_file
        WHERE status = 'accepted' AND posted_through >= last_line AND NOT fees_charged ORDER BY file_no
        """
    )
    return rows


async def mark_charged(connection: Connection, file_no: int) -> bool:
    """Mark a file's fees as charged; return whether they were not before."""
    marked: bool | None = await connection.fetchval(
        "UPDATE reconciliation.settlement_file SET fees_charged = true WHERE file_no = $1 AND NOT fees_charged"
        " RETURNING true",
        file_no,
    )
    return bool(marked)


async def borne_fees(connection: Connection, file_no: int, currency: str) -> list[Record]:
    """Sum what each department bears of a file's fees: its share of every payment, the largest remainders rounded up.

    A payment's fee is split over all that its journal credited, so that the parts of departments, VAT and treasury sum
    to it exactly, whoever of them bears it.
    """
    if not await connection.fetchval(
        "SELECT EXISTS (SELECT FROM reconciliation.payee WHERE fee_bearer = 'department' AND currency = $1"
        " AND revenue_code = '')",
        currency,
    ):
        return []
    rows: list[Record] = await connection.fetch(
        """
        WITH part AS (
          SELECT l.number, p.account, l.fee_minor, l.fee_vat_minor,
                 l.fee_minor::numeric * -p.amount_minor AS fee, l.fee_vat_minor::numeric * -p.amount_minor AS fee_vat,
                 sum(-p.amount_minor) OVER (PARTITION BY l.number) AS whole
          FROM reconciliation.settlement_line l
          CROSS JOIN LATERAL (SELECT * FROM reconciliation.match m
                              WHERE m.leg = 'provider' AND m.file_no = l.file_no AND m.line = l.number
                              ORDER BY m.version DESC LIMIT 1) m
          CROSS JOIN LATERAL (SELECT p.account, sum(p.amount_minor) AS amount_minor FROM ledger.postings p
                              WHERE p.reference = ANY (ARRAY['capture:' || m.item, 'late_accepted:' || m.item])
                                AND p.currency = $2 AND p.amount_minor < 0 GROUP BY p.account OFFSET 0) p
          WHERE l.file_no = $1 AND l.kind = 'payment' AND l.gross_minor > 0 AND m.outcome IN ('matched', 'amount')
        ), split AS (
          SELECT account, floor(fee / whole) AS fee_floor, floor(fee_vat / whole) AS vat_floor,
                 fee_minor - sum(floor(fee / whole)) OVER line AS fee_left,
                 fee_vat_minor - sum(floor(fee_vat / whole)) OVER line AS vat_left,
                 row_number() OVER (line ORDER BY fee - floor(fee / whole) * whole DESC, account) AS fee_place,
                 row_number() OVER (line ORDER BY fee_vat - floor(fee_vat / whole) * whole DESC, account) AS vat_place
          FROM part WINDOW line AS (PARTITION BY number)
        )
        SELECT y.department, sum(fee_floor + (fee_place <= fee_left)::integer)::bigint AS fee_minor,
               sum(vat_floor + (vat_place <= vat_left)::integer)::bigint AS fee_vat_minor
        FROM split JOIN reconciliation.payee y ON split.account = 'department:' || y.department || ':payable'
         AND y.currency = $2 AND y.fee_bearer = 'department' AND y.revenue_code = ''
        GROUP BY 1 ORDER BY 1
        """,
        file_no,
        currency,
        timeout=WHOLE_FILE_TIMEOUT_S,
    )
    return rows
