"""The chart of accounts: paths, their type and the side on which each normally stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from ledger.errors import AccountError


class Side(StrEnum):
    DEBIT = "debit"
    CREDIT = "credit"


class AccountType(StrEnum):
    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"
    EXPENSE = "expense"


class Kept(StrEnum):
    """Whether an account is cleared item by item (each must age to zero) or kept as one running balance."""

    BY_ITEM = "by_item"
    AS_BALANCE = "as_balance"


@dataclass(frozen=True, slots=True)
class Kind:
    """One line of the chart. In a pattern, `{x}` stands for one segment of a path."""

    pattern: str
    type: AccountType
    side: Side
    kept: Kept
    holds: str


CHART: Final[tuple[Kind, ...]] = (
    Kind("provider:{name}:receivable", AccountType.ASSET, Side.DEBIT, Kept.BY_ITEM,
         "captured by a provider, not yet in its settlement report"),
    Kind("provider:{name}:in_transit", AccountType.ASSET, Side.DEBIT, Kept.BY_ITEM,
         "reported as paid out to us, not yet on the bank statement"),
    Kind("provider:{name}:refunds_in_transit", AccountType.LIABILITY, Side.CREDIT, Kept.BY_ITEM,
         "refunds the provider accepted and has not settled"),
    Kind("bank:{account}:cash", AccountType.ASSET, Side.DEBIT, Kept.AS_BALANCE,
         "what the bank statement proves we have"),
    Kind("department:{code}:payable", AccountType.LIABILITY, Side.CREDIT, Kept.AS_BALANCE,
         "collected for a department, owed to it"),
    Kind("department:{code}:payout_in_transit", AccountType.LIABILITY, Side.CREDIT, Kept.BY_ITEM,
         "instructed to the bank, not yet on the statement as a debit"),
    Kind("department:{code}:holdback", AccountType.LIABILITY, Side.CREDIT, Kept.AS_BALANCE,
         "held against refunds and disputes, by policy"),
    Kind("suspense:unidentified", AccountType.LIABILITY, Side.CREDIT, Kept.BY_ITEM,
         "bank credits nobody can name yet"),
    Kind("suspense:late_payments", AccountType.LIABILITY, Side.CREDIT, Kept.BY_ITEM,
         "money for an expired, cancelled or already paid intent, until accepted or refunded"),
    Kind("disputes:receivable", AccountType.ASSET, Side.DEBIT, Kept.BY_ITEM,
         "charged back, outcome open"),
    Kind("treasury:gateway_fees", AccountType.INCOME, Side.CREDIT, Kept.AS_BALANCE,
         "the treasury's own fee, where the tariff has one"),
    Kind("treasury:provider_fees", AccountType.EXPENSE, Side.DEBIT, Kept.AS_BALANCE,
         "what providers charge us"),
    Kind("treasury:provider_fees_vat", AccountType.ASSET, Side.DEBIT, Kept.AS_BALANCE,
         "VAT on those fees"),
    Kind("tax:vat_payable", AccountType.LIABILITY, Side.CREDIT, Kept.AS_BALANCE,
         "VAT included in a fee, per department's registration"),
    Kind("treasury:chargeback_losses", AccountType.EXPENSE, Side.DEBIT, Kept.AS_BALANCE,
         "chargebacks lost, with an approver"),
    Kind("treasury:write_offs", AccountType.EXPENSE, Side.DEBIT, Kept.AS_BALANCE,
         "differences written off, with an approver"),
    Kind("centre:{code}:cash", AccountType.ASSET, Side.DEBIT, Kept.BY_ITEM,
         "in the drawer of a shift at a service centre, until it is counted"),
    Kind("treasury:centre_floats", AccountType.LIABILITY, Side.CREDIT, Kept.AS_BALANCE,
         "the treasury's own change that lies in open drawers"),
    Kind("treasury:cash_over_short", AccountType.EXPENSE, Side.DEBIT, Kept.AS_BALANCE,
         "cash missing or beyond at a cash-up, with an approver"),
    Kind("treasury:exchange", AccountType.EXPENSE, Side.DEBIT, Kept.AS_BALANCE,
         "what was settled in another currency; at zero in the other one, the rest is the exchange's gain or loss"),
    Kind("treasury:rounding", AccountType.EXPENSE, Side.DEBIT, Kept.AS_BALANCE,
         "rounding differences"),
)  # fmt: skip

_SEGMENT: Final = r"[a-z0-9][a-z0-9_-]{0,62}"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(":".join(_SEGMENT if part.startswith("{") else part for part in pattern.split(":")))


_PATTERNS: Final = tuple((_compiled(kind.pattern), kind) for kind in CHART)


@lru_cache(maxsize=16_384)
def _look_up(path: str) -> Kind | None:
    return next((kind for pattern, kind in _PATTERNS if pattern.fullmatch(path)), None)


def check_path(path: str) -> Kind:
    """Return the chart's line for a path; `AccountError` names a path the chart does not have."""
    kind = _look_up(path) if isinstance(path, str) else None
    if kind is None:
        raise AccountError(f"account {path!r} is not in the chart of accounts")
    return kind


def provider_receivable(provider: str) -> str:
    return f"provider:{provider}:receivable"


def provider_in_transit(provider: str) -> str:
    return f"provider:{provider}:in_transit"


def provider_refunds_in_transit(provider: str) -> str:
    return f"provider:{provider}:refunds_in_transit"


def bank_cash(account: str) -> str:
    return f"bank:{account}:cash"


def department_payable(code: str) -> str:
    return f"department:{code}:payable"


def department_payout_in_transit(code: str) -> str:
    return f"department:{code}:payout_in_transit"


def department_holdback(code: str) -> str:
    return f"department:{code}:holdback"


def centre_cash(code: str) -> str:
    return f"centre:{code}:cash"


SUSPENSE_UNIDENTIFIED: Final = "suspense:unidentified"
SUSPENSE_LATE_PAYMENTS: Final = "suspense:late_payments"
DISPUTES_RECEIVABLE: Final = "disputes:receivable"
GATEWAY_FEES: Final = "treasury:gateway_fees"
PROVIDER_FEES: Final = "treasury:provider_fees"
PROVIDER_FEES_VAT: Final = "treasury:provider_fees_vat"
VAT_PAYABLE: Final = "tax:vat_payable"
CHARGEBACK_LOSSES: Final = "treasury:chargeback_losses"
WRITE_OFFS: Final = "treasury:write_offs"
CENTRE_FLOATS: Final = "treasury:centre_floats"
EXCHANGE: Final = "treasury:exchange"
CASH_OVER_SHORT: Final = "treasury:cash_over_short"
ROUNDING: Final = "treasury:rounding"
