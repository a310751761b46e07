"""What people type: digits of three scripts, marks nobody sees, spaces and dashes out of habit."""

from __future__ import annotations

import re
from typing import Final

import phonenumbers

from gateway.domain.errors import InvalidError
from ledger.errors import MoneyError
from ledger.money import Money

_INVISIBLE: Final = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_DIGITS: Final = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_EMAIL: Final = re.compile(r"[^\s@\"(),:;<>\[\\\]]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,24}")
EMAIL_LENGTH_MAX: Final = 254
_SEPARATORS: Final = str.maketrans({"٫": ".", "٬": None, ",": None, " ": None, "\N{NO-BREAK SPACE}": None, "'": None})


def clean(text: str) -> str:
    """Drop invisible direction marks and outer spaces, and write native digits as 0-9."""
    return _INVISIBLE.sub("", text).translate(_DIGITS).strip()


def read_email(text: str) -> str | None:
    """Return the address, or None when no mail could reach it."""
    address = clean(text).replace(" ", "")
    if len(address) > EMAIL_LENGTH_MAX or not _EMAIL.fullmatch(address) or ".." in address:
        return None
    return address


def read_mobile(text: str, region: str = "AE") -> str | None:
    """Return the number as `+971501234567`, or None when no phone could ring."""
    try:
        number = phonenumbers.parse(clean(text), region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def show_mobile(number: str) -> str:
    """Return `+971 50 123 4567` for a stored number; what cannot be read is shown as it is."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return number


def read_amount(typed: str, currency: str) -> Money:
    """Read an amount as people type it: native digits, thousands marks, the currency's code before or after."""
    text = clean(typed).upper().removeprefix(currency).removesuffix(currency).translate(_SEPARATORS)
    try:
        return Money.parse(text, currency)
    except MoneyError:
        raise InvalidError("is not an amount", pointer="/amount") from None
