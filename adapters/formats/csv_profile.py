"""Read a provider's settlement file by its profile, line by line as it streams.

A line that cannot be read is listed with its reason and the others still count; a file whose own total contradicts
its lines, or that breaks off, is refused as a whole.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO, Final, NoReturn

from adapters.contract import SettlementFile, SettlementLine
from adapters.errors import FileRefusedError
from adapters.formats.settlement_lines import Figures, LineReader, UnevenError
from adapters.formats.settlement_profile import SettlementProfile
from adapters.formats.settlement_rows import Rows, Table
from adapters.formats.settlement_values import Instant
from ledger.errors import MoneyError
from ledger.money import Money

REFUSED_LINES_MAX: Final = 1000
BATCHES_MAX: Final = 10_000


@dataclass(slots=True)
class SettlementSummary:
    """One batch of the file in one currency, told after its last line. `stated_net` is the file's own total."""

    provider: str
    batch_reference: str
    currency: str
    business_date: date | None = None
    expected_credit_date: date | None = None
    line_count: int = 0
    net_minor: int = 0
    stated_net_minor: int | None = None
    refused_count: int = 0
    refused_lines: list[tuple[int, str]] = field(default_factory=list)
    warnings: tuple[str, ...] = ()
    latest_at: Instant | None = None

    @property
    def total_net(self) -> Money:
        minor = self.net_minor if self.stated_net_minor is None else self.stated_net_minor
        return Money.of_total(minor, self.currency)


Batch = tuple[str, str]
"""What the bank credit will name, and its currency."""


def stream_settlement(
    stream: BinaryIO, profile: SettlementProfile, *, name: str = "", account: str = ""
) -> Iterator[Figures | SettlementSummary]:
    """Yield every line as it is read, then one summary for each batch; the memory used does not grow with the file.

    With an `account` the profile must say in which column it stands, and lines of another one are refused.
    """
    reading = _Reading(stream, profile, name, account)
    try:
        yield from reading.parts()
    except csv.Error as error:
        raise FileRefusedError(f"the table breaks: {error}", line=reading.line_number) from error


def read_settlements(
    source: BinaryIO | bytes, profile: SettlementProfile, *, name: str, account: str = ""
) -> list[SettlementFile]:
    """Return one settlement for each batch and currency of the file."""
    data = source if isinstance(source, bytes) else source.read()
    digest = hashlib.sha256(data).hexdigest()
    lines: dict[Batch, list[SettlementLine]] = {}
    files = []
    for part in stream_settlement(io.BytesIO(data), profile, name=name, account=account):
        if isinstance(part, Figures):
            lines.setdefault((part.batch, part.currency), []).append(part.line())
        elif part.business_date is None:
            raise FileRefusedError(f"batch {part.batch_reference} names no day")
        else:
            files.append(
                SettlementFile(
                    provider=part.provider,
                    name=name,
                    sha256=digest,
                    business_date=part.business_date,
                    batch_reference=part.batch_reference,
                    currency=part.currency,
                    lines=tuple(lines.get((part.batch_reference, part.currency), ())),
                    total_net=part.total_net,
                    expected_credit_date=part.expected_credit_date,
                    refused_lines=tuple(part.refused_lines),
                )
            )
    return files


def read_settlement(
    source: BinaryIO | bytes, profile: SettlementProfile, *, name: str, account: str = ""
) -> SettlementFile:
    """Return the file's one settlement; a file of several batches or currencies is refused."""
    files = read_settlements(source, profile, name=name, account=account)
    if len(files) != 1:
        batches = ", ".join(f"{file.batch_reference} {file.currency}" for file in files[:5])
        raise FileRefusedError(f"the file holds {len(files)} batches where one is expected: {batches}")
    return files[0]


def _is_blank(row: list[str]) -> bool:
    return not any(cell.strip() for cell in row)


