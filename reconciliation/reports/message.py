"""The remittance advice as a message for the department: a word in both languages, the PDF and the CSV with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from ledger.money import Money
from reconciliation.breaks import Language
from reconciliation.deps import AttachedFile
from reconciliation.errors import NotFoundError
from reconciliation.reports.catalogue import Format, build_report, render
from reconciliation.reports.words import word
from reconciliation.store import Connection

ATTACHED_BYTES_MAX: Final = 10 << 20
"""What mail servers still take; a longer list is fetched as CSV, and the message says so."""

_WORDS: Final = {
    "subject": ("Remittance advice {day}, {department}", "إشعار تحويل {day} - {department}"),
    "corrected": ("Correction of the remittance advice {day}, {department}", "تصحيح إشعار تحويل {day} - {department}"),
    "corrects": ("This takes the place of the advice sent before.", "يحل هذا الإشعار محل الإشعار المرسل سابقًا."),
    "paid": ("{amount} is on its way to {iban} ({line}).", "مبلغ {amount} في طريقه إلى {iban} ({line})."),
    "rejected": ("The bank rejected the transfer of {amount} to {iban} ({line}). It is owed to you again.",
                 "رفض البنك تحويل {amount} إلى {iban} ({line}). وأصبح المبلغ مستحقًا لكم من جديد."),
    "returned": ("The bank sent back the transfer of {amount} to {iban} ({line}). It is owed to you again.",
                 "أعاد البنك تحويل {amount} إلى {iban} ({line}). وأصبح المبلغ مستحقًا لكم من جديد."),
    "inside": ("Every payment, refund and fee inside is listed in the files with this message.",
               "كل دفعة واسترداد ورسم ضمن هذا التحويل مدرج في الملفات المرفقة."),
    "too_long": ("The list is too long for a message; ask for the report `remittance` as CSV.",
                 "القائمة أطول من أن ترسل في رسالة؛ يرجى طلب التقرير بصيغة CSV."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Advice:
    """What a department is told of its payouts of one date, and the files that list what is inside."""

    subject: str
    text: str
    files: tuple[AttachedFile, ...]


async def remittance_message(
    connection: Connection, business_date: date, department: str, *, known_at: datetime | None = None
) -> bytes:
    """Write the advice as a message without sender or recipient; the same payouts give the same bytes."""
    advice = await remittance_of(connection, business_date, department, known_at=known_at)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = advice.subject
    message["X-Unsent"] = "1"
    message.set_content(advice.text)
    for file in advice.files:
        kind = ("application", "pdf") if file.name.endswith(".pdf") else ("text", "csv")
        message.add_attachment(file.content, maintype=kind[0], subtype=kind[1], filename=file.name)
    if advice.files:
        message.set_boundary(hashlib.sha256(advice.text.encode()).hexdigest()[:32])
    return message.as_bytes()


async def remittance_of(
    connection: Connection, business_date: date, department: str, *, known_at: datetime | None = None,
    corrects: bool = False,
) -> Advice:  # fmt: skip
    """Write the advice of a department's payouts of one date; `NotFoundError` when none of it left.

    What the bank refused or sent back is said to be owed again. `corrects` tells that an earlier advice said otherwise.
    """
    lines = await connection.fetch(
        """
        SELECT l.id, p.currency, l.amount_minor, l.creditor_iban, h.status FROM reconciliation.payout_line l
        JOIN reconciliation.payout_batch p ON p.id = l.batch_id AND p.business_date = $1
        CROSS JOIN LATERAL (SELECT status FROM reconciliation.payout_line_history h
                            WHERE h.line_id = l.id AND ($3::timestamptz IS NULL OR h.at <= $3)
                            ORDER BY sequence DESC LIMIT 1) h
        WHERE l.department = $2 AND p.released_at IS NOT NULL AND ($3::timestamptz IS NULL OR p.released_at <= $3)
        ORDER BY p.currency, l.id
        """,
        business_date,
        department,
        known_at,
    )
    if not lines:
        raise NotFoundError(f"{department} was not paid on {business_date}")
    attachments = await _attachments(connection, business_date, department, known_at)
    # Each language is a paragraph of its own, so that each is read in its own direction.
    said = {"rejected": "rejected", "returned": "returned"}
    paid = "\n\n".join(
        _both(said.get(row["status"], "paid"), "\n\n", amount=str(Money(row["amount_minor"], row["currency"])),
              iban=row["creditor_iban"], line=row["id"])
        for row in lines
    )  # fmt: skip
    rest = _both("inside" if attachments else "too_long", "\n\n")
    subject = _both("corrected" if corrects else "subject", " / ", day=str(business_date), department=department)
    opening = _both("corrects", "\n\n") + "\n\n" if corrects else ""
    return Advice(subject, f"{opening}{paid}\n\n{rest}\n", attachments)


def _both(key: str, between: str, **values: str) -> str:
    return between.join(text.format(**values) for text in _WORDS[key])


async def _attachments(
    connection: Connection, business_date: date, department: str, known_at: datetime | None
) -> tuple[AttachedFile, ...]:
    """Render the advice in both languages; nothing when it is too long for a message."""
    found: list[AttachedFile] = []
    size = 0
    for language in Language:
        for form in (Format.CSV, Format.PDF):
            content = bytearray()
            report = await build_report(
                connection, "remittance", business_date, language, department=department, known_at=known_at
            )
            async for chunk in render(report, form):
                content += chunk
                size += len(chunk)
                if size > ATTACHED_BYTES_MAX:
                    return ()
            stem = f"{word('remittance', Language.ENGLISH)} {business_date} {department} {language}".replace(" ", "-")
            found.append(AttachedFile(f"{stem.lower()}.{form}", bytes(content)))
    return tuple(found)
