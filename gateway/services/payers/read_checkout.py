"""What a citizen sees under their link: what, for whom, how much, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.contract import RECEIVED_MINOR, ApproveOnPhone, Method, OffersBanks, PayerBank
from gateway.deps import Deps
from gateway.domain.attempt import LIVE, AttemptStatus
from gateway.domain.contact import Contact
from gateway.domain.department import Names
from gateway.domain.errors import NotFoundError
from gateway.domain.intent import IntentStatus
from gateway.domain.tariff import Applied
from gateway.services import links
from gateway.services.catalogue.parts import parts_of
from gateway.services.contacts import reached_at
from gateway.services.payers.views import AttemptView, CheckoutView, LineView, PartView, TariffView
from gateway.services.providers import route_payment
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
    ways = await route_payment.offered(deps, route_payment.payment_of(intent, lines, last, None))
    payer = reached_at(deps, intent, last)
    is_over = intent.status is IntentStatus.REQUIRES_PAYMENT and deps.clock() >= intent.expires_at
    return CheckoutView(
        intent_id=intent.id,
        token=token,
        # The job that closes intents may be a moment behind the clock; the page is not.
        status=IntentStatus.EXPIRED if is_over else _status(intent),
        department_code=intent.department,
        department=names_of(catalogue, intent.department),
        lines=line_views(catalogue, lines, intent),
        total=intent.amount,
        reference=intent.reference,
        language=intent.language,
        expires_at=intent.expires_at,
        methods=ways.methods,
        resting=ways.resting,
        return_url=intent.return_url,
        live=intent.live,
        late_payment=intent.late_payment,
        payer_email=payer.email,
        payer_mobile=payer.mobile,
        last_attempt=_attempt(last, payer) if last else None,
        paid_at=intent.paid_at,
        receipt_number=intent.receipt_number,
        already_paid_elsewhere=elsewhere,
        parts=part_views(catalogue, lines, intent),
        bundle=bundle_name(catalogue, intent),
        banks=banks_offered(deps),
        payer_bank=payer.bank,
    )


def _status(intent: Intent) -> IntentStatus:
    """What is reserved stays so for its payer, also while its department has it taken."""
    under_way = intent.status is IntentStatus.PROCESSING and intent.is_reserved
    return IntentStatus.REQUIRES_CAPTURE if under_way else intent.status


def banks_offered(deps: Deps) -> tuple[PayerBank, ...]:
    """Return the banks behind the provider that a payment by bank account goes to first."""
    offering = [deps.providers[name] for name in deps.routing.get(Method.BANK, ()) if name in deps.providers]
    return next((tuple(each.banks) for each in offering if isinstance(each, OffersBanks)), ())


def names_of(catalogue: Catalogue, code: str) -> Names:
    department = catalogue.departments.get(code)
    return department.names if department else Names(code, code)


def bundle_name(catalogue: Catalogue, intent: Intent) -> Names | None:
    """Return what a bundle is called; one that is no longer sold is told by its services."""
    bundle = catalogue.bundles.get(intent.bundle) if intent.bundle else None
    return bundle.names if bundle else None


def line_views(catalogue: Catalogue, lines: Sequence[IntentLine], intent: Intent) -> tuple[LineView, ...]:
    currency = intent.amount.currency
    return tuple(
        LineView(
            department=names_of(catalogue, line.department),
            service=line.names,
            amount=Money(line.amount_minor, currency),
            vat=Money(line.vat_minor, currency),
            quantity=line.quantity,
            tariff=_tariff_view(line.applied, currency),
        )
        for line in lines
    )


def part_views(catalogue: Catalogue, lines: Sequence[IntentLine], intent: Intent) -> tuple[PartView, ...]:
    """Return what goes to whom, where a payment has several departments."""
    parts = parts_of(lines, intent.amount.currency)
    if len(parts) == 1:
        return ()
    known = catalogue.departments
    return tuple(
        PartView(
            department=names_of(catalogue, part.department),
            amount=part.amount,
            vat=part.vat,
            vat_registration=known[part.department].vat_registration if part.department in known else None,
        )
        for part in parts
    )


def _tariff_view(applied: Applied | None, currency: str) -> TariffView | None:
    if applied is None:
        return None
    granted = applied.tariff.terms.concession(applied.concession)
    return TariffView(
        version=applied.tariff.version,
        effective_on=applied.tariff.effective_on,
        discount=Money(applied.discount_minor, currency),
        concession=granted.names if granted else None,
    )


def _attempt(attempt: Attempt, payer: Contact) -> AttemptView:
    step = attempt.next_step
    if isinstance(step, ApproveOnPhone):
        step = ApproveOnPhone(payer.mobile or step.mobile)
    return AttemptView(
        attempt_id=attempt.id,
        status=attempt.status,
        method=attempt.method,
        started_at=attempt.started_at,
        decline=attempt.decline if attempt.status is AttemptStatus.DECLINED else None,
        next_step=step if attempt.status in LIVE else None,
        received=_received(attempt),
    )


def _received(attempt: Attempt) -> Money | None:
    told = attempt.facts.get(RECEIVED_MINOR, "")
    return Money(int(told), attempt.amount.currency) if told.isascii() and told.isdigit() else None
