"""What one side writes the other reads back: orders by the bank's own reader, statements by ours."""

from datetime import UTC, date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.bank_host.simulator.book import Booking, FileRow, PaymentRow, StatementRow
from adapters.bank_host.simulator.orders import read_order
from adapters.bank_host.simulator.papers import write_statement, write_status
from adapters.contract import PayoutFile, PayoutLine, PayoutStatus
from adapters.formats.camt import read_camt_statements
from adapters.formats.pain001 import OrderProfile, Version, write_payment_order
from adapters.formats.pain002 import read_status_report
from ledger.money import Money

TREASURY = "AE070331234567890123456"
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
DAY = date(2026, 11, 22)
CURRENCIES = st.sampled_from(["AED", "KWD", "JPY", "BHD", "USD"])
AMOUNTS = st.integers(1, 10**12)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(currency=CURRENCIES, amounts=st.lists(AMOUNTS, min_size=1, max_size=12), version=st.sampled_from(Version))
def test_orders(currency, amounts, version):
    lines = [
        PayoutLine(f"L{n}", f"Payee {n}", "AE080261001015500123401", None, Money(amount, currency), f"for {n}")
        for n, amount in enumerate(amounts)
    ]
    file = PayoutFile("ORDER-1", NOW, DAY, "Treasury", TREASURY, None, lines)
    body = write_payment_order(file, OrderProfile(version=version))
    order = read_order(body, account_iban=TREASURY, currency=currency, knows_line=lambda _: False)
    assert (order.message_id, order.execution_date, order.reason) == ("ORDER-1", DAY, None)
    assert [(p.end_to_end_id, p.amount_minor, p.reason) for p in order.payments] == [
        (line.end_to_end_id, line.amount.amount_minor, None) for line in lines
    ]


@settings(max_examples=60, deadline=None)
@given(
    currency=CURRENCIES,
    opening=st.integers(-(10**12), 10**12),
    moves=st.lists(st.tuples(AMOUNTS, st.booleans(), WORDS, st.sampled_from(["credit", "payout_batch"])), max_size=12),
)
def test_statements(currency, opening, moves):
    told = [
        Booking(DAY, amount if credit else -amount, currency, kind, words, f"BH{n}", None, f"E{n}", "BATCH", words)
        for n, (amount, credit, words, kind) in enumerate(moves)
    ]
    closing = opening + sum(b.amount_minor for b in told)
    data = write_statement(
        StatementRow(DAY, 7, opening, closing, told),
        [],
        account_iban=TREASURY,
        currency=currency,
        owner="Treasury",
        made_at=NOW,
    )
    (statement,) = read_camt_statements(data, name="x")
    assert (statement.opening, statement.closing, statement.warnings) == (
        Money(opening, currency), Money(closing, currency), (),
    )  # fmt: skip
    assert [
        (e.number, e.amount.amount_minor, e.end_to_end_id, e.remittance, e.counterparty) for e in statement.entries
    ] == [(n, b.amount_minor, b.end_to_end_id, b.remittance, b.counterparty) for n, b in enumerate(told, 1)]


@given(st.lists(st.sampled_from([None, "AC04", "AM05"]), min_size=1, max_size=10))
def test_status_reports(reasons):
    payments = [
        PaymentRow(f"E{n}", 100, "Payee", "AE080261001015500123401", reason) for n, reason in enumerate(reasons)
    ]
    file = FileRow("M1", "00" * 32, NOW.isoformat(), DAY, one_debit=False, reason=None, silent=False)
    found = read_status_report(write_status(file, payments, report_id="R1", made_at=NOW, today=DAY))
    expected = [PayoutStatus.REJECTED if reason else PayoutStatus.ACCEPTED for reason in reasons]
    assert list(found.report.lines.values()) == expected
    assert found.report.status is (PayoutStatus.REJECTED if all(reasons) else PayoutStatus.ACCEPTED)
