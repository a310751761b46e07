"""HC-32: whatever is sent, the answer is a problem that names the field, and never a 500."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import logging

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.api.requests import intent_request
from gateway.app import build_app
from gateway.deps import Limits
from gateway.domain.errors import InvalidError, MalformedError
from gateway.domain.json_text import read_json
from gateway.domain.text import check_text, holds_card_number
from ops.web import runner_of

PATH = "/v1/payment-intents"
BODY = {"reference": "INV-1", "lines": [{"service": "licence"}]}
FINE = {"service": "assessment", "amount": {"amount": 100, "currency": "AED"}}


def fine(**amount):
    return {**BODY, "lines": [{**FINE, "amount": {**FINE["amount"], **amount}}]}


REFUSED = [
    ({**BODY, "status": "paid"}, "/status"),
    ({**BODY, "department": "roads"}, "/department"),
    ({"lines": BODY["lines"]}, "/reference"),
    ({**BODY, "reference": 7}, "/reference"),
    ({**BODY, "reference": ""}, "/reference"),
    ({**BODY, "reference": "x" * 101}, "/reference"),
    ({**BODY, "reference": "a\u0000b"}, "/reference"),
    ({**BODY, "reference": "INV\u202e1"}, "/reference"),
    ({**BODY, "reference": "zero\u200bwidth"}, "/reference"),
    ({**BODY, "reference": "4111 1111 1111 1111"}, "/reference"),
    ({**BODY, "reference": "a" + "\u0301" * 50}, "/reference"),
    ({**BODY, "lines": []}, "/lines"),
    ({**BODY, "lines": [{"service": "nothing"}]}, "/lines/0/service"),
    ({**BODY, "lines": [{}]}, "/lines/0/name"),
    ({**BODY, "lines": [{"service": "licence", "quantity": 0}]}, "/lines/0/quantity"),
    ({**BODY, "lines": [{"service": "licence", "quantity": True}]}, "/lines/0/quantity"),
    ({**BODY, "lines": [{"service": "licence", "amount": {"amount": 1, "currency": "AED"}}]}, "/lines/0/amount/amount"),
    ({**BODY, "lines": [{"service": "assessment"}]}, "/lines/0/amount"),
    (fine(amount=0), "/lines/0/amount/amount"),
    (fine(amount=-1), "/lines/0/amount/amount"),
    (fine(amount=10**12 + 1), "/lines/0/amount/amount"),
    (fine(amount="100"), "/lines/0/amount/amount"),
    (fine(amount=True), "/lines/0/amount/amount"),
    (fine(amount=None), "/lines/0/amount/amount"),
    (fine(currency="USD"), "/lines/0/amount/currency"),
    (fine(currency="aed"), "/lines/0/amount/currency"),
    (fine(more=1), "/lines/0/amount/more"),
    ({**BODY, "lines": [{"service": "fine", "amount": {"amount": 1, "currency": "AED"}}]}, "/lines/0/service"),
    ({"reference": "INV-1"}, "/lines"),
    ({**BODY, "bundle": "nothing"}, "/bundle"),
    ({**BODY, "bundle": "\u202e"}, "/bundle"),
    ({**BODY, "lines": [{"service": "licence", "answers": {"senior": True}}]}, "/lines/0/answers"),
    ({**BODY, "lines": [{"service": "licence", "answers": {"a b": True}}]}, "/lines/0/answers"),
    ({**BODY, "lines": [{"service": "licence", "answers": {"a": 1}}]}, "/lines/0/answers"),
    (
        {**BODY, "lines": [{"service": "licence", "base_amount": {"amount": 1, "currency": "AED"}}]},
        "/lines/0/base_amount",
    ),
    ({**BODY, "payer": {"email": "not an address"}}, "/payer/email"),
    ({**BODY, "payer": {"mobile": "0501234567"}}, "/payer/mobile"),
    ({**BODY, "payer": {"language": "fr"}}, "/payer/language"),
    ({**BODY, "metadata": {"note": "5555555555554444"}}, "/metadata/note"),
    ({**BODY, "metadata": {"note": 5}}, "/metadata"),
    ({**BODY, "metadata": {str(n): "x" for n in range(21)}}, "/metadata"),
    ({**BODY, "return_url": "https://evil.example/"}, "/return_url"),
    ({**BODY, "return_url": "https://economy.example.ae@evil.example/"}, "/return_url"),
    ({**BODY, "expires_at": "tomorrow"}, "/expires_at"),
    ({**BODY, "expires_at": "2026-11-22T06:00:01Z"}, "/expires_at"),
    ({**BODY, "expires_at": "2036-11-22T06:00:01Z"}, "/expires_at"),
    (
        {
            **BODY,
            "lines": [FINE, {"service": "kuwaiti", "amount": {"amount": 1, "currency": "KWD"}}],
        },
        "/lines/1/amount/currency",
    ),
]


UNFIT_NUMBERS = ["1.5", "105.0", "1e4", "1e400", "9" * 19, "-" + "9" * 300]


@pytest.mark.parametrize("number", UNFIT_NUMBERS)
async def test_hc32_a_number_that_is_no_amount_is_refused_with_its_field(town, number):
    body = '{"reference": "a", "lines": [{"service": "assessment", "amount": {"amount": NUMBER, "currency": "AED"}}]}'
    answer = await town.ask("POST", PATH, body.replace("NUMBER", number).encode())
    assert answer.status == 422, answer.body
    assert [error["pointer"] for error in answer.body["errors"]] == ["/lines/0/amount/amount"]


async def test_a_problem_never_repeats_what_was_sent(town):
    answer = await town.ask("POST", PATH, {**BODY, "payer": {"language": "canary-7f3a"}})
    assert answer.status == 422
    assert "canary" not in str(answer.body)


@pytest.mark.parametrize(("body", "pointer"), REFUSED, ids=[pointer + str(n) for n, (_, pointer) in enumerate(REFUSED)])
async def test_hc32_a_field_at_fault_is_named(town, body, pointer):
    answer = await town.ask("POST", PATH, body)
    assert answer.status == 422, answer.body
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert pointer in [error["pointer"] for error in answer.body["errors"]], answer.body
    assert await town.deps.pool.fetchval("SELECT count(*) FROM gateway.intent") == 0


MALFORMED = [
    b"", b"{", b"null", b"[]", b"7", b'"text"', b"\xff\xfe{}", "{}".encode("utf-16"), b"\xef\xbb\xbf{}",
    b'{"reference": NaN}', b'{"reference": Infinity}', b'{"reference": 1e400}', b'{"reference": 1.0}',
    b'{"reference": "a", "reference": "b"}', b'{"reference": "\\ud800"}', b'{"reference": ' + b"9" * 5_000 + b"}",
    b"[" * 30_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b'{"reference": "a"} {}', b"{'reference': 'a'}",
    b'{"reference": "\x00"}', b'{"\\u0000": 1}',
]  # fmt: skip


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
async def test_hc32_what_is_not_one_json_object_is_refused(town, body):
    answer = await town.ask("POST", PATH, body)
    assert answer.status in {400, 422}, answer.body
    assert answer.body["code"] in {"malformed_body", "invalid_request"}


async def test_hc32_bodies_are_bounded_in_size_time_and_form(open_town):
    town = await open_town(limits=Limits(body_read_s=1.5))
    assert (await town.ask("POST", PATH, b" " * 70_000)).status == 413
    zipped = {"Content-Encoding": "gzip"}
    bomb = gzip.compress(b" " * 10_000_000)
    assert (await town.ask("POST", PATH, bomb, headers=zipped)).status in {400, 413}
    assert (await town.ask("POST", PATH, b"{}", headers={"Content-Type": "text/plain"})).status == 400

    async def dripping():
        yield b"{"
        await asyncio.sleep(4)
        yield b"}"

    headers = {
        "Authorization": f"Bearer {town.keys['economy']}", "Idempotency-Key": "d", "Content-Type": "application/json",
    }  # fmt: skip
    async with town.session.post(f"{town.url}{PATH}", data=dripping(), headers=headers) as answer:
        assert answer.status == 408


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=101", "limit=-1", "limit=x", "limit=%D9%A1", "limit=1&limit=2", "cursor=1", "status=paid%00",
        "status=nothing", "created_from=yesterday", "created_from=2026-13-01T00:00:00Z",
        "order_by=1;drop", "reference=",
    ],
)  # fmt: skip
async def test_hc32_queries_are_checked(town, query):
    assert (await town.ask("GET", f"{PATH}?{query}")).status == 422


@pytest.mark.parametrize(
    "path", ["pi_x", "..%2f..%2fetc", "pi_01M80XE2R0CH614EPYQJKA3FAW", "%00", "'", "re_" + "0" * 26]
)
async def test_hc32_paths_that_cannot_exist_do_not(town, path):
    assert (await town.ask("GET", f"{PATH}/{path}")).status == 404


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KNOWN = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("reference", "lines", "payer", "return_url", "metadata", "expires_at"), JSON),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(KNOWN | JSON)
def test_hc32_no_body_is_read_as_anything_but_a_request_or_a_refusal(value):
    with contextlib.suppress(InvalidError, MalformedError):
        intent_request(json.dumps(value).encode("utf-8", "surrogatepass"))


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_hc32_no_bytes_are_read_as_anything_but_json_or_a_refusal(body):
    with contextlib.suppress(MalformedError):
        read_json(body)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "card 5555-5555-5555-4444 please",
        "٤١١١ ١١١١ ١١١١ ١١١١",
        "378282246310005",
        "6011111111111117",
    ],
)
def test_card_numbers_are_found_however_they_are_written(text):
    assert holds_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "784-1984-1234567-9",
        "784198412345671",
        "4111111111111112",
        "+971501234567",
        "AE070331234567890123456",
        "12345678",
    ],
)
def test_other_numbers_are_not_card_numbers(text):
    assert not holds_card_number(text)


@pytest.mark.parametrize("text", ["تجديد الرخصة التجارية", "می‌خواهم", "Ünïcode 🙂", "سعر\u200f ١٢٣"])
def test_honest_texts_of_both_languages_pass(text):
    assert check_text(text, length_max=100, pointer="/x")


@pytest.mark.parametrize(
    ("query", "pointer", "said"),
    [
        ("colour=red", "/query/colour", "colour is not known here: there is amount, created_before,"),
        ("a%22b=1", "/query", "one of the query's parameters is not known here"),
        ("expand[]=lines", "/query/expand[]", "is one of attempts, refunds"),
    ],
)
async def test_a_parameter_nobody_knows_is_named_and_so_are_those_there_are(town, query, pointer, said):
    answer = await town.ask("GET", f"/v1/payment-intents?{query}")
    fault = answer.body["errors"][0]
    assert (answer.status, fault["pointer"]) == (422, pointer)
    assert said in fault["detail"]
    assert 'a"b' not in str(answer.body)


@pytest.mark.parametrize("encoding", ["zstd", "br", "gzip", "deflate", "gzip, zstd", "x-unheard-of"])
async def test_hc32_a_packed_body_is_refused_in_our_words(town, encoding, caplog):
    """As it is served: what the server beneath cannot unpack reaches us, and nothing of it is an error of ours."""
    runner = runner_of(build_app(town.deps))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    headers = {"Authorization": f"Bearer {town.keys['economy']}", "Content-Encoding": encoding,
               "Content-Type": "application/json", "Idempotency-Key": "packed"}  # fmt: skip
    body = PACKED
    head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(head.encode() + b"\r\n" + body)
    answer = await reader.read()
    writer.close()
    await runner.cleanup()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


PACKED = b"\x28\xb5\x2f\xfd\x00 no encoding of anything"
