"""What finance reads in the morning, and that it ties to the ledger."""

import csv
import io
import itertools
import re
import zipfile
from datetime import date

import pytest
from python_calamine import CalamineWorkbook

from adapters.contract import LineKind
from ledger.money import Money
from reconciliation.breaks import Language
from reconciliation.reports.catalogue import NEED_A_DEPARTMENT, REPORTS, Format, build_report, render
from reconciliation.reports.csv_file import render_csv, safe
from reconciliation.reports.report import Column, Report, Shape, Table

from .conftest import MONDAY, SUNDAY, entry, line, settlement


@pytest.fixture
async def a_day(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.capture("pa_2", ("traffic", "60.00"), ("health", "40.00"))
    await world.capture("pa_3", ("traffic", "25.00"))
    await world.refund("re_1", "traffic", "30.00")
    world.provider.put(
        settlement([
            line(1, "O-pa_1", "100.00", fee="1.50", vat="0.08"),
            line(2, "O-pa_2", "100.00", fee="1.50", vat="0.08"),
            line(3, "R-re_1", "-30.00", kind=LineKind.REFUND),
            line(4, "=cmd|' /C calc'!A0", "9.00"),
        ])
    )  # fmt: skip
    world.bank.state(entry("175.84", batch="BATCH-1"), entry("5.00", remittance="who knows"))
    await world.night()
    return world


async def written(world, name, *, language=Language.ENGLISH, form=Format.TEXT, day=SUNDAY, department=None):
    async with world.pool.acquire() as connection, connection.transaction():
        report = await build_report(connection, name, day, language, department=department)
        return b"".join([chunk async for chunk in render(report, form)])


async def test_the_daily_reconciliation_adds_up(a_day):
    assert (
        (await written(a_day, "reconciliation")).decode()
        == """\
Daily reconciliation · Business date 2026-11-22
═══════════════════════════════════════════════

Providers
  Account                         Opening          In         Out    Closing
  ─────────────────────────────  ────────  ──────────  ──────────  ─────────
  alpha: on the way to our bank  AED 0.00  AED 205.84  AED 205.84   AED 0.00
  alpha: to be settled           AED 0.00  AED 225.00  AED 200.00  AED 25.00
  alpha: refunds to be settled   AED 0.00   AED 30.00   AED 30.00   AED 0.00

What providers kept
  Provider  Files  Lines     Settled      Fees  VAT on fees         Net
  ────────  ─────  ─────  ──────────  ────────  ───────────  ──────────
  alpha         1      4  AED 179.00  AED 3.00     AED 0.16  AED 175.84
  ────────  ─────  ─────  ──────────  ────────  ───────────  ──────────
  Total         1      4  AED 179.00  AED 3.00     AED 0.16  AED 175.84

Departments
  Department   Opening   Collected   Refunded      Fees    Paid out  Returned     Other    Closing  On its way
  ──────────  ────────  ──────────  ─────────  ────────  ──────────  ────────  ────────  ─────────  ──────────
  health      AED 0.00   AED 40.00   AED 0.00  AED 0.00    AED 0.00  AED 0.00  AED 0.00  AED 40.00    AED 0.00
  traffic     AED 0.00  AED 185.00  AED 30.00  AED 0.00  AED 130.00  AED 0.00  AED 0.00  AED 25.00  AED 130.00
  ──────────  ────────  ──────────  ─────────  ────────  ──────────  ────────  ────────  ─────────  ──────────
  Total       AED 0.00  AED 225.00  AED 30.00  AED 0.00  AED 130.00  AED 0.00  AED 0.00  AED 65.00  AED 130.00

Bank
  Account          Opening          In       Out     Closing
  ──────────────  ────────  ──────────  ────────  ──────────
  bank:main:cash  AED 0.00  AED 180.84  AED 0.00  AED 180.84

Suspense and disputes
  Account                 Opening         In       Out    Closing
  ─────────────────────  ────────  ─────────  ────────  ─────────
  suspense:unidentified  AED 0.00  AED 14.00  AED 0.00  AED 14.00

Open breaks
  Type                  Count      Value  Oldest
  ────────────────────  ─────  ─────────  ──────────
  Missing in our books      1   AED 9.00  2026-11-22
  No bank details           1  AED 40.00  2026-11-22
  Unknown bank credit       1   AED 5.00  2026-11-22

Every total on this page was compared with the ledger and agrees.
"""
    )


async def test_the_next_day_opens_where_the_last_closed_and_the_day_before_reads_the_same(a_day):
    before = await written(a_day, "reconciliation")
    await a_day.capture("pa_9", ("traffic", "11.00"), day=MONDAY)

    await a_day.night(MONDAY)

    today = (await written(a_day, "reconciliation", day=MONDAY)).decode()
    assert re.search(r"alpha: to be settled +AED 25.00 +AED 11.00 +AED 0.00 +AED 36.00", today)
    sunday = await written(a_day, "reconciliation")
    without_breaks = slice(0, before.index(b"Open breaks"))
    assert sunday[without_breaks] == before[without_breaks]


async def test_every_department_total_ties_to_the_ledger(a_day):
    balances = await a_day.balances()
    async with a_day.pool.acquire() as connection, connection.transaction():
        report = await build_report(connection, "reconciliation", SUNDAY, Language.ENGLISH)
    departments = {row[0]: row for row in report.tables[2].rows}
    assert {name: (-row[8]).decimal() for name, row in departments.items()} == {
        "health": balances["department:health:payable"],
        "traffic": balances["department:traffic:payable"],
    }
    for row in departments.values():
        opening, collected, refunded, fees, paid_out, returned, other, closing, _ = row[1:]
        assert opening + collected - refunded - fees - paid_out + returned + other == closing
    assert report.tables[3].rows[0][4].decimal() == balances["bank:main:cash"]


async def test_a_payout_is_followed_back_to_its_payments(a_day):
    advice = (await written(a_day, "remittance", department="traffic")).decode()

    assert re.findall(r"(capture|refund):(\w+) +(AED -?[0-9.]+)", advice) == [
        ("capture", "pa_1", "AED 100.00"),
        ("capture", "pa_2", "AED 60.00"),
        ("refund", "re_1", "AED -30.00"),
    ]
    assert advice.rstrip().endswith("AED 130.00")


async def test_what_one_payout_left_out_is_in_the_next(a_day):
    a_day.provider.put(settlement([line(1, "O-pa_3", "25.00")], batch="BATCH-2", day=MONDAY), MONDAY)
    await a_day.night(MONDAY)

    advice = (await written(a_day, "remittance", department="traffic", day=MONDAY)).decode()

    assert re.findall(r"capture:(\w+) +(AED -?[0-9.]+)", advice) == [("pa_3", "AED 25.00")]
    assert advice.rstrip().endswith("AED 25.00")


async def test_every_report_is_written_in_both_languages_and_every_format(a_day):
    await a_day.close(SUNDAY)
    for name, language, form in itertools.product(REPORTS, Language, Format):
        department = "traffic" if name in NEED_A_DEPARTMENT else None
        content = await written(a_day, name, language=language, form=form, department=department)
        assert len(content) > 100
        if form is Format.PDF:
            assert content.startswith(b"%PDF-")
        elif language is Language.ARABIC and form is not Format.XLSX:
            assert re.search("[\u0621-\u064a]", content.decode())
        if form is Format.HTML:
            direction = "rtl" if language is Language.ARABIC else "ltr"
            assert f'<html lang="{language}" dir="{direction}">' in content.decode()


async def test_csv_starts_with_a_byte_order_mark_and_carries_no_formula(a_day):
    content = await written(a_day, "breaks", form=Format.CSV)

    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@\t\r" and cell]
    assert rows[1][2:4] == ["AED", "40.00"]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", '"=1', "'=1", "=cmd|' /C calc'!A0", "\r\n=1", "%0A=1", "|calc"]
)
def test_no_cell_of_ours_is_a_formula(text):
    assert safe(text).startswith("'")


async def test_csv_streams_and_its_first_bytes_come_before_the_last_row():
    asked = []

    async def rows():
        for number in range(100_000):
            asked.append(number)
            yield (number, Money(number, "AED"))

    table = Table("t", (Column("n", Shape.COUNT), Column("a", Shape.AMOUNT)), rows())
    stream = render_csv(Report("r", "R", Language.ENGLISH, date(2026, 11, 22), (table,)))

    assert await anext(stream) == b"\xef\xbb\xbf"
    assert b'"n","Currency","a"' in await anext(stream)
    assert b'"499","AED","4.99"' in await anext(stream)
    assert len(asked) <= 501
    await stream.aclose()


async def test_a_workbook_reads_right_to_left_in_arabic_and_holds_text_as_text(a_day, tmp_path):
    path = tmp_path / "breaks.xlsx"
    path.write_bytes(await written(a_day, "breaks", form=Format.XLSX, language=Language.ARABIC))

    sheet = zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml").decode()
    assert 'rightToLeft="1"' in sheet
    assert "<f>" not in sheet
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert 40.0 in [row[2] for row in rows]
    assert any("=cmd" in str(cell) for row in rows for cell in row)
