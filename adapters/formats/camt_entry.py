"""Read one `Ntry` of a camt message: leniently, by local name, and split into its single bookings where it can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from lxml import etree

from adapters.contract import StatementEntry
from adapters.errors import FileRefusedError
from adapters.formats.creditor_reference import references_in
from adapters.formats.statement_parts import Dates, Warnings, money, read_amount
from adapters.formats.swift_text import from_wire_reference

Element = etree._Element  # noqa: SLF001 - lxml has no public name for the type of an element

NOT_GIVEN: Final = frozenset({"NOTPROVIDED", "NOT PROVIDED", "NONREF", "NOTAVAILABLE", ""})
RETURN_FAMILIES: Final = frozenset({"RRTN", "PRTN", "RPCR", "ARET", "UPDD"})
LOCAL_NAMES_MAX: Final = 10_000


class _LocalNames(dict[str, str]):
    """Tags without their namespace: banks disagree on versions, not on names. Each is cut once."""

    def __missing__(self, tag: str) -> str:
        if len(self) >= LOCAL_NAMES_MAX:
            self.clear()
        self[tag] = name = tag[tag.rfind("}") + 1 :]
        return name


LOCAL: Final = _LocalNames()


def line_of(element: Element) -> int | None:
    line: object = element.sourceline
    return line if isinstance(line, int) else None


def children(element: Element) -> dict[str, Element]:
    """Return the first child of each local name."""
    return {LOCAL[child.tag]: child for child in reversed(element)}


def text_at(element: Element | None, *path: str) -> str:
    """Return the stripped text at the path of local names, or nothing."""
    for step in path:
        if element is None:
            return ""
        for child in element:
            if LOCAL[child.tag] == step:
                element = child
                break
        else:
            return ""
    return (element.text or "").strip() if element is not None else ""


@dataclass(frozen=True, slots=True)
class Detail:
    """What one `TxDtls` says, before its entry decides whether it may stand alone."""

    line: int | None
    amount_minor: int | None
    currency: str
    credit: bool | None
    bank_reference: str | None
    end_to_end_id: str | None
    batch_reference: str | None
    remittance: str
    debtor: str | None
    debtor_account: str | None
    creditor: str | None
    creditor_account: str | None
    code: str | None
    returned: bool


def read_detail(element: Element) -> Detail:
    """Read one transaction of an entry; it is read when it ends, so that a batch of a million stays small."""
    line = line_of(element)
    parts = children(element)
    references = {name: _given(node) for name, node in children(parts["Refs"]).items()} if "Refs" in parts else {}
    amount = parts.get("Amt")
    if amount is None and "AmtDtls" in parts:
        amount = _amount_of_details(parts["AmtDtls"])
    minor, currency = None, ""
    if amount is not None and amount.text:
        currency = amount.get("Ccy", "")
        minor = read_amount(amount.text, currency, line=line)
    parties = children(parts["RltdPties"]) if "RltdPties" in parts else {}
    end_to_end = references.get("EndToEndId")
    return Detail(
        line=line,
        amount_minor=minor,
        currency=currency,
        credit=read_sign(parts.get("CdtDbtInd"), line=line) if "CdtDbtInd" in parts else None,
        bank_reference=references.get("AcctSvcrRef"),
        end_to_end_id=from_wire_reference(end_to_end) if end_to_end else None,
        batch_reference=references.get("PmtInfId"),
        remittance=_remittance(parts),
        debtor=_party(parties.get("Dbtr")) or _party(parties.get("UltmtDbtr")),
        debtor_account=_account(parties.get("DbtrAcct")),
        creditor=_party(parties.get("Cdtr")) or _party(parties.get("UltmtCdtr")),
        creditor_account=_account(parties.get("CdtrAcct")),
        code=read_code(parts.get("BkTxCd")),
        returned="RtrInf" in parts,
    )


def read_sign(element: Element | None, *, line: int | None) -> bool:
    """Return whether the amount is a credit; a word that is neither is never guessed."""
    word = (element.text or "").strip() if element is not None else ""
    if word == "CRDT":
        return True
    if word == "DBIT":
        return False
    raise FileRefusedError(f"{word!r} is neither CRDT nor DBIT", line=line)


def read_code(element: Element | None) -> str | None:
    """Return the bank transaction code: the ISO domain, family and sub-family, else the bank's own."""
    if element is None:
        return None
    parts = children(element)
    if "Domn" in parts:
        domain = children(parts["Domn"])
        family = domain.get("Fmly")
        words = (
            _text(domain.get("Cd")),
            *((text_at(family, "Cd"), text_at(family, "SubFmlyCd")) if family is not None else ()),
        )
        if any(words):
            return "-".join(word for word in words if word)
    return text_at(parts.get("Prtry"), "Cd") or None


