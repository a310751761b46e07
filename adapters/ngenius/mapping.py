"""What N-Genius words mean, as literal tables, and an order read as a payment report.

A word that stands in no table is pending, and the report says that it was not recognised.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from adapters.contract import DeclineReason, Outcome, PaymentReport, Redirect, RefundReport
from adapters.errors import OutcomeUnknownError
from adapters.ngenius.wire import WireMovement, WireOrder, WirePayment, href, last_part
from adapters.redaction import mask_card
from ledger.errors import MoneyError
from ledger.money import Money, total

STATES: Final[dict[str, Outcome]] = {
    "STARTED": Outcome.PENDING,
    "AWAIT_3DS": Outcome.PENDING,
    "AWAIT3DS": Outcome.PENDING,
    "PENDING": Outcome.PENDING,
    "POST_AUTH_REVIEW": Outcome.PENDING,
    "AWAITING_PARTIAL_AUTH_APPROVAL": Outcome.PENDING,
    "AUTHORISED": Outcome.PENDING,
    "AUTHORIZED": Outcome.PENDING,
    "CAPTURED": Outcome.SUCCEEDED,
    "PARTIALLY_CAPTURED": Outcome.SUCCEEDED,
    "PURCHASED": Outcome.SUCCEEDED,
    "PARTIALLY_REFUNDED": Outcome.SUCCEEDED,
    "REFUNDED": Outcome.SUCCEEDED,
    "REVERSED": Outcome.DECLINED,
    "FAILED": Outcome.DECLINED,
    "PARTIAL_AUTH_DECLINED": Outcome.DECLINED,
    "CANCELLED": Outcome.DECLINED,
    "CANCELED": Outcome.DECLINED,
}
"""Payment states, in both spellings the acquirer's own software uses."""

AUTHORISED: Final = frozenset({"AUTHORISED", "AUTHORIZED"})
UNOPENED: Final = frozenset({"STARTED", "AWAIT_3DS", "AWAIT3DS"})
"""States in which the payer still needs the hosted page."""

DEAD: Final = frozenset({"REVERSED", "FAILED", "PARTIAL_AUTH_DECLINED", "CANCELLED", "CANCELED"})

MOVEMENTS: Final[dict[str, Outcome]] = {
    "SUCCESS": Outcome.SUCCEEDED,
    "REQUESTED": Outcome.PENDING,
    "PENDING": Outcome.PENDING,
    "FAILED": Outcome.DECLINED,
    "VOIDED": Outcome.DECLINED,
    "CANCELLED": Outcome.DECLINED,
    "CANCELED": Outcome.DECLINED,
}
"""States of one capture or refund."""

DECLINES: Final[dict[str, DeclineReason]] = {
    "01": DeclineReason.DECLINED_BY_BANK,  # refer to issuer
    "02": DeclineReason.DECLINED_BY_BANK,  # refer to issuer, special
    "03": DeclineReason.NOT_SUPPORTED,  # invalid merchant
    "04": DeclineReason.DECLINED_BY_BANK,  # pick up card
    "05": DeclineReason.DECLINED_BY_BANK,  # do not honour
    "06": DeclineReason.OTHER,  # error
    "07": DeclineReason.DECLINED_BY_BANK,  # pick up card, special
    "12": DeclineReason.NOT_SUPPORTED,  # invalid transaction
    "13": DeclineReason.INVALID_DETAILS,  # invalid amount
    "14": DeclineReason.INVALID_DETAILS,  # invalid card number
    "15": DeclineReason.INVALID_DETAILS,  # no such issuer
    "19": DeclineReason.PROVIDER_OUTAGE,  # re-enter transaction
    "30": DeclineReason.OTHER,  # format error
    "33": DeclineReason.EXPIRED_CARD,  # expired card, pick up
    "34": DeclineReason.RISK_REFUSED,  # suspected fraud, pick up
    "36": DeclineReason.DECLINED_BY_BANK,  # restricted card, pick up
    "38": DeclineReason.AUTHENTICATION_FAILED,  # PIN tries exceeded, pick up
    "39": DeclineReason.NOT_SUPPORTED,  # no credit account
    "41": DeclineReason.DECLINED_BY_BANK,  # lost card; the payer is not told which
    "43": DeclineReason.DECLINED_BY_BANK,  # stolen card
    "51": DeclineReason.INSUFFICIENT_FUNDS,
    "52": DeclineReason.NOT_SUPPORTED,  # no current account
    "53": DeclineReason.NOT_SUPPORTED,  # no savings account
    "54": DeclineReason.EXPIRED_CARD,
    "55": DeclineReason.AUTHENTICATION_FAILED,  # incorrect PIN
    "57": DeclineReason.NOT_SUPPORTED,  # not permitted to cardholder
    "58": DeclineReason.NOT_SUPPORTED,  # not permitted to terminal
    "59": DeclineReason.RISK_REFUSED,  # suspected fraud
    "61": DeclineReason.LIMIT_EXCEEDED,
    "62": DeclineReason.DECLINED_BY_BANK,  # restricted card
    "63": DeclineReason.RISK_REFUSED,  # security violation
    "65": DeclineReason.LIMIT_EXCEEDED,  # frequency limit, or strong authentication asked for
    "68": DeclineReason.TIMED_OUT,  # response received too late
    "75": DeclineReason.AUTHENTICATION_FAILED,  # PIN tries exceeded
    "78": DeclineReason.DECLINED_BY_BANK,  # blocked, first used
    "82": DeclineReason.AUTHENTICATION_FAILED,  # security code check failed
    "91": DeclineReason.PROVIDER_OUTAGE,  # issuer unavailable
    "92": DeclineReason.PROVIDER_OUTAGE,  # no route to issuer
    "93": DeclineReason.DECLINED_BY_BANK,  # violation of law
    "94": DeclineReason.OTHER,  # duplicate
    "96": DeclineReason.PROVIDER_OUTAGE,  # system malfunction
    "1A": DeclineReason.AUTHENTICATION_FAILED,  # additional authentication required
    "N7": DeclineReason.INVALID_DETAILS,  # security code mismatch
    "R0": DeclineReason.DECLINED_BY_BANK,  # stop payment order
    "R1": DeclineReason.DECLINED_BY_BANK,  # authorisation revoked
}
"""ISO 8583 response codes, as `authResponse.resultCode` carries them."""

