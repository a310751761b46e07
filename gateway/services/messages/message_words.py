"""What messages to payers say, in Arabic and English, worded from what their subject is at that moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from babel.dates import format_datetime

from gateway.deps import Deps, OutgoingMessage
from gateway.domain.attempt import PROVEN_DEAD
from gateway.domain.department import Names
from gateway.domain.intent import IntentStatus
from gateway.services import links, notices
from gateway.services.contacts import recipient_of
from gateway.services.notices import NOT_PAID, RECEIPT, REMINDER
from gateway.services.payers.read_checkout import read_checkout
from gateway.services.payers.read_receipt import read_receipt
from gateway.store import attempts
from gateway.store.messages import Message

Words = Mapping[str, str]

_LOCALES: Final = {"ar": "ar_AE", "en": "en_GB"}
_SUBJECTS: Final[Mapping[str, Words]] = {
    RECEIPT: {"ar": "إيصال الدفع", "en": "Payment receipt"},
    REMINDER: {"ar": "تذكير بالدفع", "en": "Payment reminder"},
    NOT_PAID: {"ar": "لم تتم عملية الدفع", "en": "Payment not made"},
}
_LETTERS: Final[Mapping[str, Words]] = {
    RECEIPT: {
        "ar": (
            "تم استلام دفعتك إلى {department}.\n\n"
            "المبلغ: {amount}\nالمرجع: {reference}\nرقم الإيصال: {number}\n\n"
            "الإيصال: {link}"
        ),
        "en": (
            "Your payment to {department} has been received.\n\n"
            "Amount: {amount}\nReference: {reference}\nReceipt number: {number}\n\n"
            "Receipt: {link}"
        ),
    },
    REMINDER: {
        "ar": (
            "لم تُدفع بعد رسومك المستحقة إلى {department}، وتنتهي صلاحية رابط الدفع في {until}.\n\n"
            "المبلغ: {amount}\nالمرجع: {reference}\n\n"
            "للدفع: {link}"
        ),
        "en": (
            "Your fee to {department} has not been paid yet. The link to pay it ends on {until}.\n\n"
            "Amount: {amount}\nReference: {reference}\n\n"
            "To pay: {link}"
        ),
    },
    NOT_PAID: {
        "ar": (
            "وعدناك بأن نخبرك: لم تتم دفعتك إلى {department}، ولم يُخصم أي مبلغ.\n\n"
            "المبلغ: {amount}\nالمرجع: {reference}\n\n"
            "يمكنك الدفع مرة أخرى حتى {until}: {link}"
        ),
        "en": (
            "We promised to tell you: your payment to {department} was not made, and no money was taken.\n\n"
            "Amount: {amount}\nReference: {reference}\n\n"
            "You can pay again until {until}: {link}"
        ),
    },
}
_TEXTS: Final[Mapping[str, Words]] = {
    RECEIPT: {
        "ar": "تم دفع {amount} إلى {department}، رقم الإيصال {number}. {link}",
        "en": "{amount} paid to {department}, receipt {number}. {link}",
    },
    REMINDER: {
        "ar": "تذكير: {amount} إلى {department} لم تُدفع بعد. الرابط صالح حتى {until}. {link}",
        "en": "Reminder: {amount} to {department} is not paid yet. The link ends on {until}. {link}",
    },
    NOT_PAID: {
        "ar": "لم تتم دفعتك إلى {department} بمبلغ {amount} ولم يُخصم شيء. للدفع مرة أخرى: {link}",
        "en": "Your payment of {amount} to {department} was not made; no money was taken. Pay again: {link}",
    },
}


async def word(deps: Deps, message: Message) -> OutgoingMessage | None:
    """Word a message; None when there is nothing to tell any more. A letter has both languages, a text one."""
    facts: dict[str, Words] | None
    match message.kind:
        case notices.RECEIPT:
            facts = await _of_receipt(deps, message.subject)
        case notices.REMINDER:
            facts = await _of_bill(deps, message.subject)
        case _:
            facts = await _of_failure(deps, message.subject)
    if facts is None:
        return None
    language = message.language
    other = "en" if language == "ar" else "ar"
    if message.channel == "sms":
        text = _TEXTS[message.kind][language].format(**facts[language])
    else:
        letter = _LETTERS[message.kind]
        text = "\n\n".join(letter[each].format(**facts[each]) for each in (language, other))
    subject = _SUBJECTS[message.kind]
    named = facts[language].get("number") or facts[language]["reference"]
    return OutgoingMessage(
        id=f"{message.id}-{message.copy_number}" if message.copy_number else message.id,
        channel=message.channel,
        recipient=recipient_of(deps, message),
        language=language,
        subject=f"{subject[language]} | {subject[other]} {named}",
        text=text,
    )


async def _of_receipt(deps: Deps, intent_id: str) -> dict[str, Words]:
    receipt = await read_receipt(deps, links.token_of(deps, intent_id))
    plain = {
        "amount": str(receipt.total),
        "reference": receipt.reference,
        "number": receipt.receipt_number,
        "link": links.checkout_url(deps, intent_id),
    }
    return _both(receipt.department, plain)


async def _of_bill(deps: Deps, intent_id: str) -> dict[str, Words] | None:
    """Say what is still to be paid; nothing when it is paid, being paid, or over."""
    view = await read_checkout(deps, links.token_of(deps, intent_id))
    if view.status is not IntentStatus.REQUIRES_PAYMENT or view.expires_at <= deps.clock():
        return None
    plain = {"amount": str(view.total), "reference": view.reference, "link": links.checkout_url(deps, intent_id)}
    found = _both(view.department, plain)
    return {language: {**words, "until": _moment(deps, view.expires_at, language)} for language, words in found.items()}


async def _of_failure(deps: Deps, attempt_id: str) -> dict[str, Words] | None:
    """Say that an attempt came to nothing; nothing when the bill was paid otherwise or is over."""
    async with deps.connection() as connection:
        attempt = await attempts.read(connection, attempt_id)
    if attempt is None or attempt.status not in PROVEN_DEAD:
        return None
    return await _of_bill(deps, attempt.intent)


def _both(department: Names, plain: Words) -> dict[str, Words]:
    return {"ar": {**plain, "department": department.ar}, "en": {**plain, "department": department.en}}


def _moment(deps: Deps, at: datetime, language: str) -> str:
    return format_datetime(at.astimezone(deps.zone), "d MMMM y, HH:mm", locale=_LOCALES[language])
