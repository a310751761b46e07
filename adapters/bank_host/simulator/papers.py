"""The papers the simulated bank hands out: its camt.053 statements and pain.002 status reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from lxml import etree

from adapters.bank_host.simulator.book import Booking, FileRow, PaymentRow, StatementRow
from adapters.bank_host.simulator.faults import Fault
from ledger.money import Money

STATEMENT_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
NOTIFICATION_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
STATUS_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"


class Branch:
    """An element under construction."""

    def __init__(self, tag: str, namespace: str, parent: etree._Element | None = None) -> None:
        self._namespace = namespace
        name = f"{{{namespace}}}{tag}"
        if parent is None:
            self.element = etree.Element(name, nsmap={None: namespace})  # type: ignore[dict-item]
        else:
            self.element = etree.SubElement(parent, name)

    def branch(self, *path: str) -> Branch:
        inner = self
        for tag in path:
            inner = Branch(tag, self._namespace, inner.element)
        return inner

    def leaf(self, *path: str, text: str | None, **attributes: str) -> None:
        if text:
            last = self.branch(*path).element
            last.text = text
            for name, value in attributes.items():
                last.set(name, value)

    def written(self) -> bytes:
        return etree.tostring(self.element, xml_declaration=True, encoding="UTF-8")


def fitted(lines: Sequence[Booking], faults: Sequence[Fault], currency: str) -> list[Booking]:
    """Return the lines as the bank will tell them for ever, with those faults that leave the balances in step."""
    told = list(lines)
    for fault in faults:
        at = fault.number("line", 0)
        if fault.kind == "extra_line" and fault.day:
            amount_minor = fault.number("amount_minor", 12_345)
            remittance = fault.text("remittance", "UNKNOWN SENDER")
            told.append(Booking(fault.day, amount_minor, currency, "credit", remittance, "BHEXTRA", counterparty="?"))
        elif fault.kind == "duplicate_line" and at < len(told):
            told.insert(at, told[at])
        elif fault.kind == "omit_line" and at < len(told):
            del told[at]
    return told


def write_statement(
    row: StatementRow, faults: Sequence[Fault], *, account_iban: str, currency: str, owner: str, made_at: datetime
) -> bytes:
    """Return the day's camt.053.001.08, with the faults that are only in the paper."""
    ordered = {fault.kind: fault for fault in faults}
    if "empty" in ordered:
        return b""
    if "wrong_account" in ordered:
        account_iban = ordered["wrong_account"].text("iban", "AE070331234567890123456")
    if "wrong_currency" in ordered:
        currency = ordered["wrong_currency"].text("currency", "USD")
    sequence = row.sequence + (1 if "gap" in ordered else 0)
    closing_minor = row.closing_minor
    if "wrong_total" in ordered:
        closing_minor += ordered["wrong_total"].number("amount_minor", 1)

    document = Branch("Document", STATEMENT_NAMESPACE)
    message = document.branch("BkToCstmrStmt")
    identifier = f"{row.day:%Y%m%d}-{sequence:05d}"
    header = message.branch("GrpHdr")
    header.leaf("MsgId", text=f"BH-{identifier}")
    header.leaf("CreDtTm", text=made_at.isoformat(timespec="seconds"))
    statement = message.branch("Stmt")
    statement.leaf("Id", text=identifier)
    statement.leaf("ElctrncSeqNb", text=str(sequence))
    statement.leaf("CreDtTm", text=made_at.isoformat(timespec="seconds"))
    period = statement.branch("FrToDt")
    period.leaf("FrDtTm", text=f"{row.day.isoformat()}T00:00:00+04:00")
    period.leaf("ToDtTm", text=f"{row.day.isoformat()}T23:59:59+04:00")
    account = statement.branch("Acct")
    account.leaf("Id", "IBAN", text=account_iban)
    account.leaf("Ccy", text=currency)
    account.leaf("Ownr", "Nm", text=owner)
    _write_balance(statement, "OPBD", row.opening_minor, currency, row.day)
    _write_balance(statement, "CLBD", closing_minor, currency, row.day)
    for (batch, _), group in groupby(row.told, key=_one_debit):
        _write_entry(statement, list(group), currency, batch)
    written = document.written()
    return written[: len(written) * 3 // 5] if "truncated" in ordered else written


def _one_debit(booking: Booking) -> tuple[str | None, str | None]:
    """Group the lines of a file that asked to be booked as one debit; every other booking stands alone."""
    if booking.kind == "payout_batch":
        return booking.batch_reference, None
    return None, booking.bank_reference


def _write_amount(parent: Branch, amount_minor: int, currency: str) -> None:
    parent.leaf("Amt", text=Money(abs(amount_minor), currency).decimal(), Ccy=currency)
    parent.leaf("CdtDbtInd", text="CRDT" if amount_minor >= 0 else "DBIT")


def _write_balance(statement: Branch, code: str, amount_minor: int, currency: str, day: date) -> None:
    balance = statement.branch("Bal")
    balance.leaf("Tp", "CdOrPrtry", "Cd", text=code)
    _write_amount(balance, amount_minor, currency)
    balance.leaf("Dt", "Dt", text=day.isoformat())


def _write_entry(statement: Branch, bookings: list[Booking], currency: str, batch: str | None) -> None:
    first = bookings[0]
    entry = statement.branch("Ntry")
    _write_amount(entry, sum(b.amount_minor for b in bookings), currency)
    entry.leaf("Sts", "Cd", text="BOOK")
    entry.leaf("BookgDt", "Dt", text=first.booked_on.isoformat())
    entry.leaf("ValDt", "Dt", text=first.booked_on.isoformat())
    entry.leaf("AcctSvcrRef", text=first.bank_reference)
    domain = entry.branch("BkTxCd").branch("Domn")
    domain.leaf("Cd", text="PMNT")
    family = domain.branch("Fmly")
    family.leaf("Cd", text="RCDT" if first.amount_minor >= 0 else "ICDT")
    family.leaf("SubFmlyCd", text="RRTN" if first.return_reason else "DMCT")
    details = entry.branch("NtryDtls")
    if batch is not None:
        information = details.branch("Btch")
        information.leaf("PmtInfId", text=batch)
        information.leaf("NbOfTxs", text=str(len(bookings)))
    for booking in bookings:
        _write_transaction(details.branch("TxDtls"), booking, currency)


def _write_transaction(transaction: Branch, booking: Booking, currency: str) -> None:
    references = transaction.branch("Refs")
    references.leaf("AcctSvcrRef", text=booking.bank_reference)
    references.leaf("PmtInfId", text=booking.batch_reference)
    references.leaf("EndToEndId", text=booking.end_to_end_id or "NOTPROVIDED")
    _write_amount(transaction, booking.amount_minor, currency)
    # A returned payment keeps its parties: we are its debtor, and the other side is still its creditor.
    other = "Dbtr" if booking.amount_minor >= 0 and not booking.return_reason else "Cdtr"
    if booking.counterparty or booking.creditor_iban:
        parties = transaction.branch("RltdPties")
        parties.leaf(other, "Pty", "Nm", text=booking.counterparty)
        parties.leaf(f"{other}Acct", "Id", "IBAN", text=booking.counterparty_iban)
        if other == "Dbtr":
            parties.leaf("CdtrAcct", "Id", "IBAN", text=booking.creditor_iban)
    if booking.remittance:
        information = transaction.branch("RmtInf")
        for start in range(0, len(booking.remittance), 140):
            information.leaf("Ustrd", text=booking.remittance[start : start + 140])
    if booking.return_reason:
        transaction.leaf("RtrInf", "Rsn", "Cd", text=booking.return_reason)


def write_notification(booking: Booking, *, account_iban: str, currency: str, owner: str) -> bytes:
    """Return the camt.054.001.08 on one credit, as the bank sends it within the day."""
    document = Branch("Document", NOTIFICATION_NAMESPACE)
    message = document.branch("BkToCstmrDbtCdtNtfctn")
    header = message.branch("GrpHdr")
    header.leaf("MsgId", text=f"NTF{booking.bank_reference}")
    header.leaf("CreDtTm", text=f"{booking.booked_on.isoformat()}T00:00:00+04:00")
    notification = message.branch("Ntfctn")
    notification.leaf("Id", text=f"{booking.booked_on:%Y%m%d}-{booking.bank_reference}")
    notification.leaf("CreDtTm", text=f"{booking.booked_on.isoformat()}T00:00:00+04:00")
    account = notification.branch("Acct")
    account.leaf("Id", "IBAN", text=account_iban)
    account.leaf("Ccy", text=currency)
    account.leaf("Ownr", "Nm", text=owner)
    _write_entry(notification, [booking], currency, None)
    return document.written()


def write_status(
    file: FileRow,
    payments: Sequence[PaymentRow],
    *,
    report_id: str,
    made_at: datetime,
    today: date,
    word: str | None = None,
) -> bytes:
    """Return the pain.002.001.10 on a payment file: for the whole and for each line."""
    document = Branch("Document", STATUS_NAMESPACE)
    report = document.branch("CstmrPmtStsRpt")
    header = report.branch("GrpHdr")
    header.leaf("MsgId", text=report_id)
    header.leaf("CreDtTm", text=made_at.isoformat(timespec="seconds"))
    original = report.branch("OrgnlGrpInfAndSts")
    original.leaf("OrgnlMsgId", text=file.message_id)
    original.leaf("OrgnlMsgNmId", text="pain.001")
    rejected = [payment for payment in payments if payment.reason]
    accepted = "ACSC" if today >= file.debit_on + timedelta(days=1) else "ACSP"
    whole = "PART" if rejected else accepted
    if file.reason or len(rejected) == len(payments):
        whole = "RJCT"
    original.leaf("GrpSts", text=word or whole)
    if file.reason:
        original.leaf("StsRsnInf", "Rsn", "Cd", text=file.reason)
    batch = report.branch("OrgnlPmtInfAndSts")
    batch.leaf("OrgnlPmtInfId", text=file.message_id)
    for payment in payments:
        line = batch.branch("TxInfAndSts")
        line.leaf("OrgnlEndToEndId", text=payment.end_to_end_id)
        reason = file.reason or payment.reason
        line.leaf("TxSts", text=word or ("RJCT" if reason else accepted))
        if reason:
            line.leaf("StsRsnInf", "Rsn", "Cd", text=reason)
    return document.written()
