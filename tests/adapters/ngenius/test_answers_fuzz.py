"""Whatever an answer contains: a report, or an outcome left unknown; never another exception, never a false success."""

import json

from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Outcome
from adapters.errors import OutcomeUnknownError
from adapters.ngenius import read_answer
from adapters.ngenius.mapping import STATES
from adapters.ngenius.wire import read_payment, read_search

AMOUNT = st.fixed_dictionaries(
    {"currencyCode": st.sampled_from(["AED", "KWD", "JPY", "ZZZ", ""]), "value": st.integers(-(10**17), 10**17)}
)
LINKS = st.dictionaries(
    st.sampled_from(["self", "cnp:refund", "payment", "curies"]),
    st.one_of(
        st.none(),
        st.text(max_size=5),
        st.fixed_dictionaries({"href": st.text(max_size=20)}),
        st.lists(st.fixed_dictionaries({"href": st.text(max_size=5)}), max_size=2),
    ),
)
MOVEMENT = st.fixed_dictionaries(
    {"state": st.sampled_from(["SUCCESS", "FAILED", "REQUESTED", "ODD"]), "amount": AMOUNT, "_links": LINKS}
)
PAYMENT = st.fixed_dictionaries(
    {"_id": st.text(max_size=20), "state": st.sampled_from([*STATES, "ODD", ""])},
    optional={
        "amount": AMOUNT,
        "updateDateTime": st.one_of(st.text(max_size=20), st.just("2026-11-22T00:00:00Z"), st.just("9999-99-99")),
        "_links": LINKS,
        "_embedded": st.fixed_dictionaries(
            {}, optional={"cnp:capture": st.lists(MOVEMENT, max_size=2), "cnp:refund": st.lists(MOVEMENT, max_size=2)}
        ),
        "authResponse": st.fixed_dictionaries({}, optional={"resultCode": st.text(max_size=3)}),
        "paymentMethod": st.fixed_dictionaries({}, optional={"pan": st.text(max_size=19)}),
        "3ds2": st.fixed_dictionaries({}, optional={"transStatus": st.text(max_size=2)}),
    },
)
ORDER = st.fixed_dictionaries(
    {
        "reference": st.text(max_size=10),
        "amount": AMOUNT,
        "_links": LINKS,
        "_embedded": st.fixed_dictionaries({"payment": st.lists(PAYMENT, max_size=3)}),
    },
    optional={"merchantOrderReference": st.one_of(st.none(), st.text(max_size=10))},
)


@given(ORDER)
def test_no_order_crashes_the_reader(order):
    try:
        report = read_answer(json.dumps(order).encode())
    except OutcomeUnknownError:
        return
    assert (report.captured is not None) == (report.outcome is Outcome.SUCCEEDED)
    assert (report.decline is not None) == (report.outcome is Outcome.DECLINED)
    if report.outcome is Outcome.SUCCEEDED:
        assert any(payment["state"] in STATES for payment in order["_embedded"]["payment"])


@given(st.binary(max_size=500))
def test_no_bytes_crash_the_readers(body):
    for read in (read_answer, read_search, read_payment):
        try:
            read(body)
        except OutcomeUnknownError:
            continue
