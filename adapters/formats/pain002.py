"""Read a bank's answer to a payment order: pain.002 of any version, leniently by local name.

Only an explicit rejection is one. A word we do not know leaves the payout unknown until the statement proves it.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

from adapters.contract import PayoutReport, PayoutStatus
from adapters.errors import FileRefusedError
from adapters.formats.camt_entry import LOCAL, Element, children, text_at
from adapters.formats.swift_text import from_wire_reference
from adapters.formats.xml_source import XmlSource, walk

STATUS_WORDS: Final = {
    "RCVD": PayoutStatus.RECEIVED,  # the bank has it
    "ACTC": PayoutStatus.RECEIVED,  # it is well formed; nobody looked at the accounts yet
    "PDNG": PayoutStatus.RECEIVED,  # waits for funds, a cut-off or an approval
    "PATC": PayoutStatus.RECEIVED,  # some approvals are still missing
    "ACCP": PayoutStatus.ACCEPTED,  # the customer's profile was checked
    "ACSP": PayoutStatus.ACCEPTED,  # settlement is under way
    "ACWC": PayoutStatus.ACCEPTED,  # accepted with a change the bank names
    "ACWP": PayoutStatus.ACCEPTED,  # accepted, the creditor not yet informed
    "ACFC": PayoutStatus.ACCEPTED,  # funds were checked
    "ACSC": PayoutStatus.ACCEPTED,  # the debtor's account was debited; the statement will prove it
    "ACCC": PayoutStatus.ACCEPTED,  # the creditor's account was credited
    "PART": PayoutStatus.ACCEPTED,  # some lines were rejected; each says so itself
    "RJCT": PayoutStatus.REJECTED,
    "CANC": PayoutStatus.REJECTED,  # cancelled on request, before anything moved
}
REASONS_MAX: Final = 20
LINES_MAX: Final = 200_000


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The bank's report on one order: which order it means, and what it says of it."""

    message_id: str
    report: PayoutReport
    words: tuple[str, ...] = ()


def read_status_report(data: bytes) -> StatusReport:
    """Return what the bank says; `FileRefusedError` when the bytes are no report at all."""
    message_id = ""
    group_word = ""
    lines: dict[str, PayoutStatus] = {}
    reasons: list[str] = []
    unknown: list[str] = []
    batch_words: list[str] = []
    tags = ("OrgnlGrpInfAndSts", "OrgnlPmtInfAndSts", "TxInfAndSts")
    for event, element in walk(XmlSource(io.BytesIO(data)), tags=tags):
        if event == "start":
            continue
        parts = children(element)
        name = LOCAL[element.tag]
        if name == "OrgnlGrpInfAndSts":
            message_id = text_at(element, "OrgnlMsgId")
            group_word = text_at(element, "GrpSts")
            reasons += _reasons(element, "")
        elif name == "OrgnlPmtInfAndSts":
            word = text_at(element, "PmtInfSts")
            batch_words += [word] if word else []
            reasons += _reasons(element, "")
        elif "OrgnlEndToEndId" in parts or "OrgnlInstrId" in parts:
            line = from_wire_reference(text_at(element, "OrgnlEndToEndId") or text_at(element, "OrgnlInstrId"))
            word = text_at(element, "TxSts")
            lines[line] = _status(word, unknown)
            reasons += _reasons(element, f"{line}: ")
            if len(lines) > LINES_MAX:
                raise FileRefusedError(f"a status report of more than {LINES_MAX} lines is not one of ours")
            element.clear(keep_tail=True)  # type: ignore[call-arg] # the stubs are older than the argument
    if not message_id:
        raise FileRefusedError("the file is not a payment status report: it names no original message")
    status = _whole(group_word, batch_words, lines, unknown)
    left = len(reasons) - REASONS_MAX
    reason = "; ".join(reasons[:REASONS_MAX]) + (f"; and {left} more" if left > 0 else "")
    return StatusReport(
        from_wire_reference(message_id), PayoutReport(status, lines, reason), tuple(sorted(set(unknown)))
    )


def _status(word: str, unknown: list[str]) -> PayoutStatus:
    status = STATUS_WORDS.get(word.upper())
    if status is None:
        unknown.append(word)
        return PayoutStatus.UNKNOWN
    return status


def _whole(group_word: str, batch_words: list[str], lines: dict[str, PayoutStatus], unknown: list[str]) -> PayoutStatus:
    """Return the word on the file: its own, else its one batch's, else what its lines allow."""
    if group_word:
        return _status(group_word, unknown)
    if batch_words:
        statuses = {_status(word, unknown) for word in batch_words}
        if len(statuses) == 1:
            return statuses.pop()
        return PayoutStatus.UNKNOWN if PayoutStatus.UNKNOWN in statuses else PayoutStatus.ACCEPTED
    if not lines:
        return PayoutStatus.UNKNOWN
    # A report of rejected lines alone does not list the others, so it is never the whole file's rejection.
    return PayoutStatus.ACCEPTED if PayoutStatus.UNKNOWN not in lines.values() else PayoutStatus.UNKNOWN


def _reasons(element: Element, prefix: str) -> list[str]:
    found = []
    for child in element:
        if LOCAL[child.tag] != "StsRsnInf":
            continue
        code = text_at(child, "Rsn", "Cd") or text_at(child, "Rsn", "Prtry")
        texts = [(n.text or "").strip() for n in child if LOCAL[n.tag] == "AddtlInf"]
        words = " ".join(word for word in (code, *texts) if word)
        if words:
            found.append(prefix + words[:200])
    return found
