"""Bodies about refunds: one, many at once, and what a second person says to them."""

from __future__ import annotations

from msgspec.structs import replace

from gateway.api.bodies import REFUND_COLUMNS, Amount, CreateRefund, CreateRefundBatch
from gateway.api.paging import Query
from gateway.api.requests import instant_of, read_body
from gateway.api.spreadsheets import is_dry_run, place_in_sheet, said_in_query, sheet_rows
from gateway.domain.errors import InvalidError
from gateway.domain.ids import Prefix, is_id
from gateway.domain.tariff import AMOUNT_MINOR_MAX
from gateway.domain.text import check_text
from gateway.services.catalogue.catalogue_rows import LineFault, Row, read_cells, read_rows, whole, word
from gateway.services.catalogue.own_catalogue import refuse_faults
from gateway.services.refunds.create_refund import RefundRequest
from gateway.services.refunds.refund_many import REFUNDS_MAX, PaidQuery, Wanted
from ledger.errors import MoneyError
from ledger.money import exponent_of


def refund_request(body: bytes) -> RefundRequest:
    """Read the body of a refund: an amount, or lines, or neither for everything that is left."""
    asked = read_body(body, CreateRefund)
    reason = check_text(asked.reason, length_max=200, pointer="/reason")
    by = person(asked.requested_by, "/requested_by")
    if asked.amount is not None and asked.lines is not None:
        raise InvalidError("name an amount or lines, not both", pointer="/lines")
    if asked.lines is None:
        amount = asked.amount
        return RefundRequest(reason, *_amount(amount), asked_by=by)
    lines = {line.number: line.amount.amount for line in asked.lines}
    currencies = {line.amount.currency for line in asked.lines}
    if len(lines) != len(asked.lines) or len(currencies) != 1:
        raise InvalidError("each line once, and all in one currency", pointer="/lines")
    return RefundRequest(reason, currency=currencies.pop(), lines=lines, asked_by=by)


def refund_batch_request(body: bytes) -> tuple[list[Wanted] | PaidQuery, RefundRequest, bool]:
    """Read the body of a batch: what is wanted, what each refund says, and whether it is only tried."""
    asked = read_body(body, CreateRefundBatch)
    reason = check_text(asked.reason, length_max=200, pointer="/reason")
    request = RefundRequest(reason, asked_by=person(asked.requested_by, "/requested_by"))
    if (asked.refunds is None) is (asked.query is None):
        raise InvalidError("name refunds or a query, one of them", pointer="/refunds")
    if asked.query is not None:
        query = asked.query
        since, before = (
            instant_of(query.paid_from, "/query/paid_from"),
            instant_of(query.paid_before, "/query/paid_before"),
        )
        if before <= since:
            raise InvalidError("does not lie after paid_from", pointer="/query/paid_before")
        return PaidQuery(query.service, since, before), request, asked.dry_run
    wanted = []
    for index, one in enumerate(asked.refunds or ()):
        if not is_id(one.payment_intent, Prefix.INTENT):
            raise InvalidError("is not an identifier of a payment intent", pointer=f"/refunds/{index}/payment_intent")
        amount_minor, currency = _amount(one.amount)
        wanted.append(Wanted(one.payment_intent, replace(request, amount_minor=amount_minor, currency=currency)))
    if len({one.intent_id for one in wanted}) != len(wanted):
        raise InvalidError("each payment stands once", pointer="/refunds")
    return wanted, request, asked.dry_run


def refund_batch_of_sheet(query: Query, body: bytes) -> tuple[list[Wanted], bool]:
    """Read a batch that came as a spreadsheet; what is wrong with its lines is told at once."""
    reason = said_in_query(query, "reason", length_max=200)
    by = query.text("requested_by")
    asked = RefundRequest(reason, asked_by=person(by, "/query/requested_by"))
    rows = sheet_rows(body, REFUNDS_MAX)
    if not rows:
        raise InvalidError("has no rows", pointer="/rows")
    faults: list[LineFault] = []
    found = read_rows("refunds", rows, lambda row: _wanted(row, asked), faults, key=None)
    first: dict[str, int] = {}
    for line, one in found:
        if first.setdefault(one.intent_id, line) != line:
            faults.append(LineFault("refunds", line, "payment_intent", "each payment stands once"))
    refuse_faults(sorted(faults, key=lambda fault: fault.line), place_in_sheet)
    return [one for _, one in found], is_dry_run(query)


def _wanted(row: Row, asked: RefundRequest) -> Wanted:
    cells = read_cells(
        row,
        REFUND_COLUMNS,
        payment_intent=_intent_cell,
        amount_minor=lambda row: _cell_or_none(row, "amount_minor") and whole(row, "amount_minor", 1, AMOUNT_MINOR_MAX),
        currency=lambda row: _cell_or_none(row, "currency") and _currency_cell(row),
    )
    amount_minor, currency = cells["amount_minor"], cells["currency"]
    if (amount_minor is None) is not (currency is None):
        raise InvalidError("an amount and its currency, or neither for all that is left", pointer="currency")
    return Wanted(cells["payment_intent"], replace(asked, amount_minor=amount_minor, currency=currency))


def _intent_cell(row: Row) -> str:
    intent_id = word(row, "payment_intent")
    if not is_id(intent_id, Prefix.INTENT):
        raise InvalidError("is not an identifier of a payment intent", pointer="payment_intent")
    return intent_id


def _currency_cell(row: Row) -> str:
    currency = word(row, "currency")
    try:
        exponent_of(currency)
    except MoneyError:
        raise InvalidError("is not a currency, as in AED", pointer="currency") from None
    return currency


def _cell_or_none(row: Row, column: str) -> str | None:
    return row.get(column) or None


def person(name: str | None, pointer: str) -> str | None:
    """Read the name of whoever asks or decides, as the department's own system knows them."""
    return None if name is None else check_text(name.strip(), length_max=100, pointer=pointer)


def _amount(amount: Amount | None) -> tuple[int | None, str | None]:
    return (amount.amount, amount.currency) if amount is not None else (None, None)
