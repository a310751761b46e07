"""Reports that only the gateway's rows can tell: revenue by what it was for, adoption of channels, satisfaction.

Reconciliation may not read the gateway's tables, so here, above both, the gateway's sums are put into reconciliation's
form of a report. Every sum is compared with the books while the page is built.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.services.revenue import (
    ELECTRONIC,
    DayOfMethod,
    Period,
    Revenue,
    channel_of,
    revenue_by_date,
    revenue_by_service,
    revenue_in_books,
    satisfaction,
)
from ledger.money import Money
from reconciliation.breaks import Language
from reconciliation.reports.fees import share
from reconciliation.reports.report import Asked, Column, Report, Row, Shape, Table, sum_row
from reconciliation.reports.words import status_word, word

DAYS_BY_DATE: Final = 62
"""A longer period is shown by month."""


def _period(asked: Asked) -> Period:
    return Period(
        since=asked.first_date, until=asked.business_date, recorded_since=asked.recorded_since, known=asked.known
    )


def _since_first_of_month(asked: Asked) -> Asked:
    """Without a first date these reports are of the month so far."""
    return Asked(
        business_date=asked.business_date, language=asked.language, department=asked.department,
        since=asked.since or asked.business_date.replace(day=1), known_at=asked.known_at,
    )  # fmt: skip


async def revenue_report(connection: Any, asked: Asked) -> Report:
    """Build revenue by service, revenue code, method, audience and channel, then every combination."""
    asked = _since_first_of_month(asked)
    language = asked.language
    rows = await revenue_by_service(connection, _period(asked))
    by: tuple[tuple[str, Callable[[Revenue], str]], ...] = (
        ("service", lambda one: _service(one, language)),
        ("revenue_code", lambda one: one.revenue_code),
        ("method", lambda one: status_word(one.method, language)),
        ("audience", lambda one: _audience(one, language)),
        ("channel", lambda one: status_word(channel_of(one.method), language)),
        ("department", lambda one: one.department),
    )
    tables = [_grouped(key, choose, rows, language) for key, choose in by]
    tables.append(_every_combination(rows, language))
    sums: dict[str, int] = {}
    for one in rows:
        sums[one.currency] = sums.get(one.currency, 0) + one.collected_minor - one.refunded_minor
    even = sums == await revenue_in_books(connection, _period(asked))
    note = word("ties" if even else "does_not_tie", language)
    return Report.of("revenue", word("revenue", language), asked, tables, note)


def _service(one: Revenue, language: Language) -> str:
    if not one.service:
        return word("other_lines", language)
    return f"{one.service} · {one.name_en if language is Language.ENGLISH else one.name_ar}"


def _audience(one: Revenue, language: Language) -> str:
    between = "، " if language is Language.ARABIC else ", "
    return between.join(status_word(name, language) for name in one.audience) or word("everyone", language)


def _grouped(key: str, choose: Callable[[Revenue], str], rows: Iterable[Revenue], language: Language) -> Table:
    sums: dict[tuple[str, str], list[int]] = {}
    for one in rows:
        amounts = sums.setdefault((one.currency, choose(one)), [0, 0, 0])
        amounts[0] += one.collected_minor
        amounts[1] += one.refunded_minor
        amounts[2] += one.vat_minor
    body: list[Row] = [
        (name, *(Money.of_total(minor, currency) for minor in (collected, refunded, collected - refunded, vat)))
        for (currency, name), (collected, refunded, vat) in sorted(sums.items())
    ]
    columns = (
        Column(word(key, language)),
        *(Column(word(each, language), Shape.AMOUNT) for each in ("collected", "refunded", "net", "vat_inside")),
    )
    return Table(word(f"by_{key}", language), columns, body, sum_row(body, language), word("none", language))


def _every_combination(rows: Iterable[Revenue], language: Language) -> Table:
    body: list[Row] = [
        (
            one.department, _service(one, language), one.revenue_code, status_word(one.method, language),
            _audience(one, language), status_word(channel_of(one.method), language), one.payments,
            *(Money.of_total(minor, one.currency) for minor in (
                one.collected_minor, one.refunded_minor, one.collected_minor - one.refunded_minor, one.vat_minor)),
        )
        for one in rows
    ]  # fmt: skip
    columns = (
        Column(word("department", language), Shape.REFERENCE),
        Column(word("service", language)),
        Column(word("revenue_code", language), Shape.REFERENCE),
        *(Column(word(key, language)) for key in ("method", "audience", "channel")),
        Column(word("payments", language), Shape.COUNT),
        *(Column(word(each, language), Shape.AMOUNT) for each in ("collected", "refunded", "net", "vat_inside")),
    )
    # Payments are not summed: one that pays for two services is in both rows.
    foot = sum_row(body, language)
    total: list[Any] | None = list(foot) if foot is not None else None
    if total is not None:
        total[6] = None
    return Table(word("every_combination", language), columns, body, total, word("none", language))


async def adoption_report(connection: Any, asked: Asked) -> Report:
    """Build how much came electronically over time: by date, or by month when the period is long."""
    asked = _since_first_of_month(asked)
    language = asked.language
    days = await revenue_by_date(connection, _period(asked))
    by_month = (asked.business_date - asked.first_date).days > DAYS_BY_DATE
    sums: dict[tuple[str, date], list[int]] = {}
    collected: dict[str, int] = {}
    for one in days:
        start = one.business_date.replace(day=1) if by_month else one.business_date
        amounts = sums.setdefault((one.currency, start), [0, 0, 0, 0])
        is_electronic = channel_of(one.method) in ELECTRONIC
        amounts[0] += one.payments if is_electronic else 0
        amounts[1] += one.payments
        amounts[2] += one.collected_minor if is_electronic else 0
        amounts[3] += one.collected_minor
        collected[one.currency] = collected.get(one.currency, 0) + one.collected_minor - one.refunded_minor
    body: list[Row] = [
        (start, electronic, every, share(electronic, every), Money.of_total(paid, currency),
         Money.of_total(whole, currency), share(paid, whole))
        for (currency, start), (electronic, every, paid, whole) in sorted(sums.items())
    ]  # fmt: skip
    columns = (
        Column(word("month" if by_month else "date", language), Shape.DATE),
        Column(word("electronic_payments", language), Shape.COUNT),
        Column(word("payments", language), Shape.COUNT),
        Column(word("share", language), Shape.REFERENCE),
        Column(word("electronic_amount", language), Shape.AMOUNT),
        Column(word("collected", language), Shape.AMOUNT),
        Column(word("share", language), Shape.REFERENCE),
    )
    tables = (
        Table(word("adoption", language), columns, body, sum_row(body, language), word("none", language)),
        _by_channel(days, language),
    )
    even = collected == await revenue_in_books(connection, _period(asked))
    note = word("ties" if even else "does_not_tie", language)
    return Report.of("adoption", word("adoption", language), asked, tables, note)


def _by_channel(days: Iterable[DayOfMethod], language: Language) -> Table:
    sums: dict[tuple[str, str, str], list[int]] = {}
    for one in days:
        amounts = sums.setdefault((one.currency, channel_of(one.method), one.method), [0, 0])
        amounts[0] += one.payments
        amounts[1] += one.collected_minor
    body: list[Row] = [
        (status_word(channel, language), status_word(method, language), payments, Money.of_total(minor, currency))
        for (currency, channel, method), (payments, minor) in sorted(sums.items())
    ]
    columns = (
        Column(word("channel", language)),
        Column(word("method", language)),
        Column(word("payments", language), Shape.COUNT),
        Column(word("collected", language), Shape.AMOUNT),
    )
    return Table(word("by_channel", language), columns, body, sum_row(body, language), word("none", language))


async def satisfaction_report(connection: Any, asked: Asked, zone: ZoneInfo = ZoneInfo("Asia/Dubai")) -> Report:  # noqa: B008 - a constant
    """Build how payers rated services, by service and channel; nothing in it is about a person."""
    asked = _since_first_of_month(asked)
    language = asked.language
    found = await satisfaction(
        connection, datetime.combine(asked.first_date, time(), zone),
        datetime.combine(asked.business_date + timedelta(days=1), time(), zone), asked.known,
    )  # fmt: skip
    body: list[Row] = [
        (
            f"{one.service} · {one.name_en if language is Language.ENGLISH else one.name_ar}" if one.service
            else word("other_lines", language),
            status_word(channel_of(one.method), language), status_word(one.method, language), one.ratings,
            average(one.points, one.ratings), *one.scores,
        )
        for one in found
    ]  # fmt: skip
    columns = (
        Column(word("service", language)),
        Column(word("channel", language)),
        Column(word("method", language)),
        Column(word("ratings", language), Shape.COUNT),
        Column(word("average", language), Shape.REFERENCE),
        *(Column(str(score), Shape.COUNT) for score in range(1, 6)),
    )
    table = Table(word("satisfaction", language), columns, body, empty=word("none", language))
    return Report.of("satisfaction", word("satisfaction", language), asked, (table,))


def average(points: int, ratings: int) -> str:
    """Write points by ratings with two places, rounded half up, without a float between."""
    hundredths = (points * 200 + ratings) // (2 * ratings) if ratings else 0
    return f"{hundredths // 100}.{hundredths % 100:02}"


OF_THE_GATEWAY: Final[dict[str, Callable[[Any, Asked], Awaitable[Report]]]] = {
    "revenue": revenue_report,
    "adoption": adoption_report,
    "satisfaction": satisfaction_report,
}
