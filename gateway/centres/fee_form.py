"""The form of one fee at a counter: which fields it has, what was typed in them, and what is wrong with each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.centres.visit import Visit
from gateway.centres.words import sentence_for_fault
from gateway.domain.errors import FieldFault, InvalidError
from gateway.domain.tariff_terms import QUANTITY_MAX
from gateway.domain.text import check_text
from gateway.services.catalogue.price_basket import LineRequest
from gateway.services.centres.counter_fees import Fee, FeeLine
from gateway.web.i18n import sentence
from gateway.web.pages import money
from gateway.web.typed import clean, read_amount

_REFERENCE_MAX: Final = 64
_FIELDS: Final = {
    "quantity": "quantity", "amount": "amount", "base_amount": "base", "answers": "concession",
}  # fmt: skip
_TICKED: Final = "yes"


@dataclass(frozen=True, slots=True)
class FeeFields:
    """One line of the fee with the names of its fields on the page."""

    line: FeeLine
    number: int

    def name(self, field: str) -> str:
        return f"{field}-{self.number}" if self.line.in_bundle else field


def fields_of(fee: Fee) -> Sequence[FeeFields]:
    return [FeeFields(line, number) for number, line in enumerate(fee.lines)]


def read_form(fee: Fee, posted: Mapping[str, str]) -> tuple[list[LineRequest], str]:
    """Read the lines and the reference; all faults are told at once, by the places the services would name."""
    faults: list[FieldFault] = []
    lines = []
    for fields in fields_of(fee):
        try:
            lines.append(_read_line(fields, posted))
        except InvalidError as error:
            faults += error.faults
    reference = posted.get("reference", "").strip()
    try:
        check_text(reference, length_max=_REFERENCE_MAX, pointer="/reference")
    except InvalidError as error:
        faults += error.faults
    if faults:
        raise InvalidError(faults=faults)
    return lines, reference


def _read_line(fields: FeeFields, posted: Mapping[str, str]) -> LineRequest:
    line, at = fields.line, f"/lines/{fields.number}"
    quantity, amount_minor, base_minor = line.quantity, None, None
    answers: dict[str, str | bool] = {}
    faults: list[FieldFault] = []
    if line.asks_quantity:
        typed = clean(posted.get(fields.name("quantity"), "")) or "1"
        if typed.isascii() and typed.isdigit() and 1 <= int(typed) <= QUANTITY_MAX:
            quantity = int(typed)
        else:
            faults.append(FieldFault(f"{at}/quantity", "invalid", "a whole number"))
    try:
        amount_minor = _amount(line, posted.get(fields.name("amount"), "")) if line.asks_amount else None
    except InvalidError as error:
        faults.append(FieldFault(f"{at}/amount", "invalid", error.detail))
    try:
        base_minor = _amount(line, posted.get(fields.name("base"), "")) if line.asks_base else None
    except InvalidError as error:
        faults.append(FieldFault(f"{at}/base_amount", "invalid", error.detail))
    for number, concession in enumerate(line.concessions):
        if posted.get(f"{fields.name('concession')}-{number}") != _TICKED:
            continue
        if any(answers.get(question, wanted) != wanted for question, wanted in concession.when.items()):
            faults.append(FieldFault(f"{at}/answers", "invalid", "two concessions that exclude each other"))
        answers |= concession.when
    if faults:
        raise InvalidError(faults=faults)
    return LineRequest(line.service.code, quantity, amount_minor, base_minor=base_minor, answers=answers)


def _amount(line: FeeLine, typed: str) -> int:
    amount = read_amount(typed, line.currency)
    if amount.amount_minor < 1:
        raise InvalidError("is not an amount anybody pays", pointer="/amount")
    return amount.amount_minor


def said_at_fields(visit: Visit, fee: Fee, error: InvalidError) -> dict[str, str]:
    """Say of each fault what to do, by the field it stands at; "" is the page itself."""
    said: dict[str, str] = {}
    for fault in error.faults or (FieldFault("", "invalid", ""),):
        _, first, *rest = [*fault.pointer.split("/"), ""]
        if first != "lines" or len(rest) < 2 or rest[1] not in _FIELDS:  # noqa: PLR2004 - a number and a field
            said.setdefault(
                first if first in ("reference", "emirates_id") else "", visit.say(sentence_for_fault(fault))
            )
            continue
        fields = fields_of(fee)[int(rest[0])]
        least, most = fields.line.ends
        words = {
            "quantity": visit.say(sentence("Enter a whole number, from 1 on, that this fee allows.")),
            "amount": visit.say(
                sentence("Enter an amount from %(least)s to %(most)s"), least=money(least), most=money(most)
            ),
            "base_amount": visit.say(sentence("Enter the amount that this fee is a share of.")),
            "answers": visit.say(sentence("Two of these exclude each other. Choose one of them.")),
        }
        said.setdefault(fields.name(_FIELDS[rest[1]]), words[rest[1]])
    return said
