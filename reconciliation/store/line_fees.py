"""What a provider kept of each line of the file at hand, against what its contract says."""

from __future__ import annotations

from collections.abc import AsyncIterator

from reconciliation.provider_terms import FeeTerms
from reconciliation.store import Connection, Record


def wrong_fees(connection: Connection, terms: FeeTerms, *, billed: bool) -> AsyncIterator[Record]:
    """Stream the lines of which the provider kept more or less than the contract says, whatever they were matched to.

    Only payments owe a fee. A line that takes money back may give the fee of what it takes back, or none, back with it;
    one that collects it again may keep it again. A line that is a fee alone is one the contract does not name, unless
    the fees are `billed`.
    """
    found: AsyncIterator[Record] = connection.cursor(
        """
        SELECT number, reference, kept_minor, expected_minor FROM (
          SELECT s.number, coalesce(s.provider_reference, s.reference, nullif(s.raw_kind, ''), s.kind) AS reference,
                 k.kept_minor,
                 CASE s.kind WHEN 'payment' THEN a.agreed_minor
                             ELSE greatest(least(k.kept_minor, greatest(a.agreed_minor, 0)), least(a.agreed_minor, 0))
                 END AS expected_minor
          FROM met s
          CROSS JOIN LATERAL (SELECT s.fee_minor + s.fee_vat_minor - CASE s.kind WHEN 'fee' THEN s.gross_minor ELSE 0
                                     END AS kept_minor) k
          CROSS JOIN LATERAL (SELECT (abs(s.gross_minor) * $1::bigint + 5000) / 10000 + $2::bigint AS fee_minor) e
          CROSS JOIN LATERAL (
            SELECT CASE WHEN s.kind IN ('payment', 'refund', 'chargeback', 'chargeback_reversed')
                        THEN sign(s.gross_minor)::integer * (e.fee_minor + (e.fee_minor * $3::bigint + 5000) / 10000)
                        ELSE 0 END AS agreed_minor) a
          WHERE s.kind <> 'payout' AND (s.kind <> 'fee' OR NOT $5)
        ) f WHERE abs(kept_minor - expected_minor) > $4::bigint ORDER BY number
        """,
        terms.basis_points,
        terms.fixed_minor,
        terms.vat_basis_points,
        terms.tolerance_minor,
        billed,
        prefetch=1000,
    )
    return found
