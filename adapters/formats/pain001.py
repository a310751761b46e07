"""Write a payment order for a bank: pain.001.001.09, or .03 for the banks that still ask for it.

The same `PayoutFile` always gives the same bytes, so that a resend is recognisably the same file. Nothing leaves
that the official schema does not accept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from lxml import etree
from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException

from adapters.contract import PayoutFile, PayoutLine
from adapters.errors import RejectedError
from adapters.formats.swift_text import is_swift_reference, to_swift_text, to_wire_reference
from ledger.errors import MoneyError
from ledger.money import total

NAME_LENGTH_MAX: Final = 70
REMITTANCE_LENGTH_MAX: Final = 140
PURPOSE_LENGTH: Final = 3
LINES_MAX: Final = 100_000


class Version(StrEnum):
    V03 = "pain.001.001.03"
    V09 = "pain.001.001.09"


class ChargeBearer(StrEnum):
    PAYER = "DEBT"
    SHARED = "SHAR"


@dataclass(frozen=True, slots=True)
class OrderProfile:
    """What one bank wants its payment orders to look like.

    UAE banks must be told the purpose of every payment as a three-letter code of the Central Bank; some read it from
    `Purp/Prtry`, some from the regulatory reporting text, some from both.
    """

    version: Version = Version.V09
    charge_bearer: ChargeBearer = ChargeBearer.PAYER
    purpose_as_proprietary: bool = True
    purpose_as_regulatory: bool = True
    book_as_one_debit: bool = False


def write_payment_order(file: PayoutFile, profile: OrderProfile | None = None) -> bytes:
    """Return the order as bytes; `RejectedError` names the line a bank would not take, and nothing was sent."""
    profile = profile or OrderProfile()
    currency = _check(file)
    control_sum = total((line.amount for line in file.lines), currency).decimal()
    count = str(len(file.lines))
    namespace = f"urn:iso:std:iso:20022:tech:xsd:{profile.version}"
    document = etree.Element(f"{{{namespace}}}Document", nsmap={None: namespace})  # type: ignore[dict-item]
    order = _Branch(document, namespace).branch("CstmrCdtTrfInitn")

    header = order.branch("GrpHdr")
    header.leaf("MsgId", to_wire_reference(file.message_id))
    header.leaf("CreDtTm", file.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    header.leaf("NbOfTxs", count)
    header.leaf("CtrlSum", control_sum)
    header.branch("InitgPty").leaf("Nm", _name(file.debtor_name, "the debtor"))

    batch = order.branch("PmtInf")
    batch.leaf("PmtInfId", to_wire_reference(file.message_id))
    batch.leaf("PmtMtd", "TRF")
    batch.leaf("BtchBookg", "true" if profile.book_as_one_debit else "false")
    batch.leaf("NbOfTxs", count)
    batch.leaf("CtrlSum", control_sum)
    if profile.version is Version.V09:
        batch.branch("ReqdExctnDt").leaf("Dt", file.execution_date.isoformat())
    else:
        batch.leaf("ReqdExctnDt", file.execution_date.isoformat())
    batch.branch("Dbtr").leaf("Nm", _name(file.debtor_name, "the debtor"))
    account = batch.branch("DbtrAcct")
    account.branch("Id").leaf("IBAN", file.debtor_iban)
    account.leaf("Ccy", currency)
    agent = batch.branch("DbtrAgt").branch("FinInstnId")
    if file.debtor_bic:
        agent.leaf(_bic_tag(profile), file.debtor_bic)
    else:
        agent.branch("Othr").leaf("Id", "NOTPROVIDED")
    batch.leaf("ChrgBr", profile.charge_bearer)
    for line in file.lines:
        _write_line(batch.branch("CdtTrfTxInf"), line, profile)

    _refuse_invalid(document, profile.version)
    return etree.tostring(document, xml_declaration=True, encoding="UTF-8")


@dataclass(frozen=True, slots=True)
class _Branch:
    """An element under construction, so that the order reads like the message's own tree."""

    element: etree._Element
    namespace: str

    def branch(self, tag: str) -> _Branch:
        return _Branch(etree.SubElement(self.element, f"{{{self.namespace}}}{tag}"), self.namespace)

    def leaf(self, tag: str, text: str, **attributes: str) -> None:
        etree.SubElement(self.element, f"{{{self.namespace}}}{tag}", attrib=attributes).text = text


