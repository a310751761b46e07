"""A break in words: its sentence as a person reads it, and the reasons a sentence gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reconciliation.bank_codes import bank_words
from reconciliation.breaks import (
    FIRST_STRONG_ISOLATE,
    LEFT_TO_RIGHT_ISOLATE,
    MEANINGS,
    POP_ISOLATE,
    BreakType,
    Language,
)

REASONS: Final[dict[str, tuple[str, str]]] = {
    "other_provider": ("it names another provider", "يخص مزودًا آخر"),
    "line_in_other_currency": ("a line is in another currency than the file", "يحتوي سطرًا بعملة غير عملة الملف"),
    "line_with_nul": ("a line contains a NUL character", "يحتوي سطر على محرف NUL"),
    "line_not_its_parts": ("its gross less its fees is not its net", "إجماليه ناقص الرسوم لا يساوي صافيه"),
    "line_numbered_twice": ("two lines carry one number", "يحمل سطران الرقم نفسه"),
    "other_account": ("it is for an account that is not ours", "يخص حسابًا ليس لنا"),
    "other_currency": ("it is in another currency than the account", "بعملة غير عملة الحساب"),
    "closing_not_proven": (
        "opening and entries do not sum to closing",
        "الرصيد الافتتاحي والقيود لا تساوي رصيد الإقفال",
    ),
    "closes_before_it_opens": ("it closes before it opens", "تاريخ إقفاله يسبق تاريخ افتتاحه"),
    "closes_later": ("it closes on a day yet to come", "تاريخ إقفاله لم يحن بعد"),
    "identifier_repeated": ("its number was used by other content", "رقمه مستخدم لمحتوى آخر"),
    "sequence_gap": ("the statement before it has not come", "لم يصل الكشف السابق له"),
    "sequence_repeated": ("its sequence number is already taken", "رقمه التسلسلي مستخدم"),
    "opening_differs": ("it does not open where the last one closed", "رصيده الافتتاحي لا يساوي إقفال الكشف السابق"),
    "unreadable": ("it cannot be read", "تعذرت قراءته"),
    "cut_off": ("it is cut off", "الملف مبتور"),
    "empty": ("it is empty", "الملف فارغ"),
    "other_digest": ("it is not the file that was listed", "ليس الملف المدرج في القائمة"),
    "total_not_lines": ("its total is not the sum of its lines", "مجموعه لا يساوي مجموع سطوره"),
    "refused_by_bank": ("the bank gave no reason", "لم يذكر البنك سببًا"),
}
"""Reasons we give ourselves. What a provider or an adapter says is quoted as it came."""


def reason_words(reason: str, language: Language) -> str:
    """Put our own reason, or a bank's code, into words; anything else is quoted as it came."""
    side = 0 if language is Language.ENGLISH else 1
    words = REASONS.get(reason)
    return (bank_words(reason, side) or reason) if words is None else words[side]


def refusal_words(reason: str, quoted: str, language: Language) -> str:
    """Say why a file was refused: in English what its reader said, in Arabic the reason and then that, isolated."""
    if quoted and language is Language.ENGLISH:
        return quoted
    words = reason_words(reason, language)
    return f"{words} ({LEFT_TO_RIGHT_ISOLATE}{quoted}{POP_ISOLATE})" if quoted else words


HELD_WORDS: Final = (
    " The account is paid nothing more until its details change or two people accept this.",
    " ولا يُحوَّل شيء إلى هذا الحساب حتى تتغير بياناته أو يقبل شخصان هذا الفرق.",
)


BOOKED_WORDS: Final = {
    "": (" Nothing of it was booked.", " لم يُقيد منه شيء."),
    "read": (" What could be read of it was booked.", " قُيد منه ما أمكنت قراءته."),
}


LEFT_WORDS: Final = (" {left} of it is still open.", " ولا يزال منه {left} مفتوحًا.")


class _Known(dict[str, str]):
    """A word the detail does not have is shown as a dash, so that a sentence is never an error."""

    def __missing__(self, key: str) -> str:
        return "—"


SHOWN_APART: Final = frozenset({"amount", "left", "theirs", "ours", "reference", "file", "line", "due", "provider"})


def sentence(kind: BreakType, detail: Mapping[str, str], language: Language) -> str:
    """Say in one sentence what is wrong. In Arabic, what is written left to right is isolated."""
    if "reason" in detail:
        detail = {**detail, "reason": refusal_words(detail["reason"], detail.get("quoted", ""), language)}
    side = 0 if language is Language.ENGLISH else 1
    said = MEANINGS[kind].sentence[side] + (LEFT_WORDS[side] if detail.get("left") else "")
    held = HELD_WORDS[side] if detail.get("held") else ""
    detail = {**detail, "held": held, "booked": BOOKED_WORDS[detail.get("booked", "")][side]}
    if language is Language.ENGLISH:
        return said.format_map(_Known(detail))
    isolated = {
        word: f"{LEFT_TO_RIGHT_ISOLATE if word in SHOWN_APART else FIRST_STRONG_ISOLATE}{value}{POP_ISOLATE}"
        for word, value in detail.items()
    }
    return said.format_map(_Known(isolated))
