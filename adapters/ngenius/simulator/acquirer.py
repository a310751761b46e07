"""What the simulated acquirer does with money: pay, challenge, capture, void, refund. No HTTP here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from adapters.ngenius.simulator.book import Book, Row
from adapters.ngenius.simulator.cards import CHALLENGE_CODE, Behaviour, CardSample, find_card, masked
from adapters.simulation.faults import Fault, Faults
from adapters.simulation.misbehaviour import RefusedError

PAYABLE: Final = frozenset({"STARTED"})
DONE_WORDS: Final[dict[str, str]] = {"AUTH": "AUTHORISED", "SALE": "CAPTURED", "PURCHASE": "PURCHASED"}
DONE_EVENTS: Final[dict[str, tuple[str, ...]]] = {
    "AUTH": ("AUTHORISED",),
    "SALE": ("AUTHORISED", "CAPTURED"),
    "PURCHASE": ("PURCHASED",),
}
FOREVER: Final = "9999-12-31T00:00:00.000+00:00"


class Acquirer:
    """Every verb returns the order as it stands and the webhook events that follow."""

    def __init__(self, book: Book, faults: Faults) -> None:
        self.book = book
        self.faults = faults

    def pay(self, reference: str, card_number: str, decline_code: str = "") -> tuple[Row, tuple[str, ...]]:
        """Take the card, as the hosted page does; an order paid or failed before stays as it is."""
        order = self.book.order(reference)
        if order["state"] not in PAYABLE:
            return order, ()
        card = find_card(card_number)
        order = self.book.change(reference, scheme=card.scheme, card=masked(card_number), rrn=self.book.digits(12))
        fault = self.faults.take("pay")
        if fault is not None and fault.name == "pending":
            return self._hold(order, fault), ()
        if fault is not None and fault.name == "decline":
            return self._decline(order, fault.text("code", "05"))
        if decline_code:
            return self._decline(order, decline_code)
        return self._decide(order, card)

    def answer_challenge(self, reference: str, code: str) -> tuple[Row, tuple[str, ...]]:
        """Finish 3-D Secure: the right code approves, any other fails the authentication."""
        order = self.book.order(reference)
        if order["state"] != "AWAIT_3DS":
            return order, ()
        if code.strip() != CHALLENGE_CODE:
            return self.book.change(reference, state="FAILED", trans_status="N"), ("AUTHORISATION_FAILED",)
        return self._approve(self.book.change(reference, trans_status="Y"))

    def capture(self, reference: str, amount_minor: int) -> tuple[Row, tuple[str, ...]]:
        order = self.book.order(reference)
        if order["state"] not in {"AUTHORISED", "PARTIALLY_CAPTURED"}:
            raise RefusedError(f"a payment that is {order['state']} cannot be captured")
        left = order["amount_minor"] - self.book.moved(reference, "capture")
        if not 0 < amount_minor <= left:
            raise RefusedError(f"{amount_minor} is not within what is left to capture, {left}")
        self.book.add_movement("capture", reference, amount_minor)
        whole = amount_minor == left
        word = "CAPTURED" if whole else "PARTIALLY_CAPTURED"
        return self.book.change(reference, state=word), (word,)

    def void(self, reference: str) -> tuple[Row, tuple[str, ...]]:
        order = self.book.order(reference)
        if order["state"] != "AUTHORISED":
            raise RefusedError(f"a payment that is {order['state']} cannot be reversed")
        return self.book.change(reference, state="REVERSED"), ("FULL_AUTH_REVERSED",)

    def cancel_order(self, reference: str) -> tuple[Row, tuple[str, ...]]:
        """Close an order nobody has paid, so that its page no longer takes a card."""
        order = self.book.order(reference)
        if order["state"] not in {"STARTED", "AWAIT_3DS"}:
            raise RefusedError(f"an order whose payment is {order['state']} cannot be closed")
        return self.book.change(reference, state="CANCELLED"), ("CANCELLED",)

    def refund(self, reference: str, amount_minor: int, state: str = "SUCCESS") -> tuple[Row, tuple[str, ...]]:
        order = self.book.order(reference)
        left = self.book.moved(reference, "capture") - self.book.moved(reference, "refund")
        if not 0 < amount_minor <= left:
            raise RefusedError(f"{amount_minor} is not within what is left to refund, {left}")
        self.book.add_movement("refund", reference, amount_minor, state)
        whole = amount_minor == left
        if state != "SUCCESS":
            return order, ("REFUND_REQUESTED" if whole else "PARTIAL_REFUND_REQUESTED",)
        word = "REFUNDED" if whole else "PARTIALLY_REFUNDED"
        return self.book.change(reference, state=word), (word,)

    def resolve(self, reference: str, state: str) -> tuple[Row, tuple[str, ...]]:
        """Give a pending payment its outcome now, on command of a test."""
        order = self.book.order(reference)
        if order["state"] not in {"PENDING", "AWAIT_3DS"}:
            raise RefusedError(f"a payment that is {order['state']} is not pending")
        return self._approve(order) if state == "CAPTURED" else self._decline(order, "05")

    def _decide(self, order: Row, card: CardSample) -> tuple[Row, tuple[str, ...]]:
        if card.behaviour is Behaviour.CHALLENGE:
            return self.book.change(order["reference"], state="AWAIT_3DS"), ()
        if card.behaviour is Behaviour.PENDING:
            return self.book.change(order["reference"], state="PENDING", resolve_at=FOREVER, resolve_to="FAILED"), ()
        if card.behaviour is Behaviour.DECLINE:
            return self._decline(order, card.result_code)
        order, events = self._approve(order)
        return order, () if card.behaviour is Behaviour.SILENT else events

    def _approve(self, order: Row) -> tuple[Row, tuple[str, ...]]:
        reference, action = order["reference"], order["action"]
        if action != "AUTH":
            self.book.add_movement("capture", reference, order["amount_minor"])
        changed = self.book.change(
            reference,
            state=DONE_WORDS[action],
            result_code="00",
            authorisation_code=self.book.digits(6),
            resolve_at=None,
            resolve_to=None,
        )
        return changed, DONE_EVENTS[action]

    def _decline(self, order: Row, code: str) -> tuple[Row, tuple[str, ...]]:
        changed = self.book.change(
            order["reference"], state="FAILED", result_code=code, resolve_at=None, resolve_to=None
        )
        return changed, ("PURCHASE_DECLINED" if order["action"] == "PURCHASE" else "DECLINED",)

    def _hold(self, order: Row, fault: Fault) -> Row:
        until = datetime.fromisoformat(self.book.now()) + timedelta(seconds=fault.number("delay_s", 60))
        outcome = (
            "CAPTURED" if fault.text("outcome", "captured").upper() in {"OK", "CAPTURED", "SUCCEEDED"} else "FAILED"
        )
        return self.book.change(
            order["reference"],
            state="PENDING",
            resolve_at=until.isoformat(timespec="milliseconds"),
            resolve_to=outcome,
        )
