"""What the bank's reason codes (ISO 20022) mean, and which of them say that an account itself takes no money."""

from __future__ import annotations

import re
from typing import Final

from adapters.contract import PayoutReport

CODES: Final[dict[str, tuple[str, str]]] = {
    "AC01": ("the account number is wrong", "رقم الحساب غير صحيح"),
    "AC03": ("the account number is not valid", "رقم الحساب غير صالح"),
    "AC04": ("the account is closed", "الحساب مغلق"),
    "AC06": ("the account is blocked", "الحساب محجوز"),
    "AC07": ("the payee's account is closed", "حساب المستفيد مغلق"),
    "AC14": ("the account is of a kind that takes no such payment", "نوع الحساب لا يقبل هذا التحويل"),
    "AG01": ("the account takes no such payment", "الحساب لا يقبل هذا النوع من التحويل"),
    "AM04": ("there is not enough money in our account", "رصيد حسابنا غير كافٍ"),
    "AM05": ("the bank takes it for a repetition", "يعدّه البنك مكررًا"),
    "BE01": ("the name is not the account holder's", "الاسم لا يطابق صاحب الحساب"),
    "BE04": ("the payee's address is missing", "عنوان المستفيد ناقص"),
    "DT01": ("the date is not valid", "التاريخ غير صالح"),
    "MS02": ("the payee gave no reason", "لم يذكر المستفيد سببًا"),
    "MS03": ("the bank gave no reason", "لم يذكر البنك سببًا"),
    "NARR": ("the bank says so in its own words", "ورد السبب بصياغة البنك"),
    "RC01": ("the bank's identifier is wrong", "رمز البنك غير صحيح"),
    "RR04": ("for a regulatory reason", "لسبب تنظيمي"),
}
OF_THE_ACCOUNT: Final = frozenset({"AC01", "AC03", "AC04", "AC06", "AC07", "AC14", "AG01", "BE01", "RC01"})
"""After these the same account refuses the next payout too: nothing more is sent there until people say otherwise."""

_CODE: Final = re.compile(r"([A-Z]{2}\d{2}|NARR)(?:\s+(.*))?")


def line_reason(report: PayoutReport, line_id: str) -> str:
    """Return what the bank said of one line, without the line's id; else what it said of the file."""
    own, whole = _reasons(report, line_id)
    return "; ".join(own or whole)


def refuses_account(report: PayoutReport, line_id: str) -> bool:
    """Say whether a line was refused for the payee's account, and not for the payment, the file or our own account."""
    own, whole = _reasons(report, line_id)
    found = _CODE.match(own[0]) if own and not whole else None
    return found is not None and found[1] in OF_THE_ACCOUNT


def _reasons(report: PayoutReport, line_id: str) -> tuple[list[str], list[str]]:
    """Split a report's reasons into those of a line and those of the file; a line's are written `line: reason`."""
    parts = [part.strip() for part in report.reason.split(";") if part.strip()]
    own = [part.removeprefix(f"{line_id}:").strip() for part in parts if part.startswith(f"{line_id}:")]
    return own, [part for part in parts if not part.startswith(("pl_", "and "))]


def bank_words(reason: str, side: int) -> str | None:
    """Put a bank's code into words (side 0 English, 1 Arabic), with what the bank wrote after them; else `None`."""
    found = _CODE.fullmatch(reason)
    if found is None or found[1] not in CODES:
        return None
    return f"{CODES[found[1]][side]} ({reason})"