CHALLENGE_FAILED: Final = frozenset({"N", "R", "U", "FAILURE", "FAILED"})

EVENTS: Final = frozenset(
    {
        "AUTHORISED", "DECLINED", "APM_PAYMENT_ACCEPTED", "AUTHORISATION_FAILED", "FULL_AUTH_REVERSED",
        "FULL_AUTH_REVERSAL_FAILED", "PURCHASED", "PURCHASE_DECLINED", "PURCHASE_FAILED", "PURCHASE_REVERSED",
        "PURCHASE_REVERSAL_FAILED", "CAPTURED", "CAPTURE_FAILED", "CAPTURE_VOIDED", "CAPTURE_VOID_FAILED",
        "CANCELLATION_REQUESTED", "CANCELLATION_FAILED", "CANCELLED", "ORDER_CLOSED", "PARTIALLY_CAPTURED",
        "PARTIAL_CAPTURE_FAILED", "REFUNDED", "REFUND_FAILED", "PARTIALLY_REFUNDED", "REFUND_REQUESTED",
        "REFUND_REQUEST_FAILED", "PARTIAL_REFUND_FAILED", "PARTIAL_REFUND_REQUESTED",
        "PARTIAL_REFUND_REQUEST_FAILED", "REFUND_VOIDED", "REFUND_VOID_FAILED", "REFUND_VOID_REQUESTED",
        "GATEWAY_RISK_PRE_AUTH_REJECTED", "PRE_AUTH_FRAUD_CHECK_REJECTED", "POST_AUTH_FRAUD_CHECK_REJECTED",
        "POST_AUTH_FRAUD_CHECK_REVIEW", "POST_AUTH_FRAUD_CHECK_ACCEPTED",
    }
)  # fmt: skip
"""Webhook event names. None of them decides anything: each only says which order to read."""


def captured_amount(payment: WirePayment, currency: str) -> Money | None:
    """Sum what was captured; a single-message purchase lists no capture and is its own amount."""
    if payment.movements.captures:
        done = [
            capture.amount.money() for capture in payment.movements.captures if _is_done(capture) and capture.amount
        ]
        return _sum(done, currency) if done else None
    if STATES.get(payment.state) is Outcome.SUCCEEDED and payment.amount is not None:
        return payment.amount.money()
    return None


def refunded_amount(payment: WirePayment, captured: Money | None, currency: str) -> Money | None:
    """Sum refunds made and requested; a reversal of captured money is a refund of all of it."""
    standing = [
        refund.amount.money()
        for refund in payment.movements.refunds
        if refund.amount and MOVEMENTS.get(refund.state, Outcome.PENDING) is not Outcome.DECLINED
    ]
    if payment.state == "REVERSED" and captured is not None:
        return captured
    return _sum(standing, currency) if standing else None


def read_report(order: WireOrder) -> PaymentReport:
    """Read an order as the provider's truth about our attempt."""
    payment = leading_payment(order.embedded.payment)
    if payment is None:
        return PaymentReport(
            outcome=Outcome.PENDING,
            provider_reference=order.reference,
            reference=order.merchant_order_reference,
            word="NO_PAYMENT",
        )
    currency = order.amount.currency_code
    captured = captured_amount(payment, currency)
    outcome = STATES.get(payment.state, Outcome.PENDING)
    if payment.state == "REVERSED" and captured is not None:
        outcome = Outcome.SUCCEEDED  # captured first, given back before settlement
    if outcome is Outcome.SUCCEEDED and captured is None:
        raise OutcomeUnknownError(f"the payment is {payment.state}, but no amount says of how much")
    page = href(order.links, "payment")
    authorised = payment.state in AUTHORISED or payment.state == "POST_AUTH_REVIEW"
    return PaymentReport(
        outcome=outcome,
        provider_reference=order.reference,
        reference=order.merchant_order_reference,
        captured=captured if outcome is Outcome.SUCCEEDED else None,
        authorised=payment.amount.money() if authorised and payment.amount else None,
        refunded=refunded_amount(payment, captured, currency),
        word=payment.state,
        decline=_decline(payment) if outcome is Outcome.DECLINED else None,
        next_step=Redirect(page) if page and payment.state in UNOPENED else None,
        occurred_at=_instant(_moment(payment)),
        reversed=payment.state == "REVERSED",
        facts=_facts(payment),
        unrecognised=payment.state not in STATES,
    )


