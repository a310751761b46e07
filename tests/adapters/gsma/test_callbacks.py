"""PUT callbacks: key, content hash, date; a success names the payment, a failure only our correlation id."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import CallbackRefusedError
from adapters.gsma.callbacks import BODY_BYTES_MAX, read_callback
from adapters.gsma.wire import correlation_of

KEY = "a-callback-key-value"
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
PAYMENT = {
    "transactionReference": "T1",
    "transactionStatus": "completed",
    "type": "merchantpay",
    "amount": "125.5",
    "currency": "AED",
    "requestingOrganisationTransactionReference": "pa_01",
}
FAILURE = {"errorCategory": "businessRule", "errorCode": "insufficientFunds"}
OURS = "pa_01kakg0000abcdefghjkmnpqrs"


def headers(body: bytes, **changes: str) -> dict[str, str]:
    found = {
        "X-API-Key": KEY,
        "X-Date": "2026-11-22T05:59:59.000Z",
        "X-Content-Hash": hashlib.sha256(body).hexdigest(),
        "X-CorrelationID": correlation_of(OURS),
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return {name: value for name, value in found.items() if value is not None}


def read(document: object, **changes: str):
    body = json.dumps(document).encode()
    return read_callback(headers(body, **changes), body, key=KEY, now=NOW)


def test_a_success_names_the_payment():
    (notice,) = read(PAYMENT)
    assert (notice.reference, notice.provider_reference, notice.word) == ("pa_01", "T1", "completed")
    assert (notice.event_id, notice.proven, notice.report) == ("T1:completed", False, None)


def test_a_failure_is_known_by_our_correlation_id():
    (notice,) = read(FAILURE)
    assert (notice.reference, notice.provider_reference, notice.word) == (OURS, None, "insufficientFunds")


def test_hc11_unknown_words_are_counted():
    assert read({**PAYMENT, "transactionStatus": "quarantined"})[0].unrecognised
    assert read({**FAILURE, "errorCode": "newRule"})[0].unrecognised


@pytest.mark.parametrize(
    "changes",
    [
        {"X_API_Key": None},
        {"X_API_Key": ""},
        {"X_API_Key": KEY + "x"},
        {"x_api_key": KEY},
        {"X_Content_Hash": "0" * 64},
        {"X_Content_Hash": "\udcff"},
        {"X_Date": "yesterday"},
        {"X_Date": (NOW - timedelta(hours=25)).isoformat()},
        {"X_Date": (NOW + timedelta(minutes=6)).isoformat()},
    ],
)
def test_hc07_a_forged_or_old_callback_is_refused(changes):
    with pytest.raises(CallbackRefusedError):
        read(PAYMENT, **changes)


@pytest.mark.parametrize("missing", ["X_Content_Hash", "X_Date"])
def test_headers_the_specification_makes_optional_may_be_missing(missing):
    assert read(PAYMENT, **{missing: None})


def test_a_failure_without_a_correlation_id_says_nothing():
    with pytest.raises(CallbackRefusedError):
        read(FAILURE, X_CorrelationID=None)


@pytest.mark.parametrize(
    "document",
    [
        {**PAYMENT, "transactionReference": ""},
        {**PAYMENT, "transactionReference": "T\n1"},
        {**PAYMENT, "requestingOrganisationTransactionReference": "x" * 300},
        {**PAYMENT, "filler": "x" * BODY_BYTES_MAX},
        [],
        {},
    ],
)
def test_hc32_what_cannot_be_meant_is_refused(document):
    with pytest.raises(CallbackRefusedError):
        read(document)


@given(st.binary(max_size=500), st.text(max_size=40), st.text(max_size=40))
def test_no_bytes_crash_the_reader(body, correlation, sent_at):
    found = {**headers(body), "X-CorrelationID": correlation, "X-Date": sent_at}
    try:
        read_callback(found, body, key=KEY, now=NOW)
    except CallbackRefusedError:
        return


@given(st.dictionaries(st.sampled_from([*PAYMENT, *FAILURE]), st.one_of(st.none(), st.integers(), st.text(max_size=5))))
def test_no_document_crashes_the_reader(document):
    try:
        (notice,) = read(document)
    except CallbackRefusedError:
        return
    assert not notice.proven