class _Reading:
    """One file under way."""

    def __init__(self, stream: BinaryIO, profile: SettlementProfile, name: str, account: str) -> None:
        self._profile = profile
        self._account = account
        self._sums = [0, 0, 0]
        self._rows = Rows(stream, profile)
        self._default_batch = name.rpartition("/")[2].partition(".")[0] or profile.name
        self._summaries: dict[Batch, SettlementSummary] = {}
        self._refused: list[tuple[int, str]] = []
        self._refused_count = 0
        self._body_count = 0
        self._total: Figures | None = None
        self._total_number = 0

    @property
    def line_number(self) -> int:
        return self._rows.table.line_num

    def parts(self) -> Iterator[Figures | SettlementSummary]:
        table, profile = self._rows.table, self._profile
        reader = LineReader(
            profile, self._header(table), table.line_num, default_batch=self._default_batch, account=self._account
        )
        read, total_kind = reader.read, profile.total_kind
        has_frame = profile.framing is not None or bool(profile.total_word)
        batch, summary, latest = None, None, None
        for row in filter(None, table):
            number = table.line_num
            if has_frame:
                if self._is_frame(reader, number, row):
                    continue
                self._body_count += 1
            if not row[0] and _is_blank(row):
                continue
            try:
                line = read(number, row)
            except (MoneyError, ValueError, OverflowError) as error:
                self._refuse(number, str(error))
                continue
            if line.kind is total_kind:
                self._keep_payout(reader, line)
                continue
            if summary is None or line.batch != batch or line.currency != summary.currency:
                batch, summary = line.batch, self._summary(line)
                latest = summary.latest_at
            summary.line_count += 1
            summary.net_minor += line.net_minor
            if has_frame or line.business_date is not None or line.credit_on is not None:
                self._note(summary, line)
            at = line.at
            # A day and a time cannot be compared, and the first kind seen stays.
            if at is not None and (latest is None or (type(at) is type(latest) and at > latest)):
                summary.latest_at = latest = at
            yield line
        yield from self._summarise(reader)

    def _is_frame(self, reader: LineReader, number: int, row: list[str]) -> bool:
        """Take a row that stands around the lines: a frame's, the totals, or one of nothing."""
        framing = self._profile.framing
        if framing is not None:
            if row[0] == framing.body:
                return False
            self._frame(number, row)
            return True
        if reader.is_total(row, self._profile.total_word.casefold()):
            self._keep_total(reader, number, row)
            return True
        if not row[0] and _is_blank(row):
            return True
        if self._total is not None:
            raise FileRefusedError("lines follow the totals", line=number)
        return False

    def _header(self, table: Table) -> list[str]:
        """Find the header among the first rows: the first that has the column every line needs."""
        framing = self._profile.framing
        wanted = {title.casefold() for title in self._profile.columns.kind}
        seen = 0
        for row in table:
            if framing is not None:
                if row and row[0] == framing.header:
                    return row
            elif wanted & {cell.strip().casefold() for cell in row}:
                return row
            seen += 1
            if seen >= self._profile.header_lines_max:
                break
        if not seen:
            raise FileRefusedError("the file is empty", cause="empty")
        titles = " or ".join(repr(title) for title in self._profile.columns.kind)
        raise FileRefusedError(f"no row of the first {seen} has the column {titles}; this is not {self._profile.name}")

    def _frame(self, number: int, row: list[str]) -> None:
        """Take the rows around the body of a framed file: a count of rows is proven, the rest passed over."""
        framing = self._profile.framing
        if framing is None or row[0] in framing.ignored or row[0] == framing.header:
            return
        if row[0] == framing.count:
            stated = row[1].strip() if len(row) > 1 else ""
            if stated != str(self._body_count):
                raise FileRefusedError(f"the file counts {stated} rows and holds {self._body_count}", line=number)
            return
        self._refuse(number, f"a row of kind {row[0][:20]!r} is not known")

    def _keep_total(self, reader: LineReader, number: int, row: list[str]) -> None:
        if self._total is not None:
            raise FileRefusedError("a second row of totals", line=number)
        if reader.is_for_another(row, self._profile.total_word.casefold()):
            raise FileRefusedError("the file is for another account", line=number, cause="other_account")
        try:
            self._total = reader.read_total(number, row)
        except UnevenError as error:
            self._refuse_uneven(error, number)
        except (MoneyError, ValueError, OverflowError) as error:
            raise FileRefusedError(f"the totals cannot be read: {error}", line=number) from error
        self._total_number = number
        count = reader.total_count(row)
        if count is not None and count != self._body_count:
            raise FileRefusedError(f"the totals count {count} lines, the file has {self._body_count}", line=number)

    def _refuse_uneven(self, error: UnevenError, number: int) -> NoReturn:
        """Refuse totals that contradict themselves, with what they state and what the lines sum to."""
        reason = f"the totals cannot be read: {error}"
        if len(self._summaries) != 1:
            raise FileRefusedError(reason, line=number) from error
        (summary,) = self._summaries.values()
        stated, found = (Money.of_total(minor, summary.currency) for minor in (error.net_minor, summary.net_minor))
        raise FileRefusedError(reason, line=number, cause="total_not_lines", stated=stated, found=found) from error

    def _keep_payout(self, reader: LineReader, line: Figures) -> None:
        """Take the provider's own payout line as the batch's stated total: it is not one of the batch's lines."""
        summary = self._summary(line)
        summary.stated_net_minor = (summary.stated_net_minor or 0) - line.net_minor
        paid_on = line.credit_on or (reader.local_day(line.at) if line.at is not None else None)
        summary.expected_credit_date = paid_on or summary.expected_credit_date

    def _summary(self, line: Figures) -> SettlementSummary:
        """Return the summary of the line's batch, opened by its first line."""
        batch = line.batch, line.currency
        summary = self._summaries.get(batch)
        if summary is None:
            if len(self._summaries) >= BATCHES_MAX:
                raise FileRefusedError(f"a file of more than {BATCHES_MAX} batches is not one")
            summary = self._summaries[batch] = SettlementSummary(self._profile.provider, *batch)
        return summary

    def _note(self, summary: SettlementSummary, line: Figures) -> None:
        """Take the line's days, and sum what a row of totals states beside the net."""
        for place, minor in enumerate((line.gross_minor, line.fee_minor, line.fee_vat_minor)):
            self._sums[place] += minor
        if line.business_date is not None:
            summary.business_date = max(summary.business_date or line.business_date, line.business_date)
        if line.credit_on is not None:
            summary.expected_credit_date = line.credit_on

    def _refuse(self, number: int, reason: str) -> None:
        self._refused_count += 1
        if len(self._refused) < REFUSED_LINES_MAX:
            self._refused.append((number, reason))

    def _summarise(self, reader: LineReader) -> Iterator[SettlementSummary]:
        if self._profile.total_word and self._total is None:
            raise FileRefusedError("the row of totals is missing; the file is cut off", cause="cut_off")
        if self._total is not None:
            self._prove_total(self._total, reader)
        if not self._summaries:
            if not self._refused_count:
                raise FileRefusedError("the file holds no line")
            number, reason = self._refused[0]
            raise FileRefusedError(f"none of {self._refused_count} lines can be read; the first: {reason}", line=number)
        for summary in self._summaries.values():
            # A line that cannot be read belongs to no batch that anybody knows, so every batch of the file tells of it.
            summary.refused_count, summary.refused_lines = self._refused_count, self._refused
            summary.warnings = tuple(self._rows.oddities)
            if summary.business_date is None and summary.latest_at is not None:
                summary.business_date = reader.local_day(summary.latest_at)
            stated = summary.stated_net_minor
            if stated is not None and not self._refused_count:
                self._refuse_far(stated, summary.net_minor, summary.currency)
            yield summary

    def _prove_total(self, total: Figures, reader: LineReader) -> None:
        """Hold the row of totals against the lines, and give it to the batch, which the row closes."""
        if len(self._summaries) > 1:
            raise FileRefusedError("one row of totals closes several batches", line=self._total_number)
        if not self._summaries:
            self._summary(total)
        (summary,) = self._summaries.values()
        if total.currency != summary.currency:
            raise FileRefusedError(f"totals in {total.currency}, lines in {summary.currency}", line=self._total_number)
        stated = (total.gross_minor, total.fee_minor, total.fee_vat_minor)
        for title, said, found in zip(("gross", "fees", "VAT on fees"), stated, self._sums, strict=True):
            if not self._refused_count and abs(said - found) > self._profile.rounding_minor:
                amounts = Money.of_total(said, total.currency), Money.of_total(found, total.currency)
                raise FileRefusedError(
                    f"{title}: the totals say {amounts[0]}, the lines sum to {amounts[1]}", line=self._total_number,
                    cause="total_not_lines", stated=amounts[0], found=amounts[1],
                )  # fmt: skip
        summary.stated_net_minor = total.net_minor
        day = reader.local_day(total.at) if total.at is not None else None
        summary.business_date = total.business_date or summary.business_date or day
        summary.expected_credit_date = total.credit_on or summary.expected_credit_date

    def _refuse_far(self, stated_minor: int, found_minor: int, currency: str) -> None:
        """Refuse a total that is further from its lines than rounding explains; nearer is a break for finance."""
        if abs(stated_minor - found_minor) > self._profile.rounding_minor:
            stated, found = Money.of_total(stated_minor, currency), Money.of_total(found_minor, currency)
            line = self._total_number or None
            raise FileRefusedError(
                f"the file states a total of {stated}, its lines sum to {found}", line=line,
                cause="total_not_lines", stated=stated, found=found,
            )  # fmt: skip
