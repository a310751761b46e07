"""Amounts, correlation ids, links, and readers that no bytes can crash."""

import json
import re
import uuid
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import LineKind, Outcome
from adapters.errors import OutcomeUnknownError
from adapters.gsma import read_answer
from adapters.gsma.mapping import STATES, STATUSES
from adapters.gsma.settlement import settlement_files
from adapters.gsma.wire import (
    Endpoint,
    WireFee,
    WireTransaction,
    correlation_of,
    read_amount,
    read_error,
    read_link,
    reference_of,
    write_amount,
)
from ledger.ids import mint
from ledger.money import Money

PATTERN = re.compile(r"^([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[1-9])?$")


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(20_000, "AED"), "200"),
        (Money(20_050, "AED"), "200.5"),
        (Money(1, "AED"), "0.01"),
        (Money(700, "JPY"), "700"),
        (Money(1_234_567, "KWD"), "1234.567"),
        (Money(1_234_560, "KWD"), "1234.56"),
    ],
)
def test_an_amount_never_ends_in_a_zero_behind_the_point(money, text):
    assert write_amount(money) == text


@given(st.integers(1, 10**15 - 1), st.sampled_from(["AED", "JPY", "KWD"]))
def test_hc15_every_amount_fits_the_pattern_and_comes_back(minor, currency):
    money = Money(minor, currency)
    assert PATTERN.fullmatch(write_amount(money))
    assert read_amount(write_amount(money), currency) == money
    assert read_amount(money.decimal(), currency) == money


@given(st.binary(min_size=10, max_size=10), st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_a_minted_reference_travels_as_a_uuid_and_comes_back(random, at):
    reference = mint("pa", at.replace(tzinfo=UTC), lambda _: random)
    correlation = correlation_of(reference)
    assert str(uuid.UUID(correlation)) == correlation
    assert reference_of(correlation, "pa") == reference


def test_another_reference_still_has_one_correlation_id():
    assert correlation_of("INV-1") == correlation_of("INV-1") != correlation_of("INV-2")
    assert reference_of("no-uuid", "pa") is None


@pytest.mark.parametrize(
    ("link", "found"),
    [
        ("/transactions/T1", ("transactions", "T1")),
        ("https://api.example/v1.2/mm/requeststates/b37d", ("requeststates", "b37d")),
        ("transactions/T-1", ("transactions", "T-1")),
    ],
)
def test_a_link_gives_a_kind_and_an_id(link, found):
    assert read_link(json.dumps({"link": link}).encode()) == found


@pytest.mark.parametrize("link", ["", "/accounts/1", "/transactions/", "/transactions/a/b", "/transactions/a?b=c", "x"])
def test_a_link_to_anything_else_is_unknown(link):
    with pytest.raises(OutcomeUnknownError):
        read_link(json.dumps({"link": link}).encode())


@pytest.mark.parametrize("reference", ["", ".", "..", "x" * 300])
def test_a_reference_cannot_leave_its_place_in_the_address(reference):
    endpoint = Endpoint("https://wallet.example", api_key="k", client_id="", organisation="GOV")
    with pytest.raises(OutcomeUnknownError):
        endpoint.transaction(reference)
    assert endpoint.transaction("a/../b").url.endswith("/transactions/a%2F..%2Fb")


def line(**changes) -> WireTransaction:
    values = {
        "transaction_reference": "T1",
        "transaction_status": "completed",
        "type": "merchantpay",
        "amount": "125.5",
        "currency": "AED",
        "requesting_organisation_transaction_reference": "pa_01",
        "creation_date": "2026-11-22T06:00:00Z",
        "fees": [WireFee("merchantFee", "1.26", "AED"), WireFee("VAT", "0.06", "AED")],
    }
    return WireTransaction(**{**values, **changes})


def report(*lines: WireTransaction):
    return settlement_files(lines, date(2026, 11, 22), batch_pattern="MM-{date:%Y%m%d}-{currency}")


def test_a_day_becomes_a_report_per_currency():
    reversal = line(transaction_reference="T2", type="reversal", amount="5.5", fees=[])
    dirhams, dinars = report(line(), reversal, line(currency="KWD", amount="1.234", fees=[]))
    assert (dirhams.batch_reference, dirhams.total_net) == ("MM-20261122-AED", Money(11_868, "AED"))
    payment, refund = dirhams.lines
    assert (payment.kind, payment.fee, payment.fee_vat) == (LineKind.PAYMENT, Money(126, "AED"), Money(6, "AED"))
    assert (refund.kind, refund.net, refund.provider_reference) == (LineKind.REFUND, Money(-550, "AED"), "T2")
    assert dinars.total_net == Money(1_234, "KWD")


def test_hc11_an_unknown_type_is_other():
    assert report(line(type="loyaltyClawback"))[0].lines[0].kind is LineKind.OTHER


@pytest.mark.parametrize(
    "changes",
    [{"amount": "1.2345"}, {"amount": None}, {"amount": "-1x"}, {"fees": [WireFee("fee", "1", "USD")]}],
)
def test_hc21_a_transaction_that_cannot_be_read_is_listed(changes):
    (file,) = report(line(), line(transaction_reference="T9", **changes))
    ((number, reason),) = file.refused_lines
    assert (number, reason.split(":")[0], len(file.lines)) == (2, "T9", 1)


DOCUMENT = st.fixed_dictionaries(
    {},
    optional={
        "transactionReference": st.text(max_size=10),
        "transactionStatus": st.sampled_from([*STATUSES, "odd"]),
        "type": st.just("merchantpay"),
        "amount": st.one_of(st.text(max_size=8), st.decimals(0, 10**6, places=2).map(str)),
        "currency": st.sampled_from(["AED", "KWD", "ZZZ", ""]),
        "creationDate": st.one_of(st.text(max_size=12), st.just("0001-01-01T00:00:00+14:00")),
        "serverCorrelationId": st.text(max_size=10),
        "status": st.sampled_from([*STATES, "odd"]),
        "error": st.one_of(st.none(), st.just({"errorCategory": "c", "errorCode": "d"}), st.text(max_size=3)),
    },
)


@given(DOCUMENT)
def test_no_document_crashes_the_reader(document):
    try:
        found = read_answer(json.dumps(document).encode())
    except OutcomeUnknownError:
        return
    assert (found.captured is not None) == (found.outcome is Outcome.SUCCEEDED)
    assert (found.decline is not None) == (found.outcome is Outcome.DECLINED)


@given(st.binary(max_size=500))
def test_no_bytes_crash_the_readers(body):
    read_error(body)
    for read in (read_answer, read_link):
        try:
            read(body)
        except OutcomeUnknownError:
            continue
