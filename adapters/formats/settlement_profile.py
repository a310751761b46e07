"""How one provider lays out its settlement file, as data: a new layout is a profile and no code."""

from __future__ import annotations

from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from adapters.contract import LineKind

Titles = tuple[str, ...]
"""The titles a column goes by; the first that the header has is taken, whatever its case and spacing."""

PROFILE_LENGTH_MAX: Final = 64 * 1024


class Sign(StrEnum):
    """How the file says which way money went."""

    SIGNED = "signed"  # by the amount's own sign, a minus or brackets
    BY_KIND = "by_kind"  # amounts are positive; a refund's, chargeback's or fee's kind turns them
    BY_COLUMN = "by_column"  # a column of its own says CR or DR beside each amount


class Columns(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the file keeps what we need. Debit and credit pairs, and lists of fees, are summed into one amount."""

    kind: Titles
    account: Titles = ()
    reference: Titles = ()
    provider_reference: Titles = ()
    refund_reference: Titles = ()
    refund_provider_reference: Titles = ()
    currency: Titles = ()
    gross: Titles = ()
    gross_debit: Titles = ()
    gross_credit: Titles = ()
    gross_direction: Titles = ()
    net: Titles = ()
    net_debit: Titles = ()
    net_credit: Titles = ()
    fees: tuple[Titles, ...] = ()
    fee_direction: Titles = ()
    fee_vat: Titles = ()
    transaction_at: Titles = ()
    zone: Titles = ()
    business_date: Titles = ()
    credit_on: Titles = ()
    batch: Titles = ()


class Framing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file whose first cell says what each row is (PayPal's STL)."""

    header: str
    body: str
    count: str = ""
    ignored: tuple[str, ...] = ()


class SettlementProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One layout.

    A money column that a profile names must be there, unless `optional` lists it. `fee_positive` is whether a fee the
    provider keeps is written as a positive number. `rounds_fractions` is for files that carry more decimals than the
    currency has: each amount is rounded half up, and what the total then misses is a break of `rounding_minor` at most.
    """

    name: str
    provider: str
    columns: Columns
    kinds: dict[str, LineKind]
    optional: tuple[str, ...] = ()
    delimiter: str = ""
    sheet: str = ""
    row_element: str = ""
    framing: Framing | None = None
    total_word: str = ""
    payout_kind_is_total: bool = False
    total_count: Titles = ()
    currency: str = ""
    minor_units: bool = False
    decimal_mark: str = "."
    sign: Sign = Sign.SIGNED
    debit_words: tuple[str, ...] = ("DR", "DEBIT", "D")
    fee_positive: bool = True
    derive_gross: bool = False
    rounding_minor: int = 0
    rounds_fractions: bool = False
    zone: str = "Asia/Dubai"
    zone_names: dict[str, str] = {}
    time_formats: tuple[str, ...] = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d")
    header_lines_max: int = 30

    def __post_init__(self) -> None:
        """Refuse a profile that could not be meant."""
        ZoneInfo(self.zone)
        for zone in self.zone_names.values():
            ZoneInfo(zone)
        if len(self.delimiter) > 1 or self.decimal_mark not in {".", ","}:
            raise ValueError("the delimiter is one character, the decimal mark a point or a comma")
        columns = self.columns
        if not (columns.gross or (columns.gross_debit and columns.gross_credit) or self.derive_gross):
            raise ValueError("the profile names no gross amount")
        if self.derive_gross and not (columns.net or (columns.net_debit and columns.net_credit)):
            raise ValueError("a gross amount is derived from a net amount, which the profile does not name")
        if not columns.currency and not self.currency:
            raise ValueError("the profile names neither a currency column nor a currency")

    @property
    def total_kind(self) -> LineKind | None:
        """The kind of line that states what was paid out, and is no part of it."""
        return LineKind.PAYOUT if self.payout_kind_is_total else None


class ProfileError(ValueError):
    """A profile cannot be read, or says what cannot be meant."""


def read_profile(text: str | bytes) -> SettlementProfile:
    """Read a profile from JSON, as operators keep it."""
    if len(text) > PROFILE_LENGTH_MAX:
        raise ProfileError(f"a profile is at most {PROFILE_LENGTH_MAX} characters long")
    try:
        return msgspec.json.decode(text, type=SettlementProfile)
    except (msgspec.MsgspecError, ValueError, OSError, LookupError) as error:
        raise ProfileError(f"the profile cannot be read: {error}") from error