def _write_line(payment: _Branch, line: PayoutLine, profile: OrderProfile) -> None:
    identification = payment.branch("PmtId")
    identification.leaf("InstrId", to_wire_reference(line.end_to_end_id))
    identification.leaf("EndToEndId", to_wire_reference(line.end_to_end_id))
    payment.branch("Amt").leaf("InstdAmt", line.amount.decimal(), Ccy=line.amount.currency)
    if line.creditor_bic:
        payment.branch("CdtrAgt").branch("FinInstnId").leaf(_bic_tag(profile), line.creditor_bic)
    payment.branch("Cdtr").leaf("Nm", _name(line.creditor_name, line.end_to_end_id))
    payment.branch("CdtrAcct").branch("Id").leaf("IBAN", line.creditor_iban)
    if profile.purpose_as_proprietary:
        payment.branch("Purp").leaf("Prtry", line.purpose)
    if profile.purpose_as_regulatory:
        inside = line.amount.currency == "AED" and line.creditor_iban.startswith("AE")
        word = "BENEFRES" if inside else "ORDERRES"
        payment.branch("RgltryRptg").branch("Dtls").leaf("Inf", f"/{word}/AE//{line.purpose}")
    if line.remittance:
        text = to_swift_text(line.remittance, length_max=REMITTANCE_LENGTH_MAX)
        if text is None:
            raise RejectedError(f"{line.end_to_end_id}: the remittance has letters outside the SWIFT character set")
        payment.branch("RmtInf").leaf("Ustrd", text)


def _bic_tag(profile: OrderProfile) -> str:
    return "BICFI" if profile.version is Version.V09 else "BIC"


def _name(name: str, whose: str) -> str:
    text = to_swift_text(name, length_max=NAME_LENGTH_MAX)
    if text is None:
        raise RejectedError(f"{whose}: the name {name!r} cannot be written in the SWIFT character set")
    return text


def _check(file: PayoutFile) -> str:
    """Refuse what no schema can see: references, check digits, mixed currencies, one line twice."""
    if not file.lines:
        raise RejectedError("a payment order needs at least one line")
    if len(file.lines) > LINES_MAX:
        raise RejectedError(f"a payment order holds at most {LINES_MAX} lines, not {len(file.lines)}")
    if not is_swift_reference(to_wire_reference(file.message_id)):
        raise RejectedError(f"message id {file.message_id!r} is not 1 to 35 marks of the SWIFT character set")
    _check_account(file.debtor_iban, file.debtor_bic, "the debtor")
    currency = file.lines[0].amount.currency
    seen: set[str] = set()
    for line in file.lines:
        if line.end_to_end_id in seen:
            raise RejectedError(f"{line.end_to_end_id}: the same end-to-end id stands on two lines")
        seen.add(line.end_to_end_id)
        _check_line(line, currency)
    try:
        total((line.amount for line in file.lines), currency)
    except MoneyError as error:
        raise RejectedError(f"the order's control sum does not stand: {error}") from error
    return currency


def _check_line(line: PayoutLine, currency: str) -> None:
    whose = line.end_to_end_id
    if not is_swift_reference(to_wire_reference(whose)):
        raise RejectedError(f"end-to-end id {whose!r} is not 1 to 35 marks of the SWIFT character set")
    if line.amount.currency != currency:
        raise RejectedError(f"{whose}: {line.amount.currency} in an order of {currency}")
    if line.amount.amount_minor <= 0:
        raise RejectedError(f"{whose}: {line.amount} is not an amount to pay")
    if len(line.purpose) != PURPOSE_LENGTH or not line.purpose.isascii() or not line.purpose.isupper():
        raise RejectedError(f"{whose}: purpose {line.purpose!r} is not a three-letter code")
    _check_account(line.creditor_iban, line.creditor_bic, whose)


def _check_account(iban: str, bic: str | None, whose: str) -> None:
    try:
        IBAN(iban)
        if bic is not None:
            BIC(bic)
    except SchwiftyException as error:
        raise RejectedError(f"{whose}: {iban} {bic or ''} is not an account a bank can pay ({error})") from error
    if iban != iban.replace(" ", "").upper():
        raise RejectedError(f"{whose}: {iban!r} must be written without spaces, in capitals")


@cache
def schema_of(version: Version) -> etree.XMLSchema:
    """Return the official schema of the version, as shipped with sepaxml."""
    source = files("sepaxml").joinpath("schemas", f"{version}.xsd").read_bytes()
    return etree.XMLSchema(etree.fromstring(source))


def _refuse_invalid(document: etree._Element, version: Version) -> None:
    schema = schema_of(version)
    if not schema.validate(document):
        faults: Sequence[str] = [str(fault.message) for fault in schema.error_log][:3]  # type: ignore[attr-defined]
        raise RejectedError(f"{version} does not allow this order: {'; '.join(faults)}")
