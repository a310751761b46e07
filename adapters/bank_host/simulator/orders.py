"""How the simulated bank reads a payment order: its own reader, so that ours is never checked by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from lxml import etree
from schwifty import IBAN

from adapters.bank_host.simulator.book import PaymentRow
from ledger.money import exponent_of


class UnreadableOrderError(ValueError):
    """The bytes are not a payment order at all."""


@dataclass(frozen=True, slots=True)
class Order:
    """A payment order as judged: a reason for the whole means that nothing of it will be paid."""

    message_id: str
    execution_date: date
    one_debit: bool
    reason: str | None
    payments: tuple[PaymentRow, ...]


def read_order(body: bytes, *, account_iban: str, currency: str, knows_line: Callable[[str], bool]) -> Order:
    """Judge the order as a bank does: totals and account for the whole, account and amount for each line."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableOrderError(str(error)) from error
    if etree.QName(root).namespace not in {f"urn:iso:std:iso:20022:tech:xsd:pain.001.001.{v}" for v in ("03", "09")}:
        raise UnreadableOrderError("not a pain.001 of version 03 or 09")

    def texts(path: str) -> list[str]:
        steps = "/".join(f"{{*}}{step}" for step in path.split("/"))
        return [(node.text or "").strip() for node in root.iterfind(f".//{steps}")]

    days = texts("ReqdExctnDt/Dt") or texts("ReqdExctnDt")
    try:
        execution_date = date.fromisoformat(days[0][:10])
        (message_id,) = texts("GrpHdr/MsgId")
    except (IndexError, ValueError):
        raise UnreadableOrderError("the order lacks its message id or its execution date") from None
    judge = _Judge(currency, knows_line)
    payments = [judge.line(line) for line in root.iterfind(".//{*}CdtTrfTxInf")]
    whole = None
    if {int(count) for count in texts("NbOfTxs") if count.isdigit()} != {len(payments)}:
        whole = "AM18"  # number of transactions does not agree
    elif {judge.minor(total) for total in texts("CtrlSum")} != {sum(p.amount_minor for p in payments)}:
        whole = "AM10"  # control sum does not agree
    elif texts("DbtrAcct/Id/IBAN") != [account_iban]:
        whole = "AC02"  # debtor's account is not the customer's
    return Order(
        message_id=message_id,
        execution_date=execution_date,
        one_debit=texts("BtchBookg")[:1] == ["true"],
        reason=whole,
        payments=tuple(_unique(payments)),
    )


class _Judge:
    """Judges one line after another; the second of two with one id is the duplicate."""

    def __init__(self, currency: str, knows_line: Callable[[str], bool]) -> None:
        self._currency = currency
        self._exponent = exponent_of(currency)
        self._knows_line = knows_line
        self._seen: set[str] = set()

    def line(self, line: etree._Element) -> PaymentRow:
        amount = line.find(".//{*}InstdAmt")
        value = self.minor("" if amount is None else amount.text or "")
        end_to_end_id = line.findtext("{*}PmtId/{*}EndToEndId") or ""
        iban = line.findtext("{*}CdtrAcct/{*}Id/{*}IBAN") or ""
        reason = None
        if end_to_end_id in self._seen or self._knows_line(end_to_end_id):
            reason = "AM05"  # duplication
        elif not IBAN(iban, allow_invalid=True).is_valid:
            reason = "AC01"  # incorrect account number
        elif value is None or value <= 0:
            reason = "AM12"  # invalid amount
        elif amount is not None and amount.get("Ccy") != self._currency:
            reason = "AM03"  # currency not allowed on this account
        self._seen.add(end_to_end_id)
        return PaymentRow(end_to_end_id, value or 0, line.findtext("{*}Cdtr/{*}Nm") or "", iban, reason)

    def minor(self, text: str) -> int | None:
        try:
            scaled = Decimal(text).scaleb(self._exponent)
            return int(scaled) if scaled == scaled.to_integral_value() else None
        except (InvalidOperation, ValueError, OverflowError):
            return None


def _unique(payments: list[PaymentRow]) -> list[PaymentRow]:
    """Keep the first of two lines with one id; the second was judged a duplicate and has no life of its own."""
    return list({payment.end_to_end_id: payment for payment in reversed(payments)}.values())[::-1]
