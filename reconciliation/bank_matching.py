"""One bank entry against the batches and payouts that are open: a pure decision, by reference and never by amount."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from reconciliation.bank_postings import Cleared
from reconciliation.matching import RULE, MatchOutcome

WORDS_MAX: Final = 40
_WORD: Final = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9][A-Za-z0-9_-]{7,39}(?![A-Za-z0-9_-])")


class BankKind(StrEnum):
    """What kind of journal a bank entry becomes."""

    SETTLEMENT_RECEIVED = "settlement_received"
    TRANSFER_RECEIVED = "transfer_received"
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
    references: tuple[str, ...] = ()

    @property
    def words(self) -> list[str]:
        """Words of the free text that are long enough to be somebody's reference."""
        return _WORD.findall(self.remittance)[:WORDS_MAX]

    def keys(self) -> list[str]:
        """Everything a direct transfer may be named by."""
        return [*self.references, *([self.end_to_end_id] if self.end_to_end_id else []), *self.words]


@dataclass(frozen=True, slots=True)
class OpenTransfer:
    """A payment whose money comes straight to our account, and how much of it is open; zero once it is all there."""

    account: str
    provider: str
    item: str
    provider_reference: str | None
    amount_minor: int
    payment: str | None = None


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A provider's batch not yet seen at the bank, and how much of it is open."""

    account: str
    provider: str
    reference: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class ForeignBatch:
    """A provider's batch in another currency than the account: named by a bank entry, it is for two people to book."""

    account: str
    provider: str
    reference: str
    currency: str
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
    excess_minor: int = 0
    named: str | None = None
    payment: str | None = None
    foreign: ForeignBatch | None = None


@dataclass(slots=True)
class Expected:
    """What the bank may show tonight. `payouts` holds every line an entry names, open or not; `transfers` too."""

    batches: list[OpenBatch] = field(default_factory=list)
    payouts: dict[str, OpenPayout] = field(default_factory=dict)
    files: Mapping[str, Sequence[OpenPayout]] = field(default_factory=dict)
    transfers: list[OpenTransfer] = field(default_factory=list)
    foreign: Sequence[ForeignBatch] = ()


_UNIDENTIFIED = BankMatch(BankKind.UNIDENTIFIED, MatchOutcome.UNIDENTIFIED)


def match_entry(line: BankLine, expected: Expected) -> BankMatch:
    """Decide one entry; what no reference names is unidentified, whatever its amount."""
    if line.amount_minor > 0:
        return (
            _return_of(line, expected)
            or _credit_of(line, expected)
            or _transfer_of(line, expected)
            or _foreign_of(line, expected)
            or replace(_UNIDENTIFIED, named=line.references[0] if line.references else None)
        )
    return (
        _debit_of(line, expected)
        or _settlement_debit_of(line, expected)
        or _foreign_of(line, expected)
        or _UNIDENTIFIED
    )


def _return_of(line: BankLine, expected: Expected) -> BankMatch | None:
    payout = expected.payouts.get(line.end_to_end_id or "")
    if payout is None or not line.returned or payout.status not in {"released", "accepted", "paid"}:
        return None
    short_minor = line.amount_minor - payout.amount_minor
    if short_minor > 0:
        return None  # a return of more than was paid is for a person
    cleared = (Cleared(payout.account, payout.line_id, line.amount_minor),)
    outcome, rule = (
        (MatchOutcome.AMOUNT, "payout_return_less") if short_minor else (MatchOutcome.MATCHED, "payout_return")
    )
    return BankMatch(
        BankKind.PAYOUT_RETURN_RECEIVED, outcome, rule, cleared, payout.amount_minor, short_minor, payouts=(payout,)
    )


def _credit_of(line: BankLine, expected: Expected) -> BankMatch | None:
    named = None if line.returned else _batches_named(line, expected)
    if named is None:
        return None
    rule, batches = named
    open_minor = sum(batch.amount_minor for batch in batches)
    if open_minor > 0 and RULE[rule].tolerance.allows(open_minor, line.amount_minor):
        return _settled(line, rule, batches)
    if len(batches) > 1:
        return None  # how one wrong sum spreads over several batches is for a person
    cleared = (Cleared(batches[0].account, batches[0].reference, line.amount_minor),)
    return BankMatch(
        BankKind.SETTLEMENT_RECEIVED, MatchOutcome.AMOUNT, "batch_other_amount", cleared, open_minor,
        line.amount_minor - open_minor, provider=batches[0].provider,
    )  # fmt: skip


