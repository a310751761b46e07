"""The processor's end of day: one Settlement Details Report per currency, and the payout to the merchant's bank."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiohttp

from adapters.adyen.simulator.book import Book, Row
from adapters.simulation.bank import credit
from adapters.simulation.faults import Fault, Faults
from ledger.money import Money

ZONE: Final = ZoneInfo("Asia/Dubai")
HEADER: Final = (
    "Company Account", "Merchant Account", "Psp Reference", "Merchant Reference", "Payment Method", "Creation Date",
    "TimeZone", "Type", "Modification Reference", "Gross Currency", "Gross Debit (GC)", "Gross Credit (GC)",
    "Exchange Rate", "Net Currency", "Net Debit (NC)", "Net Credit (NC)", "Commission (NC)", "Markup (NC)",
    "Scheme Fees (NC)", "Interchange (NC)", "Payment Method Variant", "Modification Merchant Reference",
    "Batch Number", "Reserved4", "Reserved5", "Reserved6", "Reserved7", "Reserved8", "Reserved9", "Reserved10",
)  # fmt: skip

Line = dict[str, Any]


class Settlement:
    """Closes business dates, once each, and pays the bank, once per batch."""

    def __init__(
        self,
        book: Book,
        faults: Faults,
        clock: Callable[[], datetime],
        *,
        merchant_account: str,
        fee_basis_points: int,
        bank_url: str | None,
        session: Callable[[], aiohttp.ClientSession],
    ) -> None:
        self.now = clock
        self._book = book
        self._faults = faults
        self._merchant_account = merchant_account
        self._fee_basis_points = fee_basis_points
        self._bank_url = bank_url
        self._session = session

    async def close(self, business_date: date, *, early: bool = False) -> None:
        """Close a date that is over, or early on command; earlier dates with open money are closed first."""
        if not early and self.now() < _end(business_date):
            return
        opened = {_day(row["created_at"]) for row in self._book.unsettled(self._book.now())}
        for day in (*sorted(day for day in opened if day < business_date), business_date):
            self._close_one(day)
        await self._pay_bank()

    def listing(self, business_date: date) -> list[Row]:
        return self._book.rows(
            "SELECT name FROM reports WHERE business_date = ? AND listed_from <= ? ORDER BY batch",
            business_date.isoformat(),
            self._book.now(),
        )

    def content(self, name: str) -> bytes | None:
        found = self._book.rows("SELECT content FROM reports WHERE name = ?", name)
        return bytes(found[0]["content"]) if found else None

    def _close_one(self, business_date: date) -> None:
        if self._book.is_closed(business_date.isoformat()):
            return
        until = min(self.now(), _end(business_date) - timedelta(milliseconds=1))
        groups: dict[str, list[Line]] = defaultdict(list)
        for row in self._book.unsettled(until.astimezone(UTC).isoformat(timespec="milliseconds")):
            groups[row["currency"]].append(self._line(row))
        batches: dict[str, int] = {}
        reports: list[Row] = []
        batch = self._book.next_batch()
        for currency, lines in sorted(groups.items()):
            if sum(line["net"] for line in lines) <= 0:
                continue  # more given back than taken: carried forward
            fault = self._faults.take("settlement")
            kept = _spoil(lines, fault)
            cut = len(kept) // 2 if fault and fault.name == "split" and len(kept) > 1 else len(kept)
            for part in filter(None, (kept[:cut], kept[cut:])):
                reports.append(self._report(business_date, currency, batch, part, fault))
                batch += 1
            batches |= dict.fromkeys((line["psp_reference"] for line in lines), batch - 1)
        self._book.write_close(business_date.isoformat(), batches, reports)

    def _line(self, row: Row) -> Line:
        refund = row["kind"] == "refund"
        gross = -row["amount_minor"] if refund else row["amount_minor"]
        commission = 0 if refund else (gross * self._fee_basis_points + 5_000) // 10_000
        return {**row, "type": "Refunded" if refund else "Settled", "gross": gross, "commission": commission,
                "net": gross - commission}  # fmt: skip

    def _report(self, business_date: date, currency: str, batch: int, lines: list[Line], fault: Fault | None) -> Row:
        net = sum(line["net"] for line in lines)
        payout_text = f"TX{business_date:%Y%m%d}{currency}{batch:04d}XT batch {batch}, {self._merchant_account}"
        listed_from = self.now()
        if fault and fault.name == "late":
            listed_from += timedelta(days=fault.number("days", 1))
        out = io.StringIO()
        writer = csv.DictWriter(out, HEADER, restval="")
        writer.writeheader()
        for line in lines:
            writer.writerow(self._cells(line, currency, batch))
        off = 1 if fault and fault.name == "wrong_total" else 0
        writer.writerow(
            {
                "Company Account": "SimulatedCompany",
                "Merchant Account": self._merchant_account,
                "Creation Date": _local(self._book.now()),
                "TimeZone": "GST",
                "Type": "MerchantPayout",
                "Modification Reference": payout_text,
                "Net Currency": currency,
                "Net Debit (NC)": Money(net + off, currency).decimal(),
                "Batch Number": batch,
            }
        )
        return {
            "batch": batch,
            "name": f"settlement_detail_report_batch_{batch}.csv",
            "business_date": business_date.isoformat(),
            "currency": currency,
            "payout_text": payout_text,
            "net_minor": net,
            "content": out.getvalue().encode(),
            "listed_from": listed_from.astimezone(UTC).isoformat(timespec="milliseconds"),
        }

    def _cells(self, line: Line, currency: str, batch: int) -> dict[str, Any]:
        refund = line["kind"] == "refund"

        def side(minor: int, *, credit_side: bool) -> str:
            shown = minor if credit_side else -minor
            return Money(shown, currency).decimal() if shown > 0 else ""

        return {
            "Company Account": "SimulatedCompany",
            "Merchant Account": self._merchant_account,
            "Psp Reference": line["original"] if refund else line["psp_reference"],
            "Merchant Reference": "" if refund else line["reference"],
            "Payment Method": line["scheme"],
            "Creation Date": _local(line["created_at"]),
            "TimeZone": "GST",
            "Type": line["type"],
            "Modification Reference": line["psp_reference"],
            "Gross Currency": currency,
            "Gross Debit (GC)": side(line["gross"], credit_side=False),
            "Gross Credit (GC)": side(line["gross"], credit_side=True),
            "Exchange Rate": "1",
            "Net Currency": currency,
            "Net Debit (NC)": side(line["net"], credit_side=False),
            "Net Credit (NC)": side(line["net"], credit_side=True),
            "Commission (NC)": Money(line["commission"], currency).decimal() if line["commission"] else "",
            "Payment Method Variant": line["scheme"],
            "Modification Merchant Reference": line["reference"] if refund else "",
            "Batch Number": batch,
        }

    async def _pay_bank(self) -> None:
        """Credit every batch the bank has not confirmed; the bank knows a batch by its text, so again is once."""
        if self._bank_url is None:
            return
        for report in self._book.rows("SELECT * FROM reports WHERE credited = 0 ORDER BY batch"):
            if not await credit(
                self._session(),
                self._bank_url,
                batch=report["payout_text"],
                amount=Money(report["net_minor"], report["currency"]),
                booked_on=date.fromisoformat(report["business_date"]),
                debtor="Adyen N.V.",
            ):
                return  # asked again with the next request
            self._book.mark_credited(report["batch"])


def _spoil(lines: list[Line], fault: Fault | None) -> list[Line]:
    first = lines[0]
    match fault.name if fault else "":
        case "omit":
            return lines[1:]
        case "duplicate":
            return [first, *lines]
        case "extra":
            return [*lines, {**first, "psp_reference": "X" * 15 + "1", "reference": "unknown-reference"}]
        case "unknown_type":
            small = min(100, first["net"])
            return [*lines, {**first, "type": "LoyaltyClawback", "gross": -small, "net": -small, "commission": 0}]
        case "fee_changed":
            commission = first["commission"] * 2 + 1
            return [{**first, "commission": commission, "net": first["gross"] - commission}, *lines[1:]]
        case _:
            return lines


def _end(business_date: date) -> datetime:
    return datetime.combine(business_date + timedelta(days=1), time(), ZONE)


def _day(instant: str) -> date:
    return datetime.fromisoformat(instant).astimezone(ZONE).date()


def _local(instant: str) -> str:
    return datetime.fromisoformat(instant).astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")
