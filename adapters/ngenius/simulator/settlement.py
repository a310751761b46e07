"""The acquirer's end of day: batches, the CSV report of each, and the money sent to the merchant's bank."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiohttp

from adapters.ngenius.simulator.book import Book, Row
from adapters.simulation.bank import credit
from adapters.simulation.faults import Fault, Faults
from ledger.money import Money

ZONE: Final = ZoneInfo("Asia/Dubai")
VAT_PERCENT: Final = 5
HEADER: Final = (
    "Outlet ID", "Batch Reference", "Transaction Type", "Order Reference", "Merchant Order Reference",
    "Transaction Reference", "Transaction Date", "Posting Date", "Card Scheme", "Masked PAN", "Auth Code", "RRN",
    "Currency", "Gross Amount", "MDR", "VAT on MDR", "Net Amount", "Payout Date",
)  # fmt: skip
TYPES: Final = {"SALE": "SALE", "AUTH": "CAPTURE", "PURCHASE": "PURCHASE"}
"""What a captured order is called, by its action."""
WORDS: Final = {"refund": "REFUND", "chargeback": "CHARGEBACK", "representment": "REPRESENTMENT"}
"""What every other movement is called; none of them costs a fee."""
TAKEN_BACK: Final = frozenset({"refund", "chargeback"})


class Line(dict[str, Any]):
    """One line of a report: its cells by name, amounts as integers in minor units."""

    @property
    def net(self) -> int:
        return int(self["gross"] - self["fee"] - self["vat"])


class Settlement:
    """Closes business dates, once each, and pays the bank, once per batch."""

    def __init__(
        self,
        book: Book,
        faults: Faults,
        clock: Callable[[], datetime],
        *,
        fee_basis_points: int,
        credit_after_days: int,
        bank_url: str | None,
        session: Callable[[], aiohttp.ClientSession],
    ) -> None:
        self._book = book
        self._faults = faults
        self._clock = clock
        self._fee_basis_points = fee_basis_points
        self._credit_after_days = credit_after_days
        self._bank_url = bank_url
        self._session = session

    async def close(self, business_date: date, *, early: bool = False) -> bool:
        """Close a date that is over, or early on command; earlier dates with open money are closed first."""
        now = self._clock()
        if not early and now < _end(business_date):
            return False
        opened = {_business_date(row["created_at"]) for row in self._book.unsettled(self._book.now())}
        for earlier in sorted(day for day in opened if day < business_date):
            self._close_one(earlier, now)
        self._close_one(business_date, now)
        await self._pay_bank()
        return True

    def listing(self, outlet: str, business_date: date) -> list[Row]:
        """Return the reports the merchant may see by now."""
        return self._book.rows(
            "SELECT name FROM reports WHERE outlet = ? AND business_date = ? AND listed_from <= ? ORDER BY name",
            outlet,
            business_date.isoformat(),
            self._book.now(),
        )

    def content(self, name: str) -> bytes | None:
        found = self._book.rows("SELECT content FROM reports WHERE name = ?", name)
        return bytes(found[0]["content"]) if found else None

    def _close_one(self, business_date: date, now: datetime) -> None:
        if self._book.is_closed(business_date.isoformat()):
            return
        end = min(now + timedelta(milliseconds=1), _end(business_date))
        groups: dict[tuple[str, str], list[Line]] = defaultdict(list)
        for row in self._book.unsettled(end.astimezone(UTC).isoformat(timespec="milliseconds")):
            groups[row["outlet"], row["currency"]].append(self._line(row))
        batches: dict[str, str] = {}
        reports: list[Row] = []
        for (outlet, currency), lines in sorted(groups.items()):
            if sum(line.net for line in lines) <= 0:
                continue  # more given back than taken: carried forward to the next batch
            fault = self._faults.take("settlement")
            kept = self._spoil(lines, fault)
            cut = len(kept) // 2 if fault and fault.name == "split" and len(kept) > 1 else len(kept)
            parts = [part for part in (kept[:cut], kept[cut:]) if part]
            for number, part in enumerate(parts, start=1):
                batch = f"NGB{business_date:%Y%m%d}{currency}{outlet[:4].upper()}{number:02d}"
                batches |= {line["identifier"]: batch for line in part if line["identifier"]}
                reports.append(self._report(outlet, currency, business_date, batch, part, fault))
            missing = {line["identifier"] for line in lines} - batches.keys()
            batches |= dict.fromkeys(missing, "omitted")
        self._book.write_close(business_date.isoformat(), batches, reports)

    def _line(self, row: Row) -> Line:
        gross = -row["amount_minor"] if row["kind"] in TAKEN_BACK else row["amount_minor"]
        fee = 0 if row["kind"] in WORDS else (gross * self._fee_basis_points + 5_000) // 10_000
        return Line(
            identifier=row["identifier"],
            kind=WORDS.get(row["kind"]) or TYPES[row["action"]],
            order=row["order_reference"],
            merchant_reference=row["merchant_reference"],
            at=row["created_at"],
            scheme=row["scheme"] or "",
            card=row["card"] or "",
            authorisation_code=row["authorisation_code"] or "",
            rrn=row["rrn"] or "",
            gross=gross,
            fee=fee,
            vat=(fee * VAT_PERCENT + 50) // 100,
        )

    def _spoil(self, lines: list[Line], fault: Fault | None) -> list[Line]:
        name = fault.name if fault else ""
        first = lines[0]
        if name == "omit":
            return lines[1:]
        if name == "duplicate":
            return [first, *lines]
        if name == "extra":
            stranger = Line(first, identifier="", order=self._book.mint(), merchant_reference="UNKNOWN-REFERENCE")
            return [*lines, stranger]
        if name == "unknown_type":
            odd = Line(first, identifier="", kind="LOYALTY CLAWBACK", gross=-min(100, first.net), fee=0, vat=0)
            return [*lines, odd]
        if name == "fee_changed":
            fee = first["fee"] * 2 + 1
            return [Line(first, fee=fee, vat=(fee * VAT_PERCENT + 50) // 100), *lines[1:]]
        return lines

    def _report(
        self, outlet: str, currency: str, business_date: date, batch: str, lines: list[Line], fault: Fault | None
    ) -> Row:
        paid_on = business_date + timedelta(days=self._credit_after_days)
        net = sum(line.net for line in lines)
        off = 1 if fault and fault.name == "wrong_total" else 0
        listed_from = self._clock()
        if fault and fault.name == "late":
            listed_from += timedelta(days=fault.number("days", 1))
        common = {"outlet": outlet, "batch": batch, "currency": currency, "posted": business_date, "paid": paid_on}
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(HEADER)
        for line in lines:
            writer.writerow(_cells({**common, **line, "net": line.net}))
        totals = {
            "kind": str(len(lines)), "order": "", "merchant_reference": "", "identifier": "", "at": None, "scheme": "",
            "card": "", "authorisation_code": "", "rrn": "", "gross": sum(line["gross"] for line in lines),
            "fee": sum(line["fee"] for line in lines), "vat": sum(line["vat"] for line in lines), "net": net + off,
        }  # fmt: skip
        writer.writerow(_cells({**common, **totals, "outlet": "TOTAL"}))
        return {
            "name": f"settlement_{outlet}_{business_date.isoformat()}_{batch}.csv",
            "outlet": outlet,
            "business_date": business_date.isoformat(),
            "batch": batch,
            "currency": currency,
            "net_minor": net,
            "content": out.getvalue().encode(),
            "listed_from": listed_from.astimezone(UTC).isoformat(timespec="milliseconds"),
        }

    async def _pay_bank(self) -> None:
        """Credit every batch the bank has not confirmed; the bank knows a batch by its reference, so again is once."""
        if self._bank_url is None:
            return
        for report in self._book.rows("SELECT * FROM reports WHERE credited = 0 ORDER BY rowid"):
            booked_on = date.fromisoformat(report["business_date"]) + timedelta(days=self._credit_after_days)
            amount = Money(report["net_minor"], report["currency"])
            if not await credit(
                self._session(),
                self._bank_url,
                batch=report["batch"],
                amount=amount,
                booked_on=booked_on,
                debtor="Network International LLC",
            ):
                return  # asked again with the next request
            self._book.mark_credited(report["name"])


def _cells(line: dict[str, Any]) -> list[str]:
    currency = line["currency"]
    at = datetime.fromisoformat(line["at"]).astimezone(ZONE).strftime("%d/%m/%Y %H:%M:%S") if line["at"] else ""
    amounts = [Money(line[name], currency).decimal() for name in ("gross", "fee", "vat", "net")]
    return [
        line["outlet"], line["batch"], line["kind"], line["order"], line["merchant_reference"], line["identifier"], at,
        line["posted"].strftime("%d/%m/%Y"), line["scheme"], line["card"], line["authorisation_code"], line["rrn"],
        currency, *amounts, line["paid"].strftime("%d/%m/%Y"),
    ]  # fmt: skip


def _end(business_date: date) -> datetime:
    return datetime.combine(business_date + timedelta(days=1), time(), ZONE)


def _business_date(instant: str) -> date:
    return datetime.fromisoformat(instant).astimezone(ZONE).date()
