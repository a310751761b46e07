"""What an agent is told when something cannot be done, in words of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.domain.errors import FieldFault, GatewayError, InvalidError, SamePersonError
from gateway.web.i18n import sentence

_FIELDS: Final[Mapping[str, str]] = {
    "/emirates_id": sentence("This is not the number of an Emirates ID. Look at the card again."),
    "/amount": sentence("This is not an amount."),
    "/float": sentence("This is not a float a drawer is given."),
    "/counted": sentence("This is not an amount."),
    "/terminal_reference": sentence("This is not the reference on the terminal’s slip."),
    "/approval_code": sentence("An approval code has six letters or digits."),
    "/reference": sentence("Enter the reference of the case."),
    "/card": sentence("This is not the card that was shown when the bill was paid."),
    "/reason": sentence("Say why the cash goes back."),
    "/new": sentence("A password has at least 12 characters and is not the present one."),
}
_SAID: Final[Mapping[str, str]] = {
    "open a shift first": sentence("Open a shift first."),
    "a shift of this agent is open": sentence("Your shift is open already."),
    "no shift of this agent is open": sentence("No shift of yours is open."),
    "record the payer's identity first": sentence("Record the payer’s identity card first."),
    "money was taken on the card that was shown": sentence(
        "Money was taken on the card that was shown. It stays with this bill."
    ),
    "this slip has paid another bill": sentence("This slip has paid another bill already."),
    "no card terminal stands in this centre": sentence("No card terminal stands in this centre."),
    "this bill can no longer be paid": sentence("This bill can no longer be paid."),
    "the payer's bank has reserved the amount already": sentence(
        "The payer’s bank has reserved the amount already. Take no money."
    ),
    "the drawer holds another currency": sentence("Your drawer holds another currency."),
    "a payment of this bill is under way; wait for its result": sentence(
        "A payment of this bill is under way. Take no money; look again in a minute."
    ),
    "a payment is still being booked; count again in a moment": sentence(
        "A payment is still being booked. Count again in a moment."
    ),
    "only a paid bill has cash to give back": sentence("Only a paid bill has cash to give back."),
    "this cash was not taken in your open shift": sentence(
        "This cash was not taken in your open shift. The department asks for a refund, which any centre then hands out."
    ),
    "this drawer has been counted": sentence("This drawer has been counted already."),
    "the drawer holds less than this": sentence("The drawer holds less than this. Another drawer may hand it out."),
    "this bill's cash is being given back already": sentence("This bill’s cash is being given back already."),
    "this cash does not wait for anybody": sentence("This was decided already."),
    "the shift in which it was taken is over": sentence(
        "The shift in which it was taken is over. The department asks for a refund, which any centre then hands out."
    ),
    "cash of this drawer waits to be given back": sentence(
        "Cash of your drawer waits to be given back. A supervisor decides first."
    ),
    "this shift does not wait for anybody": sentence("This shift is closed already."),
}
_LINES: Final[Mapping[str, str]] = {
    "nothing is to be paid: every fee is waived": sentence("Nothing is to be paid: the fee is waived."),
}
_ELSE: Final = sentence("This cannot be done. Look at the bill again before you take money.")
_LINE: Final = sentence("This fee cannot be asked for like this. Look at the quantity and the amount.")


def sentence_for_fault(fault: FieldFault) -> str:
    """Return the sentence that says what to do about one field."""
    if fault.pointer.startswith("/lines"):
        return _LINES.get(fault.detail, _LINE)
    return _FIELDS.get(fault.pointer, _LINE)


def sentence_for(error: GatewayError) -> str:
    """Return the sentence, in the pages' own language, that says what to do about a refusal."""
    if isinstance(error, SamePersonError):
        return sentence("You cannot approve what you asked for or counted yourself.")
    if isinstance(error, InvalidError):
        return sentence_for_fault(error.faults[0]) if error.faults else _LINE
    return _SAID.get(error.detail, _ELSE)
