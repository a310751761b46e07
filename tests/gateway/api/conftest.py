"""One thing of every kind the API knows, all of one department."""

from __future__ import annotations

import pytest

from gateway.domain.ids import Prefix, mint
from gateway.services.callers.api_keys import issue_key
from tests.gateway.api.clients import Client, Pair


@pytest.fixture
async def things(town):
    """One thing of economy's for every kind of id a route names, by the resource in its path."""
    intent = await town.paid()
    refund = (await town.ask("POST", f"/v1/payment-intents/{intent['id']}/refunds", {"reason": "x"})).body
    many = {"reason": "x", "refunds": [{"payment_intent": (await town.paid())["id"]}]}
    batch = (await town.ask("POST", "/v1/refund-batches", many)).body
    endpoint = (await town.ask("POST", "/v1/webhook-endpoints", {"url": "https://hooks.example.ae/"})).body
    asked = {"reference": "LINK-1", "line": {"service": "licence"}, "single_use": True}
    link = (await town.ask("POST", "/v1/payment-links", asked)).body
    terms = {"price": {"kind": "open", "minimum_minor": 1, "maximum_minor": 100_000_000}}
    draft = {"service": "assessment", "effective_on": "2027-01-01", "legal_basis": "Resolution 9", "terms": terms}
    drafts = {"reason": "x", "proposed_by": "mariam", "tariffs": [draft]}
    [proposal] = (await town.ask("POST", "/v1/tariff-proposals", drafts)).body["proposals"]
    _, key = await issue_key(town.deps, "economy", "other")
    client = await Client(town, Pair()).register()
    return {
        "payment-intents": intent["id"],
        "payment-parts": intent["id"],
        "refunds": refund["id"],
        "refund-batches": batch["id"],
        "tariff-proposals": proposal["id"],
        "payouts": await paid_out(town),
        "payment-links": link["id"],
        "webhook-endpoints": endpoint["id"],
        "api-keys": key.id,
        "oauth-clients": client.id,
    }


async def paid_out(town):
    """Write a payout as a night instructs it, and return its id; the nights themselves are tested elsewhere."""
    now, payout = town.clock(), mint(Prefix.PAYOUT, town.clock(), town.deps.random_bytes)
    await town.deps.pool.execute(
        """INSERT INTO reconciliation.payout_batch (id, business_date, currency, bank_account, debtor_name, debtor_iban,
             execution_date, line_count, total_minor, content_sha256, status, maker, made_at, checker, checked_at,
             released_at, book_date, moved_at)
           VALUES ('po_1', $1, 'AED', 'main', 'Treasury', 'AE07', $1, 1, 10500, '', 'released', 'night', $2, 'huda',
             $2, $2, $1, $2)""",
        now.date(),
        now,
    )
    await town.deps.pool.execute(
        """INSERT INTO reconciliation.payout_line (id, batch_id, department, creditor_name, creditor_iban, purpose,
             amount_minor, remittance, payable_minor, unproven_minor, holdback_minor, journal_through, status, moved_at)
           SELECT $1, 'po_1', 'economy', 'Economy', 'AE840261001015033304101', 'GOV', 10500, 'MIZAN', 10500, 0, 0,
                  max(journal_id), 'released', $2
             FROM ledger.postings""",
        payout,
        now,
    )
    return payout
