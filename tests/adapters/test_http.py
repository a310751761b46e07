"""The outbound client against servers that misbehave on real sockets."""

import asyncio
import gzip

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.calls import Answer, Call, read_json
from adapters.errors import NotSentError, OutcomeUnknownError, RejectedError
from adapters.http import WireClient, open_session
from adapters.redaction import Redaction

SECRET = "s3cr3t-api-key-value"


@pytest.fixture
async def session():
    async with open_session() as session:
        yield session


@pytest.fixture
async def serve():
    """Run a handler on a loopback port and give its address."""
    servers: list[TestServer] = []

    async def start(handler) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return str(server.make_url("/call"))

    yield start
    for server in servers:
        await server.close()


@pytest.fixture
async def serve_raw():
    """Answer each connection with what the coroutine writes, beneath HTTP."""
    servers: list[asyncio.Server] = []

    async def start(handle) -> str:
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/call"

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


def client(session, **options) -> WireClient:
    return WireClient(session, name="sample", timeout_s=options.pop("timeout_s", 2.0), **options)


def call(url: str, method: str = "POST", body: bytes = b'{"amount":1}') -> Call:
    return Call("pay", method, url, {"Content-Type": "application/json"}, body if method != "GET" else b"")


async def test_a_2xx_comes_back_whole(session, serve):
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=201, body=await request.read(), headers={"X-Request-ID": "r1"})

    answer = await client(session).send(call(await serve(handler)))
    assert (answer.status, answer.body) == (201, b'{"amount":1}')
    assert isinstance(answer, Answer)


async def test_hc03_a_refused_connection_was_not_sent(session, unused_tcp_port):
    with pytest.raises(NotSentError):
        await client(session).send(call(f"http://127.0.0.1:{unused_tcp_port}/call"))


async def test_hc03_an_unknown_name_was_not_sent(session):
    with pytest.raises(NotSentError):
        await client(session).send(call("http://no-such-host.invalid/call"))


async def test_hc03_a_failed_tls_handshake_was_not_sent(session, serve):
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response()

    with pytest.raises(NotSentError):
        await client(session).send(call((await serve(handler)).replace("http://", "https://")))
    assert seen == []


async def test_hc01_a_timeout_leaves_the_outcome_unknown(session, serve):
    async def handler(_request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    with pytest.raises(OutcomeUnknownError):
        await client(session, timeout_s=0.1).send(call(await serve(handler)))


async def test_hc01_a_body_that_never_ends_leaves_the_outcome_unknown(session, serve_raw):
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        await reader.read()
        writer.close()

    with pytest.raises(OutcomeUnknownError):
        await client(session, timeout_s=0.2).send(call(await serve_raw(handle)))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "GET"])
@pytest.mark.parametrize("warm", [False, True], ids=["new-connection", "kept-connection"])
async def test_hc02_a_reset_after_the_write_is_unknown_and_nothing_is_sent_twice(session, serve, method, warm):
    """aiohttp repeats PUT, DELETE and GET on its own when a kept connection breaks; this client must not."""
    seen: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        await request.read()
        seen.append(request.headers.get("X-Step", ""))
        if request.headers.get("X-Step") == "warm":
            return web.Response()
        request.transport.abort()
        return web.Response()

    url = await serve(handler)
    wire = client(session)
    if warm:
        await wire.send(Call("warm", "GET", url, {"X-Step": "warm"}))
    with pytest.raises(OutcomeUnknownError):
        await wire.send(Call("pay", method, url, {"X-Step": "pay"}, b"{}" if method != "GET" else b""))
    assert seen.count("pay") == 1


async def test_plain_aiohttp_does_send_a_put_twice(serve):
    """The reason for the wrapper: should this fail after an upgrade, aiohttp has changed and the wrapper may go."""
    seen: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        await request.read()
        seen.append(request.method)
        request.transport.abort()
        return web.Response()

    url = await serve(handler)
    async with aiohttp.ClientSession() as plain:
        with pytest.raises(aiohttp.ClientError):
            await plain.put(url, data=b"{}")
    assert seen == ["PUT", "PUT"]


async def test_garbage_instead_of_http_is_unknown(session, serve_raw):
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x00\xff not http at all\r\n\r\n")
        await writer.drain()
        writer.close()

    with pytest.raises(OutcomeUnknownError):
        await client(session).send(call(await serve_raw(handle)))


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 302, 307])
async def test_what_says_neither_yes_nor_no_is_unknown(session, serve, status):
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    with pytest.raises(OutcomeUnknownError):
        await client(session).send(call(await serve(handler)))
    assert seen == ["/call"]  # a redirect is never followed: the second host is not the one we trust with money


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 429])
async def test_a_4xx_is_a_refusal_that_carries_its_answer(session, serve, status):
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=status, text="no")

    with pytest.raises(RejectedError) as caught:
        await client(session).send(call(await serve(handler)))
    assert (caught.value.status, caught.value.body) == (status, b"no")


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip-bomb"])
async def test_hc32_an_endless_body_is_cut_off(session, serve, packed):
    body = b"0" * (1 << 22)

    async def handler(_request: web.Request) -> web.Response:
        if packed:
            return web.Response(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
        return web.Response(body=body)

    with pytest.raises(OutcomeUnknownError):
        await client(session).send(call(await serve(handler)), body_bytes_max=1 << 20)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b'{"count": "1"}', b"null"])
def test_an_answer_that_cannot_be_read_is_unknown(body):
    import msgspec

    class Shape(msgspec.Struct):
        count: int

    with pytest.raises(OutcomeUnknownError):
        read_json(body, Shape)


async def test_the_transcript_hides_secrets_cards_and_contacts(session, serve):
    kept = []

    async def handler(_request: web.Request) -> web.Response:
        return web.json_response({"access_token": "tok-abcdefgh", "pan": "4111111111111111", "echo": SECRET})

    wire = client(session, redact=Redaction([SECRET]), transcript=kept.append, correlation=lambda: "corr-1")
    url = await serve(handler)
    body = b'{"emailAddress":"fatima@example.ae","key":"4111 1111 1111 1111","amount":12500}'
    await wire.send(Call("token", "POST", f"{url}?key={SECRET}", {"Authorization": f"Basic {SECRET}"}, body))
    shown = repr(kept[0])
    for hidden in (SECRET, "tok-abcdefgh", "4111111111111111", "4111 1111 1111 1111", "fatima@example.ae"):
        assert hidden not in shown
    assert "12500" in shown
    assert kept[0].correlation_id == "corr-1"
    assert (kept[0].status, kept[0].outcome, kept[0].operation) == (200, "answered", "token")


async def test_the_transcript_tells_how_a_failed_call_ended(session, unused_tcp_port):
    kept = []
    with pytest.raises(NotSentError):
        await client(session, transcript=kept.append).send(call(f"http://127.0.0.1:{unused_tcp_port}/"))
    assert (kept[0].outcome, kept[0].status) == ("not_sent", None)


async def test_a_correlation_id_travels_as_a_header(session, serve):
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers.get("X-Correlation-ID"))
        return web.Response()

    await client(session, correlation=lambda: "corr-7").send(call(await serve(handler)))
    assert seen == ["corr-7"]


async def test_a_session_that_reads_the_environment_is_refused():
    async with aiohttp.ClientSession(trust_env=True) as session:
        with pytest.raises(ValueError, match="environment"):
            client(session)
