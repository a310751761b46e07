"""One bank entry against the batches and payouts that are open: a pure decision, by reference and never by amount."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from reconciliation.matching import RULE, MatchOutcome
from reconciliation.postings import Cleared


class BankKind(StrEnum):
    """What kind of journal a bank entry becomes."""

    SETTLEMENT_RECEIVED = "settlement_received"
    PAYOUT_PAID = "payout_paid"
    PAYOUT_RETURN_RECEIVED = "payout_return_received"
    UNIDENTIFIED = "unidentified"


@dataclass(frozen=True, slots=True)
class BankLine:
    """What a bank entry says, as far as matching needs it; a credit is positive."""

    amount_minor: int
    end_to_end_id: str | None = None
    batch_reference: str | None = None
    remittance: str = ""
    returned: bool = False


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A provider's batch not yet seen at the bank, and how much of it is open."""

    account: str
    provider: str
    reference: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class OpenPayout:
    """A payout line: what was instructed, what of it is open (zero once debited), and its status."""

    account: str
    line_id: str
    batch_id: str
    department: str
    amount_minor: int
    open_minor: int
    status: str


@dataclass(frozen=True, slots=True)
class BankMatch:
    """The decision: a rule, the items cleared, and what is left over. `variance_minor` is actual less expected."""

    kind: BankKind
    outcome: MatchOutcome
    rule: str | None = None
    cleared: tuple[Cleared, ...] = ()
    expected_minor: int | None = None
    variance_minor: int = 0
    provider: str | None = None
    payouts: tuple[OpenPayout, ...] = ()


@dataclass(slots=True)
class Expected:
    """What the bank may show tonight. `payouts` holds every line an entry names, open or not."""

    batches: list[OpenBatch] = field(default_factory=list)
    payouts: dict[str, OpenPayout] = field(default_factory=dict)
    files: Mapping[str, Sequence[OpenPayout]] = field(default_factory=dict)


_UNIDENTIFIED = BankMatch(BankKind.UNIDENTIFIED, MatchOutcome.UNIDENTIFIED)


def match_entry(line: BankLine, expected: Expected) -> BankMatch:
    """Decide one entry; what no reference names is unidentified, whatever its amount."""
    if line.amount_minor > 0:
        return _return_of(line, expected) or _credit_of(line, expected) or _UNIDENTIFIED
    return _debit_of(line, expected) or _UNIDENTIFIED


def _return_of(line: BankLine, expected: Expected) -> BankMatch | None:
    payout = expected.payouts.get(line.end_to_end_id or "")
    if payout is None or not line.returned or payout.status not in {"released", "accepted", "paid"}:
        return None
    if line.amount_minor != payout.amount_minor:
        return None  # a return of another amount is for a person
    cleared = (Cleared(payout.account, payout.line_id, line.amount_minor),)
    return BankMatch(
        BankKind.PAYOUT_RETURN_RECEIVED, MatchOutcome.MATCHED, "payout_return", cleared, line.amount_minor,
        payouts=(payout,),
    )  # fmt: skip


def _credit_of(line: BankLine, expected: Expected) -> BankMatch | None:
    if line.returned:
        return None
    named = [batch for batch in expected.batches if batch.reference == line.batch_reference]
    rule = "batch_reference"
    if not named:
        named = [batch for batch in expected.batches if names(line.remittance, batch.reference)]
        rule = "batch_in_remittance"
    if not named or len({batch.provider for batch in named}) > 1:
        return None
    open_minor = sum(batch.amount_minor for batch in named)
    if open_minor > 0 and RULE[rule].tolerance.allows(open_minor, line.amount_minor):
        cleared = tuple(Cleared(batch.account, batch.reference, batch.amount_minor) for batch in named)
        outcome = MatchOutcome.MATCHED
    elif len(named) == 1:
        rule, outcome = "batch_other_amount", MatchOutcome.AMOUNT
        cleared = (Cleared(named[0].account, named[0].reference, line.amount_minor),)
    else:
        return None  # how one wrong sum spreads over several batches is for a person
    return BankMatch(
        BankKind.SETTLEMENT_RECEIVED, outcome, rule, cleared, open_minor, line.amount_minor - open_minor,
        provider=named[0].provider,
    )  # fmt: skip


def _debit_of(line: BankLine, expected: Expected) -> BankMatch | None:
    payout = expected.payouts.get(line.end_to_end_id or "")
    if payout is not None:
        cleared = (Cleared(payout.account, payout.line_id, line.amount_minor),)
        exact = -line.amount_minor == payout.amount_minor and payout.open_minor == -payout.amount_minor
        return BankMatch(
            BankKind.PAYOUT_PAID, MatchOutcome.MATCHED if exact else MatchOutcome.AMOUNT, "end_to_end", cleared,
            -payout.amount_minor, line.amount_minor + payout.amount_minor, payouts=(payout,),
        )  # fmt: skip
    for message_id, payouts in expected.files.items():
        is_named = message_id == line.batch_reference or names(line.remittance, message_id)
        open_lines = [payout for payout in payouts if payout.open_minor]
        if is_named and open_lines and -line.amount_minor == sum(payout.amount_minor for payout in open_lines):
            return BankMatch(
                BankKind.PAYOUT_PAID, MatchOutcome.MATCHED, "payout_file",
                tuple(Cleared(payout.account, payout.line_id, -payout.amount_minor) for payout in open_lines),
                line.amount_minor, payouts=tuple(open_lines),
            )  # fmt: skip
    return None


def names(text: str, reference: str) -> bool:
    """Say whether a text contains a reference as a word of its own, not as part of a longer one."""
    if not reference or reference not in text:
        return False
    return re.search(rf"(?<![A-Za-z0-9_-]){re.escape(reference)}(?![A-Za-z0-9_-])", text) is not None
