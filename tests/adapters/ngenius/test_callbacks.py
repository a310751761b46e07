"""Webhooks: the static header, the shape, and never a proof."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import CallbackRefusedError
from adapters.ngenius.callbacks import BODY_BYTES_MAX, read_callback
from adapters.ngenius.mapping import EVENTS

NAME, VALUE, OUTLET = "X-Hook", "a-long-header-value", "outlet-1"
ORDER = {"reference": "order-1", "merchantOrderReference": "pa_01", "outletId": OUTLET}


def event(**changes) -> bytes:
    return json.dumps(
        {"eventId": "event-1", "eventName": "CAPTURED", "outletId": OUTLET, "order": ORDER, **changes}
    ).encode()


def read(body: bytes, headers: dict[str, str] | None = None):
    return read_callback(
        {NAME: VALUE} if headers is None else headers, body, header_name=NAME, header_value=VALUE, outlet=OUTLET
    )


def test_a_webhook_says_which_order_to_read():
    (notice,) = read(event())
    assert (notice.event_id, notice.word, notice.proven, notice.report) == ("event-1", "CAPTURED", False, None)
    assert (notice.reference, notice.provider_reference) == ("pa_01", "order-1")


@pytest.mark.parametrize("word", sorted(EVENTS))
def test_every_known_event_is_a_hint(word):
    (notice,) = read(event(eventName=word))
    assert (notice.word, notice.unrecognised) == (word, False)


def test_hc11_an_unknown_event_is_a_hint_and_counted():
    assert read(event(eventName="MOON_PHASE_CHANGED"))[0].unrecognised


def test_a_webhook_without_our_reference_still_names_the_order():
    (notice,) = read(event(order={"reference": "order-1"}))
    assert (notice.reference, notice.provider_reference) == (None, "order-1")


def test_the_header_is_found_in_any_case():
    assert read(event(), {NAME.lower(): VALUE})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {NAME: ""},
        {NAME: VALUE + "x"},
        {NAME: VALUE[:-1]},
        {NAME: VALUE.upper()},
        {"X-Other": VALUE},
        {NAME: VALUE, NAME.lower(): "other"},
        {NAME: "\udcff"},
    ],
)
def test_hc07_another_header_is_refused(headers):
    with pytest.raises(CallbackRefusedError):
        read(event(), headers)


@pytest.mark.parametrize(
    "body",
    [
        event(outletId="outlet-2"),
        event(order={**ORDER, "outletId": "outlet-2"}),
        event(eventId=""),
        event(eventId="x" * 129),
        event(eventId="a\nb"),
        event(eventName="\u202eCAPTURED"),
        event(order={**ORDER, "reference": ""}),
        event(order={**ORDER, "merchantOrderReference": "\x00"}),
        event(order={**ORDER, "merchantOrderReference": ""}),
        event(order=None),
        event() + b" " * BODY_BYTES_MAX,
    ],
)
def test_hc07_hc32_what_cannot_be_meant_is_refused(body):
    with pytest.raises(CallbackRefusedError):
        read(body)


@given(st.binary(max_size=1000))
def test_no_bytes_crash_the_reader(body):
    try:
        read(body)
    except CallbackRefusedError:
        return


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {"eventId": _VALUES, "eventName": _VALUES, "order": st.dictionaries(st.sampled_from(list(ORDER)), _VALUES)}
    ),
    st.dictionaries(st.text(max_size=10), st.text(max_size=10), max_size=3),
)
def test_no_document_crashes_the_reader(document, headers):
    try:
        notices = read(json.dumps(document).encode(), {**headers, NAME: VALUE})
    except CallbackRefusedError:
        return
    assert not notices[0].proven
