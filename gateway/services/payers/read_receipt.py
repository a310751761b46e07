"""The proof of one payment, for its payer, under their link."""

from __future__ import annotations

from gateway.deps import Deps
from gateway.domain.errors import NotFoundError, NothingToPayError
from gateway.domain.refund import RefundStatus
from gateway.services import links
from gateway.services.contacts import reached_at
from gateway.services.payers.read_checkout import bundle_name, line_views, names_of, part_views
from gateway.services.payers.views import ReceiptView
from gateway.store import attempts, intents, refunds
from gateway.store.catalogue import Catalogue
from gateway.store.connections import Connection
from gateway.store.intents import Intent
from ledger.money import Money, total


async def read_receipt(deps: Deps, token: str) -> ReceiptView:
    """Return the receipt under a payer's link; `NothingToPayError` while there is none."""
    intent_id = links.intent_of(deps, token)
    catalogue = await deps.catalogue.get()  # before a connection is held: nobody waits for a second one
    async with deps.connection() as connection:
        intent = await intents.read(connection, intent_id)
        if intent is None:
            raise NotFoundError
        receipt = await receipt_of(deps, connection, catalogue, intent)
    if receipt is None:
        raise NothingToPayError("there is no receipt: this payment has not been made")
    return receipt


async def receipt_of(deps: Deps, connection: Connection, catalogue: Catalogue, intent: Intent) -> ReceiptView | None:
    """Put a receipt together; None while the intent is not paid."""
    if intent.paid_attempt is None or intent.paid_at is None or intent.receipt_number is None:
        return None
    lines = (await intents.lines(connection, [intent.id])).get(intent.id, [])
    attempt = await attempts.read(connection, intent.paid_attempt)
    given_back = await refunds.of_intent(connection, intent.id)
    if attempt is None:
        return None
    owner = catalogue.departments.get(intent.department)
    currency = intent.amount.currency
    returned = (r.amount for r in given_back if r.status is RefundStatus.SUCCEEDED and not r.late)
    return ReceiptView(
        intent_id=intent.id,
        token=links.token_of(deps, intent.id),
        receipt_number=intent.receipt_number,
        department_code=intent.department,
        department=names_of(catalogue, intent.department),
        vat_registration=owner.vat_registration if owner else None,
        lines=line_views(catalogue, lines, intent),
        total=intent.amount,
        vat=total((Money(line.vat_minor, currency) for line in lines), currency),
        refunded=total(returned, currency),
        reference=intent.reference,
        method=attempt.method,
        paid_at=intent.paid_at,
        language=intent.language,
        return_url=intent.return_url,
        live=intent.live,
        payer_email=reached_at(deps, intent, attempt).email,
        card=attempt.facts,
        parts=part_views(catalogue, lines, intent),
        bundle=bundle_name(catalogue, intent),
    )
