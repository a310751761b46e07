"""Revenue, adoption and satisfaction: from real payments, and every sum one of the books'."""

import csv
import io
import itertools
from datetime import date, timedelta

import pytest

from gateway.services import links
from gateway.services.payers.rate_payment import rate_payment
from ledger.money import Money
from ops.reporting import REPORTS, build_any_report
from ops.revenue_reports import OF_THE_GATEWAY, average
from reconciliation.breaks import Language
from reconciliation.errors import NotAllowedError
from reconciliation.reports.catalogue import Format, render
from reconciliation.reports.fees import share

DAY = date(2026, 11, 22)


def aed(text):
    return Money.parse(text, "AED")


@pytest.fixture
async def paid_town(town):
    town.clock.advance(seconds=1)
    await town.deps.pool.execute(
        "UPDATE gateway.service SET audience = '{citizens,business}', updated_at = $1 WHERE code = 'licence'",
        town.clock(),
    )
    first = await town.paid()
    lines = [{"service": "fine", "amount": {"amount": 50_00, "currency": "AED"}}]
    answer = await town.ask("POST", "/v1/payment-intents", {"reference": "F-1", "lines": lines}, department="roads")
    second = answer.body
    await town.start(second)
    await town.pay(second)
    await town.paid()
    path = f"/v1/payment-intents/{first['id']}/refunds"
    await town.ask("POST", path, {"reason": "entered twice", "amount": {"amount": 21_00, "currency": "AED"}})
    await town.work()
    for intent, score in ((first, 5), (second, 2)):
        await rate_payment(town.deps, links.token_of(town.deps, intent["id"]), score)
    return town


async def built(town, name, *, day=DAY, language=Language.ENGLISH, **changes):
    async with town.deps.pool.acquire() as connection, connection.transaction():
        return await build_any_report(connection, name, day, language, **changes)


async def written(town, name, form, language, **changes):
    async with town.deps.pool.acquire() as connection, connection.transaction():
        report = await build_any_report(connection, name, DAY, language, **changes)
        return b"".join([chunk async for chunk in render(report, form)])


async def test_revenue_is_told_by_everything_and_ties_to_the_books(paid_town):
    report = await built(paid_town, "revenue")
    tables = {table.title: table for table in report.tables}

    assert tables["By service"].rows == [
        ("fine · Traffic fine", aed("50.00"), aed("0.00"), aed("50.00"), aed("0.00")),
        ("licence · Licence renewal", aed("210.00"), aed("21.00"), aed("189.00"), aed("9.00")),
    ]
    assert [row[0] for row in tables["By revenue code"].rows] == ["411000", "421000"]
    assert [row[0] for row in tables["By method"].rows] == ["card"]
    assert [row[0] for row in tables["By audience"].rows] == ["citizens, business", "everyone"]
    assert [row[0] for row in tables["By channel"].rows] == ["online"]
    books = await paid_town.books()
    credited = -sum(minor for account, minor in books.items() if account.startswith(("department:", "tax:")))
    for name, table in tables.items():
        net = table.total[3] if name != "Every combination" else table.total[9]
        assert net == Money(credited, "AED"), name
    assert report.notes == ("Every total on this page was compared with the ledger and agrees.",)


async def test_adoption_counts_what_came_electronically(paid_town):
    report = await built(paid_town, "adoption")
    assert report.tables[0].rows == [(DAY, 3, 3, "100.000 %", aed("260.00"), aed("260.00"), "100.000 %")]
    assert report.notes[0].startswith("Every total")
    year = await built(paid_town, "adoption", since=DAY - timedelta(days=300))
    assert [row[0] for row in year.tables[0].rows] == [date(2026, 11, 1)]
    assert (await built(paid_town, "adoption", day=DAY - timedelta(days=1))).tables[0].rows == []


async def test_satisfaction_by_service_and_channel(paid_town):
    report = await built(paid_town, "satisfaction")
    assert report.tables[0].rows == [
        ("fine · Traffic fine", "online", "card", 1, "2.00", 0, 1, 0, 0, 0),
        ("licence · Licence renewal", "online", "card", 1, "5.00", 0, 0, 0, 0, 1),
    ]


async def test_the_same_bytes_as_known_at_an_instant(paid_town):
    paid_town.clock.advance(minutes=10)
    known_at = paid_town.clock()
    paid_town.clock.advance(minutes=1)
    asked = list(itertools.product(OF_THE_GATEWAY, Format, Language))
    before = {one: await written(paid_town, *one, known_at=known_at) for one in asked}

    more = await paid_town.paid()
    await rate_payment(paid_town.deps, links.token_of(paid_town.deps, more["id"]), 1)
    rated = await paid_town.deps.pool.fetchval("SELECT min(intent) FROM gateway.rating")
    await rate_payment(paid_town.deps, links.token_of(paid_town.deps, rated), 1)  # a rating is changed
    await paid_town.deps.pool.execute(
        "UPDATE gateway.service SET audience = '{visitors}', updated_at = $1", paid_town.clock()
    )

    assert {one: await written(paid_town, *one, known_at=known_at) for one in asked} == before
    for name in OF_THE_GATEWAY:
        now = await written(paid_town, name, Format.CSV, Language.ENGLISH)
        assert now != before[name, Format.CSV, Language.ENGLISH]


async def test_they_are_reports_like_all_others(paid_town):
    assert set(OF_THE_GATEWAY) < set(REPORTS)
    rows = list(csv.reader(io.StringIO((await written(paid_town, "revenue", Format.CSV, Language.ARABIC)).decode())))
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@" and cell]
    assert any("تجديد الرخصة" in cell for row in rows for cell in row)
    with pytest.raises(NotAllowedError):
        await built(paid_town, "revenue", since=DAY + timedelta(days=1))


def test_shares_and_averages_are_rounded_without_a_float():
    assert [share(1, 3), share(2, 3), share(-1, 3), share(1, 0)] == ["33.333 %", "66.667 %", "-33.333 %", "—"]
    assert [average(7, 2), average(2, 3), average(0, 0)] == ["3.50", "0.67", "0.00"]