def _settlement_debit_of(line: BankLine, expected: Expected) -> BankMatch | None:
    """Clear a batch whose refunds and fees were more than its payments: the provider takes it from our account."""
    named = _batches_named(line, expected)
    if named is None:
        return None
    rule, batches = named
    open_minor = sum(batch.amount_minor for batch in batches)
    if open_minor >= 0 or not RULE[rule].tolerance.allows(open_minor, line.amount_minor):
        return None
    return _settled(line, rule, batches)


def _batches_named(line: BankLine, expected: Expected) -> tuple[str, list[OpenBatch]] | None:
    """Return one provider's batches that an entry names, and the rule by which it does."""
    named = [batch for batch in expected.batches if batch.reference == line.batch_reference]
    rule = "batch_reference"
    if not named:
        named = [batch for batch in expected.batches if names(line.remittance, batch.reference)]
        rule = "batch_in_remittance"
    return (rule, named) if len({batch.provider for batch in named}) == 1 else None


def _foreign_of(line: BankLine, expected: Expected) -> BankMatch | None:
    """Name the one batch in another currency that an entry is about; no rate is guessed, so it waits in suspense."""
    if line.returned:
        return None
    named = [one for one in expected.foreign if one.reference == line.batch_reference] or [
        one for one in expected.foreign if names(line.remittance, one.reference)
    ]
    if len(named) != 1 or (named[0].amount_minor > 0) != (line.amount_minor > 0):
        return None
    return replace(_UNIDENTIFIED, foreign=named[0], named=named[0].reference, provider=named[0].provider)


def _settled(line: BankLine, rule: str, batches: Sequence[OpenBatch]) -> BankMatch:
    open_minor = sum(batch.amount_minor for batch in batches)
    return BankMatch(
        BankKind.SETTLEMENT_RECEIVED, MatchOutcome.MATCHED, rule,
        tuple(Cleared(batch.account, batch.reference, batch.amount_minor) for batch in batches), open_minor,
        line.amount_minor - open_minor, provider=batches[0].provider,
    )  # fmt: skip


def _transfer_of(line: BankLine, expected: Expected) -> BankMatch | None:
    """Clear the payments a direct transfer names; never more of one than is open, and never by its amount alone."""
    if line.returned:
        return None
    ladder = (
        ("transfer_reference", set(line.references)),
        ("transfer_end_to_end", {line.end_to_end_id} if line.end_to_end_id else set()),
        ("transfer_in_remittance", set(line.words)),
    )
    for rule, keys in ladder:
        named = [one for one in expected.transfers if one.item in keys or one.provider_reference in keys]
        if named:
            return _settle_transfers(line, rule, named)
    return None


def _settle_transfers(line: BankLine, rule: str, named: Sequence[OpenTransfer]) -> BankMatch | None:
    waiting = [one for one in named if one.amount_minor > 0]
    reference = named[0].provider_reference or named[0].item
    if not waiting:
        return replace(_UNIDENTIFIED, outcome=MatchOutcome.DUPLICATE, named=reference, provider=named[0].provider)
    first, open_minor = waiting[0], sum(one.amount_minor for one in waiting)
    if len(waiting) > 1:
        # How one wrong sum spreads over several payments is for a person.
        if line.amount_minor != open_minor or len({one.provider for one in waiting}) > 1:
            return replace(_UNIDENTIFIED, named=reference)
        rule = "transfers_joined"
    elif line.amount_minor < open_minor:
        rule = "transfer_in_part"
    elif line.amount_minor > open_minor:
        rule = "transfer_excess"
    taken = [(one, min(one.amount_minor, line.amount_minor)) for one in waiting]
    return BankMatch(
        BankKind.TRANSFER_RECEIVED,
        MatchOutcome.AMOUNT if line.amount_minor > open_minor else MatchOutcome.MATCHED,
        rule,
        tuple(Cleared(one.account, one.item, minor) for one, minor in taken),
        open_minor,
        line.amount_minor - open_minor,
        provider=first.provider,
        excess_minor=max(0, line.amount_minor - open_minor),
        named=reference,
        payment=first.payment if len(waiting) == 1 else None,
    )


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