def join_reports(reports: Sequence[PaymentReport]) -> PaymentReport:
    """Read several orders of one attempt as one truth: what was captured anywhere was captured.

    Two captured orders add up, so that the caller sees an amount it did not ask for and stops.
    """
    captured = [report for report in reports if report.captured is not None]
    if not captured:
        rank = {Outcome.PENDING: 0, Outcome.DECLINED: 1}
        return min(reports, key=lambda report: (report.authorised is None, rank.get(report.outcome, 2)))
    first = captured[0]
    if len(captured) == 1 or first.captured is None:
        return first
    summed = _sum([report.captured for report in captured if report.captured], first.captured.currency)
    facts = {**first.facts, "other_orders": " ".join(str(report.provider_reference) for report in captured[1:])}
    return PaymentReport(
        outcome=Outcome.SUCCEEDED,
        provider_reference=first.provider_reference,
        reference=first.reference,
        captured=summed,
        word=first.word,
        occurred_at=first.occurred_at,
        facts=facts,
    )


def read_refund(refund: WireMovement) -> RefundReport:
    return RefundReport(
        outcome=MOVEMENTS.get(refund.state, Outcome.PENDING),
        provider_reference=refund_id(refund),
        amount=refund.amount.money() if refund.amount else None,
        word=refund.state,
        unrecognised=refund.state not in MOVEMENTS,
    )


def refund_id(refund: WireMovement) -> str | None:
    """Return the refund's id: the end of its own link, or of the link of a scheme that refunds later."""
    address = href(refund.links, "self") or href(refund.links, "cnp:china_union_pay_results")
    return last_part(address) if address else None


def leading_payment(payments: Sequence[WirePayment]) -> WirePayment | None:
    """Choose the payment that decides: money first, then what may still become money, then the latest failure."""
    if not payments:
        return None
    rank = {Outcome.SUCCEEDED: 3, Outcome.PENDING: 2, Outcome.DECLINED: 1}
    return max(
        enumerate(payments),
        key=lambda item: (
            any(map(_is_done, item[1].movements.captures)) * 4
            + rank.get(STATES.get(item[1].state, Outcome.PENDING), 0),
            item[0],
        ),
    )[1]


def _is_done(movement: WireMovement) -> bool:
    return movement.state == "SUCCESS"


def _sum(amounts: Sequence[Money], currency: str) -> Money:
    try:
        return total(amounts, currency)
    except MoneyError as error:
        raise OutcomeUnknownError(f"the movements do not add up: {error}") from None


def _decline(payment: WirePayment) -> DeclineReason:
    answer = payment.auth_response
    if payment.state in {"CANCELLED", "CANCELED"}:
        return DeclineReason.CANCELLED_BY_PAYER
    if answer is not None and answer.result_code:
        return DECLINES.get(answer.result_code.upper(), DeclineReason.OTHER)
    challenge = payment.challenge or payment.challenge_v1
    if challenge is not None and (challenge.trans_status or challenge.status or "").upper() in CHALLENGE_FAILED:
        return DeclineReason.AUTHENTICATION_FAILED
    return DeclineReason.OTHER


def _facts(payment: WirePayment) -> dict[str, str]:
    """Keep what a receipt or a dispute needs, and never more of the card than a receipt shows."""
    method, answer = payment.payment_method, payment.auth_response
    challenge = payment.challenge or payment.challenge_v1
    found: dict[str, str | None] = {"payment": last_part(payment.id)}
    if method is not None:
        found |= {"scheme": method.name, "card": mask_card(method.pan) if method.pan else None}
    if answer is not None:
        found |= {
            "authorisation_code": answer.authorization_code,
            "result_code": answer.result_code,
            "rrn": answer.rrn,
            "mid": answer.mid,
            "audit_trace_number": str(answer.system_audit_trace_number or ""),
        }
    if challenge is not None:
        found |= {
            "eci": challenge.eci,
            "three_d_secure": challenge.trans_status or challenge.status,
            "three_d_secure_version": challenge.message_version or challenge.version,
            "three_d_secure_transaction": challenge.server_transaction,
            "directory_server_transaction": challenge.directory_transaction,
        }
    return {name: value for name, value in found.items() if value}


def _moment(payment: WirePayment) -> str | None:
    """Return when the money moved: a later refund changes the payment's own time, not its capture's."""
    times = [capture.created_time for capture in payment.movements.captures if capture.created_time]
    return times[-1] if times else payment.update_date_time


def _instant(text: str | None) -> datetime | None:
    """Read the provider's own time; one that cannot be read is no reason to refuse the answer."""
    try:
        instant = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    if instant is None:
        return None
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
