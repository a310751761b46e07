"""What a citizen sees under their link: what, for whom, how much, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.contract import Method, OffersBanks, PayerBank
from gateway.deps import Deps
from gateway.domain.attempt import LIVE, AttemptStatus
from gateway.domain.department import Names
from gateway.domain.errors import NotFoundError
from gateway.domain.intent import IntentStatus
from gateway.services import links
from gateway.services.views import AttemptView, CheckoutView, LineView
from gateway.store import attempts, intents
from gateway.store.attempts import Attempt
from gateway.store.catalogue import Catalogue
from gateway.store.intents import Intent, IntentLine
from ledger.money import Money


async def read_checkout(deps: Deps, token: str) -> CheckoutView:
    """Return one intent as its payer sees it; `NotFoundError` for a link we did not make."""
    intent_id = links.intent_of(deps, token)
    catalogue = await deps.catalogue.get()
    async with deps.connection() as connection:
        intent = await intents.read(connection, intent_id)
        if intent is None:
            raise NotFoundError
        lines = (await intents.lines(connection, [intent_id])).get(intent_id, [])
        last = (await attempts.last_of(connection, [intent_id])).get(intent_id)
        elsewhere = await intents.same_bill_elsewhere(connection, intent)
    is_over = intent.status is IntentStatus.REQUIRES_PAYMENT and deps.clock() >= intent.expires_at
    return CheckoutView(
        intent_id=intent.id,
        token=token,
        # The job that closes intents may be a moment behind the clock; the page is not.
        status=IntentStatus.EXPIRED if is_over else intent.status,
        department_code=intent.department,
        department=names_of(catalogue, intent.department),
        lines=line_views(catalogue, lines, intent),
        total=intent.amount,
        reference=intent.reference,
        language=intent.language,
        expires_at=intent.expires_at,
        methods=offered(deps),
        return_url=intent.return_url,
        live=intent.live,
        late_payment=intent.late_payment,
        # What the payer typed for an earlier try counts more than what the department knew.
        payer_email=(last.contact.email if last else None) or intent.payer_email,
        payer_mobile=(last.contact.mobile if last else None) or intent.payer_mobile,
        last_attempt=_attempt(last) if last else None,
        paid_at=intent.paid_at,
        receipt_number=intent.receipt_number,
        already_paid_elsewhere=elsewhere,
        banks=banks_offered(deps),
        payer_bank=last.contact.bank if last else None,
    )


def offered(deps: Deps) -> tuple[Method, ...]:
    """Return the ways to pay that some provider takes, in the order of the routing."""
    return tuple(method for method, names in deps.routing.items() if any(name in deps.providers for name in names))


def banks_offered(deps: Deps) -> tuple[PayerBank, ...]:
    """Return the banks behind the provider that a payment by bank account goes to first."""
    names = [name for name in deps.routing.get(Method.BANK, ()) if name in deps.providers]
    first = deps.providers[names[0]] if names else None
    return tuple(first.banks) if isinstance(first, OffersBanks) else ()


def names_of(catalogue: Catalogue, code: str) -> Names:
    department = catalogue.departments.get(code)
    return department.names if department else Names(code, code)


def line_views(catalogue: Catalogue, lines: Sequence[IntentLine], intent: Intent) -> tuple[LineView, ...]:
    currency = intent.amount.currency
    return tuple(
        LineView(
            department=names_of(catalogue, line.department),
            service=line.names,
            amount=Money(line.amount_minor, currency),
            vat=Money(line.vat_minor, currency),
            quantity=line.quantity,
        )
        for line in lines
    )


def _attempt(attempt: Attempt) -> AttemptView:
    return AttemptView(
        attempt_id=attempt.id,
        status=attempt.status,
        method=attempt.method,
        started_at=attempt.started_at,
        decline=attempt.decline if attempt.status is AttemptStatus.DECLINED else None,
        next_step=attempt.next_step if attempt.status in LIVE else None,
    )
