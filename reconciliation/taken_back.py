"""Why an approved payout was taken back before it left, in both languages; the departments follow the word."""

from __future__ import annotations

from typing import Final

from reconciliation.breaks import Language

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "balance_fell": ("the balance fell since the draft", "انخفض الرصيد بعد إعداده"),
    "not_proven_now": ("the money is no longer proven", "لم يعد المبلغ مثبتًا"),
    "account_changed": ("the bank details changed since the draft", "تغيرت البيانات البنكية بعد إعداده"),
    "account_stopped": ("the account is to be paid nothing", "أُوقف التحويل إلى الحساب"),
}


def taken_back_words(reason: str, language: Language) -> str:
    """Put `word: departments` into a sentence; what a person wrote on refusing stays as it is."""
    why, _, departments = reason.partition(": ")
    if why not in _WORDS:
        return reason
    return f"{_WORDS[why][0 if language is Language.ENGLISH else 1]}: {departments}"
