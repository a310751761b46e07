"""One row of a settlement file in our signs: gross as collected, fees as kept, net as paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from operator import itemgetter
from typing import Final, NamedTuple

from adapters.contract import LineKind, SettlementLine
from adapters.errors import FileRefusedError
from adapters.formats.settlement_profile import SettlementProfile, Sign, Titles
from adapters.formats.settlement_values import KEPT_LENGTH_MAX, Amounts, Instant, Times
from ledger.money import AMOUNT_MINOR_MAX, Money, exponent_of

PAYMENT, REFUND, FEE = LineKind.PAYMENT, LineKind.REFUND, LineKind.FEE
GIVEN_BACK: Final = frozenset({LineKind.REFUND, LineKind.CHARGEBACK})
REFERENCES_LENGTH_MAX: Final = 400
NOT_THERE: Final = -1
SPELLINGS_MAX: Final = 1000


class UnevenError(ValueError):
    """A row whose own net is not its gross less its fees; it says what net the row states."""

    def __init__(self, reason: str, net_minor: int) -> None:
        super().__init__(reason)
        self.net_minor = net_minor


class Figures(NamedTuple):
    """What a row says, in minor units and our signs; `line()` gives it as the contract has it."""

    number: int
    kind: LineKind
    word: str
    reference: str | None
    provider_reference: str | None
    currency: str
    gross_minor: int
    fee_minor: int
    fee_vat_minor: int
    net_minor: int
    at: Instant | None
    batch: str
    business_date: date | None
    credit_on: date | None

    def line(self) -> SettlementLine:
        currency = self.currency
        return SettlementLine(
            number=self.number,
            kind=self.kind,
            reference=self.reference,
            provider_reference=self.provider_reference,
            gross=Money(self.gross_minor, currency),
            fee=Money(self.fee_minor, currency),
            fee_vat=Money(self.fee_vat_minor, currency),
            net=Money(self.net_minor, currency),
            transaction_at=self.at,
            raw_kind=self.word,
        )


_new: Final = tuple.__new__


class LineReader:
    """Reads the rows below one header."""

    def __init__(
        self, profile: SettlementProfile, header: Sequence[str], number: int, *, default_batch: str, account: str = ""
    ) -> None:
        self._profile = profile
        self._titles: dict[str, int] = {}
        for place, title in enumerate(header):
            self._titles.setdefault(" ".join(title.split()).casefold(), place)
        self._number = number
        self._default_batch = default_batch
        self._width = len(header)
        columns = profile.columns
        self._kind = self._place(columns.kind, required=True)
        self._account = account
        self._account_at = self._place(columns.account, required=bool(account))
        self._reference = self._place(columns.reference)
        self._provider_reference = self._place(columns.provider_reference)
        self._refund_reference = self._place(columns.refund_reference)
        self._refund_provider_reference = self._place(columns.refund_provider_reference)
        self._currency = self._place(columns.currency, required=bool(columns.currency) and not profile.currency)
        self._gross = self._place(columns.gross, required=not profile.derive_gross and not columns.gross_debit)
        self._gross_debit = self._place(columns.gross_debit)
        self._gross_credit = self._place(columns.gross_credit)
        self._direction = self._place(columns.gross_direction, required=profile.sign is Sign.BY_COLUMN)
        self._net = self._place(columns.net, required=bool(columns.net) and "net" not in profile.optional)
        self._net_debit = self._place(columns.net_debit, required=bool(columns.net_debit))
        self._net_credit = self._place(columns.net_credit, required=bool(columns.net_credit))
        self._fees = tuple(place for titles in columns.fees if (place := self._place(titles)) != NOT_THERE)
        self._fee_direction = self._place(columns.fee_direction)
        self._fee_vat = self._place(columns.fee_vat)
        self._at = self._place(columns.transaction_at)
        self._zone = self._place(columns.zone)
        self._business_date = self._place(columns.business_date)
        self._credit_on = self._place(columns.credit_on)
        self._batch = self._place(columns.batch)
        self._count = self._place(profile.total_count)
        self._folded = {word.casefold(): kind for word, kind in profile.kinds.items()}
        self._kinds: dict[str, tuple[LineKind, str]] = {}
        self._fee_positive = profile.fee_positive
        self._turns_fees = self._fee_direction >= 0 or not profile.fee_positive
        self._derives_gross = profile.derive_gross
        self._debit_words = {word.casefold() for word in profile.debit_words}
        # One step of ours for several cells; a column that is not there is read behind the last one, where nothing is.
        self._pick = itemgetter(self._currency, self._zone, self._at, self._batch, self._business_date, self._credit_on)
        self._pick_payment = itemgetter(self._reference, self._provider_reference)
        self._pick_refund = itemgetter(self._refund_reference, self._refund_provider_reference)
        # Two at least, since of one it would make no tuple.
        self._pick_fees = itemgetter(*self._fees, NOT_THERE, NOT_THERE)
        self._times = Times(profile.time_formats, profile.zone, profile.zone_names)
        self._time = self._times.read
        self._amounts: dict[str, Amounts] = {}

    def _place(self, titles: Titles, *, required: bool = False) -> int:
        for title in titles:
            place = self._titles.get(" ".join(title.split()).casefold())
            if place is not None:
                return place
        if required:
            names = " or ".join(repr(title) for title in titles)
            raise FileRefusedError(f"the column {names} is missing", line=self._number)
        return NOT_THERE

    def is_total(self, row: Sequence[str], word: str) -> bool:
        """Whether this row closes the file: the word stands in its first cell, or where a line has its kind."""
        return row[0].strip().casefold() == word or self._cell(row, self._kind).casefold() == word

    def is_for_another(self, row: Sequence[str], word: str) -> bool:
        """Whether the totals are another account's: they name it, or nothing, or repeat their own word."""
        named = self._cell(row, self._account_at) if self._account else ""
        return named not in ("", self._account) and named.casefold() != word

    def total_count(self, row: Sequence[str]) -> int | None:
        text = self._cell(row, self._count)
        return int(text) if text.isascii() and text.isdigit() else None

    def read(self, number: int, row: list[str]) -> Figures:
        """Return what the row says; `ValueError` or `MoneyError` why it cannot be read."""
        if len(row) != self._width:
            # Some providers leave empty cells off the end, and some add a last delimiter; what is cut is not empty.
            if len(row) > self._width and any(cell.strip() for cell in row[self._width :]):
                raise ValueError(f"{len(row)} cells under a header of {self._width}")
            row = [*row[: self._width], *[""] * (self._width - len(row))]
        if self._account and row[self._account_at].strip() != self._account:
            raise ValueError("the line is for another account")
        text = row[self._kind]
        kind, word = self._kinds.get(text) or self._kind_of(text)
        return self._read(number, row, kind, word)

    def _kind_of(self, text: str) -> tuple[LineKind, str]:
        """Return the kind and its word. Words repeat a million times, so each spelling is looked up only once."""
        word = text.strip()
        found = self._folded.get(word.casefold(), LineKind.OTHER), word
        if len(self._kinds) < SPELLINGS_MAX and len(text) <= KEPT_LENGTH_MAX:
            self._kinds[text] = found
        return found

    def read_total(self, number: int, row: list[str]) -> Figures:
        """Return the totals; they are amounts like the others', of no kind that would turn their sign."""
        padded = [*row[: self._width], *[""] * (self._width - len(row))]
        return self._read(number, padded, LineKind.OTHER, "")

    def local_day(self, instant: Instant) -> date:
        return self._times.local_day(instant)

    def _cell(self, row: Sequence[str], place: int) -> str:
        return row[place].strip() if NOT_THERE < place < len(row) else ""

    def _amounts_in(self, currency: str) -> Amounts:
        code = currency.strip().upper() or self._profile.currency
        exponent_of(code)
        profile = self._profile
        amounts = Amounts(
            code,
            minor_units=profile.minor_units,
            decimal_mark=profile.decimal_mark,
            rounds=profile.rounds_fractions,
        )
        if len(self._amounts) >= SPELLINGS_MAX:
            self._amounts.clear()
        self._amounts[currency] = amounts
        return amounts

    def _read(self, number: int, row: list[str], kind: LineKind, word: str) -> Figures:
        row.append("")  # the cell of every column that is not there
        currency, zone, at, batch, business_date, credit_on = self._pick(row)
        amounts = self._amounts.get(currency) or self._amounts_in(currency)
        gross, fee, vat, net = self._money(row, kind, amounts)
        if kind is PAYMENT and gross <= 0:
            # A payment of nothing that costs something is a fee; one that takes money away is for people to look at.
            kind = LineKind.FEE if gross == 0 and net < 0 else LineKind.OTHER
        ours, theirs = (self._pick_refund if kind is REFUND else self._pick_payment)(row)
        reference, provider_reference = ours.strip(), theirs.strip()
        if len(reference) + len(provider_reference) > REFERENCES_LENGTH_MAX:
            raise ValueError(f"the references are longer than {REFERENCES_LENGTH_MAX} characters")
        # The tuple is made as its class would make it, without the price of a call by fourteen names.
        return _new(
            Figures,
            (
                number, kind, word, reference or None, provider_reference or None, amounts.currency,
                gross, fee, vat, net,
                self._time(at, zone) if at else None,
                batch.strip() or self._default_batch,
                self._times.day(business_date, zone) if business_date else None,
                self._times.day(credit_on, zone) if credit_on else None,
            ),
        )  # fmt: skip

    def _money(self, row: Sequence[str], kind: LineKind, amounts: Amounts) -> tuple[int, int, int, int]:
        """Return gross, fee, VAT and net; what the file leaves out follows from net = gross - fee - VAT."""
        fee = amounts.fee_sums[self._pick_fees(row)]
        vat = amounts.minor(row[self._fee_vat]) if self._fee_vat >= 0 else 0
        if self._turns_fees:
            fee, vat = self._kept(row, fee, vat)
        net = None
        if self._net >= 0:
            net = self._turned(amounts.minor(row[self._net]), row, kind)
        elif self._net_credit >= 0:
            credit, debit = row[self._net_credit], row[self._net_debit]
            net = (amounts.minor(credit) if credit else 0) - (amounts.minor(debit) if debit else 0)
        if self._derives_gross:
            gross = (net or 0) + fee + vat
        elif self._gross >= 0:
            gross = self._turned(amounts.minor(row[self._gross]), row, kind)
        else:
            gross = amounts.minor(row[self._gross_credit]) - amounts.minor(row[self._gross_debit])
        if net is None or gross - fee - vat != net:
            fee, net = self._balanced(gross, fee, vat, net)
        if kind is FEE:
            # A fee collects nothing: whatever column the file puts it in, it is what the provider keeps.
            gross, fee = 0, -net - vat
        if abs(gross) > AMOUNT_MINOR_MAX or abs(net) > AMOUNT_MINOR_MAX:
            raise ValueError(f"{gross} or {net} (minor units) is beyond any amount the books keep")
        return gross, fee, vat, net

    def _balanced(self, gross: int, fee: int, vat: int, net: int | None) -> tuple[int, int]:
        """Return fee and net so that net is gross less fee and VAT; `ValueError` where the file says otherwise."""
        if net is None:
            return fee, gross - fee - vat
        if self._fees and abs(gross - fee - vat - net) > self._profile.rounding_minor:
            raise UnevenError(f"net {net} is not gross {gross} less fee {fee} and VAT {vat} (minor units)", net)
        return gross - vat - net, net

    def _kept(self, row: Sequence[str], fee: int, vat: int) -> tuple[int, int]:
        """Return the fee and the VAT on it, positive where the provider keeps them."""
        if self._fee_direction >= 0 and row[self._fee_direction].strip():
            charged = row[self._fee_direction].strip().casefold() in self._debit_words
            return (abs(fee) if charged else -abs(fee)), vat
        return (fee, vat) if self._fee_positive else (-fee, -vat)

    def _turned(self, minor: int, row: Sequence[str], kind: LineKind) -> int:
        sign = self._profile.sign
        if sign is Sign.BY_KIND:
            return -abs(minor) if kind in GIVEN_BACK or kind is LineKind.FEE else minor
        if sign is Sign.BY_COLUMN:
            debit = row[self._direction].strip().casefold() in self._debit_words
            return -abs(minor) if debit else abs(minor)
        return minor
