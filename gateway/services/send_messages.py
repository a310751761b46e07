"""Receipts to payers, by e-mail and SMS, in their language; worded when they are sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from gateway import metrics
from gateway.deps import Deps, OutgoingMessage
from gateway.services import links
from gateway.services.read_receipt import read_receipt
from gateway.services.views import ReceiptView
from gateway.store import messages
from gateway.store.messages import Message

_log: Final = structlog.get_logger(__name__)
_LEASE: Final = timedelta(minutes=2)
_WAITS_S: Final = (10, 60, 300, 1_800, 7_200, 21_600, 43_200)

_SUBJECTS: Final = {"ar": "إيصال الدفع", "en": "Payment receipt"}
_TEXTS: Final = {
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
}
_SHORT: Final = {
    "ar": "تم دفع {amount} إلى {department}، رقم الإيصال {number}. {link}",
    "en": "{amount} paid to {department}, receipt {number}. {link}",
}


async def send_messages(deps: Deps, limit: int) -> int:
    """Send up to `limit` waiting messages; return how many were tried."""
    now = deps.clock()
    async with deps.connection() as connection:
        due = await messages.claim(connection, now, now + _LEASE, limit)
    for message in due:
        await _send(deps, message)
    return len(due)


async def _send(deps: Deps, message: Message) -> None:
    sender = deps.senders.get(message.channel)
    if sender is None:
        await _put_off(deps, message, LookupError(message.channel))
        return
    try:
        receipt = await read_receipt(deps, links.token_of(deps, message.subject))
        reference = await sender.send(write(deps, message, receipt))
    except Exception as error:  # noqa: BLE001 - a carrier's fault is retried and counted, whatever it is
        await _put_off(deps, message, error)
        return
    async with deps.connection() as connection:
        await messages.settle(connection, message.id, "sent", deps.clock(), reference)
    metrics.MESSAGES.labels(message.channel, "sent").inc()


def write(deps: Deps, message: Message, receipt: ReceiptView) -> OutgoingMessage:
    """Word a receipt. A letter has both languages, the payer's own first; an SMS is one line in theirs."""
    language = message.language
    other = "en" if language == "ar" else "ar"
    own_words, other_words = _words(deps, receipt, language), _words(deps, receipt, other)
    if message.channel == "sms":
        text = _SHORT[language].format(**own_words)
    else:
        text = f"{_TEXTS[language].format(**own_words)}\n\n{_TEXTS[other].format(**other_words)}"
    return OutgoingMessage(
        id=message.id,
        channel=message.channel,
        recipient=message.recipient,
        language=language,
        subject=f"{_SUBJECTS[language]} | {_SUBJECTS[other]} {receipt.receipt_number}",
        text=text,
    )


def _words(deps: Deps, receipt: ReceiptView, language: str) -> dict[str, str]:
    names = receipt.department
    return {
        "department": names.ar if language == "ar" else names.en,
        "amount": str(receipt.total),
        "reference": receipt.reference,
        "number": receipt.receipt_number,
        "link": links.checkout_url(deps, receipt.intent_id),
    }


async def _put_off(deps: Deps, message: Message, error: Exception) -> None:
    """Try again later, and give up after a day: a receipt is also under the payer's link."""
    is_over = message.tries > len(_WAITS_S)
    _log.warning("message_not_sent", message=message.id, channel=message.channel, error=type(error).__name__)
    metrics.MESSAGES.labels(message.channel, "dead" if is_over else "failed").inc()
    now = deps.clock()
    async with deps.connection() as connection:
        if is_over:
            await messages.settle(connection, message.id, "dead", now)
        else:
            await messages.postpone(connection, message.id, now + timedelta(seconds=_WAITS_S[message.tries - 1]))