def _text(element: Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def _given(element: Element) -> str | None:
    text = (element.text or "").strip()
    return None if text.upper() in NOT_GIVEN else text


def _amount_of_details(element: Element) -> Element | None:
    parts = children(element)
    for name in ("TxAmt", "InstdAmt"):
        if name in parts:
            return children(parts[name]).get("Amt")
    return None


def _party(element: Element | None) -> str | None:
    """Return the name, which stands in `Nm` up to version 07 and in `Pty/Nm` or `Agt/…/Nm` since 08."""
    if element is None:
        return None
    return (
        text_at(element, "Nm") or text_at(element, "Pty", "Nm") or text_at(element, "Agt", "FinInstnId", "Nm") or None
    )


def _account(element: Element | None) -> str | None:
    if element is None:
        return None
    return (text_at(element, "Id", "IBAN") or text_at(element, "Id", "Othr", "Id")).replace(" ", "") or None


def _remittance(parts: dict[str, Element]) -> str:
    texts: list[str] = []
    if "RmtInf" in parts:
        for child in parts["RmtInf"]:
            name = LOCAL[child.tag]
            if name == "Ustrd":
                texts.append((child.text or "").strip())
            elif name == "Strd":
                texts.append(text_at(child, "CdtrRefInf", "Ref"))
                texts += [(n.text or "").strip() for n in child if LOCAL[n.tag] == "AddtlRmtInf"]
    return " ".join(text for text in texts if text) or _text(parts.get("AddtlTxInf"))


@dataclass(frozen=True, slots=True)
class EntryHead:
    """What the entry itself says, above its transactions."""

    line: int | None
    amount_minor: int
    currency: str
    status: str
    booked_on: date
    value_on: date
    bank_reference: str | None
    batch_reference: str | None
    code: str | None
    reversal: bool
    remark: str


def read_head(element: Element, dates: Dates, warnings: Warnings, *, day: Callable[[], date | None]) -> EntryHead:
    """Read the entry's own words; an entry without any date takes the statement's day, with a warning."""
    line = line_of(element)
    parts = children(element)
    if "Amt" not in parts:
        raise FileRefusedError("an entry has no amount", line=line)
    currency = parts["Amt"].get("Ccy", "")
    minor = read_amount(parts["Amt"].text or "", currency, line=line)
    if minor < 0:
        warnings.add("an entry's amount carries a sign of its own; it turns credit and debit around", line=line)
    credit = read_sign(parts.get("CdtDbtInd"), line=line)
    status = parts.get("Sts")
    booked, value = (_date_in(parts.get(name), dates, line) for name in ("BookgDt", "ValDt"))
    first_day = booked or value or day()
    if first_day is None:
        raise FileRefusedError("an entry has neither a booking date nor a value date", line=line)
    if booked is None:
        warnings.add("an entry has no booking date; its value date or the statement's day stands in", line=line)
    batch = (
        next((node for node in parts["NtryDtls"] if LOCAL[node.tag] == "Btch"), None) if "NtryDtls" in parts else None
    )
    batch_reference = text_at(batch, "PmtInfId") or text_at(batch, "MsgId")
    return EntryHead(
        line=line,
        amount_minor=minor if credit else -minor,
        currency=currency,
        status=(text_at(status, "Cd") or _text(status)).upper(),
        booked_on=first_day,
        value_on=value or first_day,
        bank_reference=_text(parts.get("AcctSvcrRef")) or _text(parts.get("NtryRef")) or None,
        batch_reference=from_wire_reference(batch_reference) if batch_reference else None,
        code=read_code(parts.get("BkTxCd")),
        reversal=_text(parts.get("RvslInd")) in {"true", "1"},
        remark=_text(parts.get("AddtlNtryInf")),
    )


def _date_in(element: Element | None, dates: Dates, line: int | None) -> date | None:
    if element is None:
        return None
    for child in element:
        if LOCAL[child.tag] in {"Dt", "DtTm"} and child.text:
            return dates.read(child.text, line=line)
    # Old files carry the date in the element itself.
    return dates.read(element.text, line=line) if element.text and element.text.strip() else None


def explode(head: EntryHead, details: list[Detail], number: int, warnings: Warnings) -> Iterator[StatementEntry]:
    """Yield the entry's single bookings, or the entry whole where its transactions do not add up to it."""
    if len(details) <= 1:
        yield _entry(head, details[0] if details else None, number, head.amount_minor)
        return
    amounts = [_signed(detail, head) for detail in details]
    known = [amount for amount in amounts if amount is not None]
    if len(known) < len(details):
        warnings.add("a batch does not give the amount of each transaction; it is kept whole", line=head.line)
    elif sum(known) != head.amount_minor:
        gap = money(head.amount_minor - sum(known), head.currency, line=head.line)
        warnings.add(f"a batch of {len(details)} misses its entry's amount by {gap}; it is kept whole", line=head.line)
    else:
        for offset, (detail, amount) in enumerate(zip(details, known, strict=True)):
            yield _entry(head, detail, number + offset, amount)
        return
    yield _entry(head, None, number, head.amount_minor)


def _signed(detail: Detail, head: EntryHead) -> int | None:
    if detail.amount_minor is None or detail.currency != head.currency:
        return None
    credit = head.amount_minor >= 0 if detail.credit is None else detail.credit
    return detail.amount_minor if credit else -detail.amount_minor


def _entry(head: EntryHead, detail: Detail | None, number: int, amount_minor: int) -> StatementEntry:
    amount = money(amount_minor, head.currency, line=head.line)
    code = (detail.code if detail else None) or head.code
    returned = head.reversal or (code is not None and code.rpartition("-")[2] in RETURN_FAMILIES)
    if detail is None:
        return StatementEntry(
            number, amount, head.booked_on, head.value_on, head.bank_reference, None, head.batch_reference,
            head.remark, None, None, code, returned, references_in(head.remark) if amount_minor > 0 else (),
        )  # fmt: skip
    # The other side of a credit is who paid; of a debit, who was paid; of a returned debit, who should have been.
    other = amount_minor < 0 or ((detail.returned or returned) and not detail.debtor)
    return StatementEntry(
        number=number,
        amount=amount,
        booked_on=head.booked_on,
        value_on=head.value_on,
        bank_reference=detail.bank_reference or head.bank_reference,
        end_to_end_id=detail.end_to_end_id,
        batch_reference=from_wire_reference(detail.batch_reference) if detail.batch_reference else head.batch_reference,
        remittance=detail.remittance or head.remark,
        counterparty=detail.creditor if other else detail.debtor,
        counterparty_iban=detail.creditor_account if other else detail.debtor_account,
        code=code,
        returned=returned or detail.returned,
        references=_references(head, detail) if amount_minor > 0 else (),
    )


def _references(head: EntryHead, detail: Detail) -> tuple[str, ...]:
    """Gather what a credit names: in its text, as its end-to-end id, or by the virtual account it was paid to."""
    said = " ".join(
        text for text in (detail.remittance, detail.creditor_account, detail.end_to_end_id, head.remark) if text
    )
    return references_in(said)
