"""The matching rules, as data: which keys join what, how much may differ, how sure we are, and the sentence for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciliation.breaks import LEFT_TO_RIGHT_ISOLATE, POP_ISOLATE, BreakType, Language


class Leg(StrEnum):
    PROVIDER = "provider"  # our open items against settlement lines
    BANK = "bank"  # batches, payouts and direct transfers against bank entries


class MatchOutcome(StrEnum):
    """What became of one line or entry."""

    MATCHED = "matched"
    AMOUNT = "amount"
    CURRENCY = "currency"
    DUPLICATE = "duplicate"
    MISSING_IN_BOOKS = "missing_in_books"
    CHARGEBACK = "chargeback"
    FEE_LINE = "fee_line"
    UNKNOWN_LINE = "unknown_line"
    STATEMENT_ONLY = "statement_only"  # a line that only repeats the batch's payout; it moves nothing
    UNIDENTIFIED = "unidentified"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much more or less than expected still counts as the same: the wider of absolute and basis points."""

    above_minor: int = 0
    below_minor: int = 0
    above_basis_points: int = 0
    below_basis_points: int = 0

    def allows(self, expected_minor: int, actual_minor: int) -> bool:
        difference = abs(actual_minor) - abs(expected_minor)
        if difference >= 0:
            return difference <= max(self.above_minor, abs(expected_minor) * self.above_basis_points // 10_000)
        return -difference <= max(self.below_minor, abs(expected_minor) * self.below_basis_points // 10_000)


EXACT: Final = Tolerance()
ROUNDING_OF_ONE: Final = Tolerance(above_minor=1, below_minor=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rung of a ladder. A rule never joins on amount alone: it names at least one reference."""

    name: str
    leg: Leg
    keys: tuple[str, ...]
    score: int
    tolerance: Tolerance
    sentence: tuple[str, str]


RULES: Final[tuple[Rule, ...]] = (
    Rule("provider_reference", Leg.PROVIDER, ("provider_reference",), 100, EXACT,
         ("The provider's own reference {reference} is the one our books hold.",
          "مرجع المزود {reference} هو المرجع المسجل في دفاترنا.")),
    Rule("our_reference", Leg.PROVIDER, ("reference",), 95, EXACT,
         ("The line carries our reference {reference}.", "يحمل السطر مرجعنا {reference}.")),
    Rule("in_parts", Leg.PROVIDER, ("provider_reference", "reference", "amount"), 95, EXACT,
         ("Several lines of the file name {reference}, and together they are what was open.",
          "تذكر عدة سطور من الملف {reference} ومجموعها هو ما كان مفتوحًا.")),
    Rule("found_later", Leg.PROVIDER, ("provider_reference", "reference"), 90, EXACT,
         ("Our books learned of {reference} after the line arrived.",
          "عرفت دفاترنا المرجع {reference} بعد وصول السطر.")),
    Rule("batch_reference", Leg.BANK, ("batch_reference", "amount"), 100, ROUNDING_OF_ONE,
         ("The bank names batch {reference} and the amounts agree.",
          "يذكر البنك الدفعة المجمعة {reference} والمبلغان متفقان.")),
    Rule("batch_in_remittance", Leg.BANK, ("remittance", "amount"), 95, ROUNDING_OF_ONE,
         ("The credit's text contains batch {reference} and the amounts agree.",
          "يحتوي نص الإيداع على الدفعة المجمعة {reference} والمبلغان متفقان.")),
    Rule("batch_other_amount", Leg.BANK, ("batch_reference",), 80, EXACT,
         ("The bank names batch {reference}; the amounts differ and the rest stays open.",
          "يذكر البنك الدفعة المجمعة {reference} ويختلف المبلغان ويبقى الفرق مفتوحًا.")),
    Rule("end_to_end", Leg.BANK, ("end_to_end_id",), 100, EXACT,
         ("The debit carries the payout line's id {reference}.", "يحمل القيد المدين رقم سطر التحويل {reference}.")),
    Rule("payout_file", Leg.BANK, ("message_id", "amount"), 100, EXACT,
         ("One debit for the whole payout file {reference}.", "قيد مدين واحد لملف التحويلات {reference}.")),
    Rule("payout_return", Leg.BANK, ("end_to_end_id", "returned"), 100, EXACT,
         ("The bank sends payout line {reference} back.", "يعيد البنك سطر التحويل {reference}.")),
    Rule("payout_return_less", Leg.BANK, ("end_to_end_id", "returned"), 90, EXACT,
         ("The bank sends payout line {reference} back, less than it was; the rest stays open.",
          "يعيد البنك سطر التحويل {reference} ناقصًا ويبقى الفرق مفتوحًا.")),
    Rule("transfer_reference", Leg.BANK, ("creditor reference, virtual account or our id",), 100, EXACT,
         ("The credit names {reference}, whose check digits hold, and the amount is what is open.",
          "يذكر الإيداع المرجع {reference} وأرقام تحققه سليمة والمبلغ هو المتبقي.")),
    Rule("transfer_end_to_end", Leg.BANK, ("end_to_end_id",), 100, EXACT,
         ("The credit carries the payment's own id {reference} and the amount is what is open.",
          "يحمل الإيداع معرّف الدفعة {reference} والمبلغ هو المتبقي.")),
    Rule("transfer_in_remittance", Leg.BANK, ("remittance",), 95, EXACT,
         ("The credit's text names {reference} as a word of its own and the amount is what is open.",
          "يذكر نص الإيداع {reference} ككلمة مستقلة والمبلغ هو المتبقي.")),
    Rule("transfers_joined", Leg.BANK, ("references", "amount"), 95, EXACT,
         ("One credit names several payments, {reference} first, and is exactly their sum.",
          "إيداع واحد يذكر عدة دفعات أولها {reference} ومبلغه مجموعها تمامًا.")),
    Rule("transfer_in_part", Leg.BANK, ("reference",), 90, EXACT,
         ("The credit names {reference} and is a part of it; the rest stays open.",
          "يذكر الإيداع {reference} وهو جزء منه ويبقى الباقي مفتوحًا.")),
    Rule("transfer_excess", Leg.BANK, ("reference",), 90, EXACT,
         ("The credit names {reference} and is more than was open; the excess waits in suspense.",
          "يذكر الإيداع {reference} ويزيد على المتبقي؛ والزيادة معلقة.")),
    Rule("exchanged", Leg.BANK, ("chosen by two people",), 100, EXACT,
         ("Two people booked it as {reference}, settled in another currency.",
          "قيده شخصان على أنه {reference} بعملة أخرى.")),
    Rule("by_hand", Leg.PROVIDER, ("chosen by two people",), 100, EXACT,
         ("Two people matched it to {reference} by hand.", "طابقه شخصان يدويًا مع {reference}.")),
)  # fmt: skip

RULE: Final = {rule.name: rule for rule in RULES}

BREAK_OF: Final[dict[MatchOutcome, BreakType]] = {
    MatchOutcome.AMOUNT: BreakType.AMOUNT,
    MatchOutcome.CURRENCY: BreakType.CURRENCY,
    MatchOutcome.DUPLICATE: BreakType.DUPLICATE,
    MatchOutcome.MISSING_IN_BOOKS: BreakType.MISSING_IN_BOOKS,
    MatchOutcome.CHARGEBACK: BreakType.CHARGEBACK,
    MatchOutcome.UNKNOWN_LINE: BreakType.UNKNOWN_LINE,
}
"""The outcomes of a settlement line that are somebody's work."""


def explain(rule_name: str, reference: str, language: Language) -> str:
    """Say why two things were matched, in one sentence."""
    english, arabic = RULE[rule_name].sentence
    if language is Language.ENGLISH:
        return english.format(reference=reference)
    return arabic.format(reference=f"{LEFT_TO_RIGHT_ISOLATE}{reference}{POP_ISOLATE}")
