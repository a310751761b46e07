"""The one way out to a provider: time-outs, what is known when it fails, and a transcript without secrets.

A failure is told apart by what it says about the money. Only a failure before the first byte was written is
`NotSentError`; whatever happened later is `OutcomeUnknownError`, even when it is likely that nothing moved.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp

from adapters.calls import Answer, Call
from adapters.errors import NotSentError, OutcomeUnknownError, ProviderError, RejectedError
from adapters.redaction import Redaction

BODY_BYTES_MAX: Final = 1 << 20
"""An answer of an API call is never larger; a settlement file states its own limit."""

CONNECTIONS_MAX: Final = 512
CONNECTIONS_PER_HOST_MAX: Final = 128
TRANSCRIPT_BODY_CHARS_MAX: Final = 4000
REDACTED_BYTES_MAX: Final = 1 << 16
CORRELATION_HEADER: Final = "X-Correlation-ID"

_OK: Final = range(200, 300)
_REFUSED: Final = range(400, 500)
_REQUEST_TIMEOUT: Final = 408  # the server waited for the rest of the request and may have read enough of it


@dataclass(frozen=True, slots=True, repr=False)
class Exchange:
    """One call as it may be kept and shown: in whatever is read of it, secrets, card numbers and contacts are gone.

    They are taken out when somebody reads it, since most calls are only counted.
    """

    provider: str
    operation: str
    method: str
    status: int | None
    outcome: str
    duration_s: float
    correlation_id: str | None
    _call: Call
    _headers: Mapping[str, str]
    _answer: bytes
    _redact: Redaction

    @property
    def url(self) -> str:
        return self._redact.text(self._call.url)

    @property
    def request_headers(self) -> Mapping[str, str]:
        return self._redact.headers(self._headers)

    @property
    def request_body(self) -> str:
        return self._show(self._call.body)

    @property
    def response_body(self) -> str:
        return self._show(self._answer)

    def _show(self, body: bytes) -> str:
        """Return the beginning of a body. It is redacted before it is cut: half a secret is a secret too."""
        return self._redact.body(body[:REDACTED_BYTES_MAX])[:TRANSCRIPT_BODY_CHARS_MAX]

    def __repr__(self) -> str:
        """Show what may be shown, and nothing that is kept to make it."""
        return (
            f"Exchange({self.provider} {self.operation}: {self.method} {self.url} {self.request_headers}"
            f" {self.request_body!r} -> {self.status} {self.response_body!r}, {self.outcome}"
            f" in {self.duration_s:.3f} s, {self.correlation_id})"
        )


class _LeftUnansweredError(aiohttp.ClientError):
    """The connection broke after the request may have been written."""


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a request twice.

    aiohttp 3.14 repeats GET, HEAD, OPTIONS, TRACE, PUT and DELETE (not POST) when a connection breaks, on the ground
    that HTTP calls them idempotent; a provider's PUT may be a void. It repeats on exactly these two exceptions, so
    they are given another class before its loop sees them.
    """
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _LeftUnansweredError(str(error) or type(error).__name__) from error


def open_session(*, watchers: Sequence[aiohttp.TraceConfig] = ()) -> aiohttp.ClientSession:
    """Open the session all adapters share: no proxies or passwords from the environment, no cookies."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS_MAX, limit_per_host=CONNECTIONS_PER_HOST_MAX)
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, trace_configs=list(watchers)
    )


class WireClient:
    """Sends one request exactly once and says what is known afterwards."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        name: str,
        timeout_s: float = 15.0,
        connect_timeout_s: float = 5.0,
        redact: Redaction | None = None,
        tls: ssl.SSLContext | None = None,
        transcript: Callable[[Exchange], None] | None = None,
        correlation: Callable[[], str | None] | None = None,
    ) -> None:
        if session.trust_env:
            raise ValueError("a provider session must not take proxies or passwords from the environment")
        self.name = name
        self._session = session
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._redact = redact or Redaction()
        self._tls = tls or True
        self._transcript = transcript
        self._correlation = correlation or (lambda: None)

    async def send(self, call: Call, *, timeout_s: float | None = None, body_bytes_max: int = BODY_BYTES_MAX) -> Answer:
        """Send the request; a 2xx comes back, everything else is raised by what it says about the money."""
        correlation_id = self._correlation()
        headers = dict(call.headers)
        if correlation_id is not None:
            headers.setdefault(CORRELATION_HEADER, correlation_id)
        loop = asyncio.get_running_loop()
        started_at = loop.time()
        status: int | None = None
        body = b""
        outcome = "answered"
        try:
            status, answer_headers, body = await self._exchange(call, headers, timeout_s, body_bytes_max)
            self._judge(call, status, body)
            return Answer(status, answer_headers, body)
        except ProviderError as error:
            outcome = error.code
            raise
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            if self._transcript is not None:
                self._transcript(
                    Exchange(
                        self.name,
                        call.operation,
                        call.method,
                        status,
                        outcome,
                        loop.time() - started_at,
                        correlation_id,
                        call,
                        headers,
                        body,
                        self._redact,
                    )
                )

    async def _exchange(
        self, call: Call, headers: Mapping[str, str], timeout_s: float | None, body_bytes_max: int
    ) -> tuple[int, dict[str, str], bytes]:
        total_s = timeout_s or self._timeout_s
        # Shorter than the whole, so that a connection nobody takes is told apart from an answer nobody gives.
        connect_s = min(self._connect_timeout_s, total_s / 2)
        timeout = aiohttp.ClientTimeout(total=total_s, connect=connect_s, sock_connect=connect_s)
        try:
            async with self._session.request(
                call.method,
                call.url,
                data=call.body or None,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
                ssl=self._tls,
                middlewares=(_send_once,),
            ) as response:
                body = await _read_capped(response, body_bytes_max)
                return response.status, dict(response.headers), body
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            # Refused, unknown name, failed TLS handshake, no connection in time: nothing of the request was written.
            raise NotSentError(f"{self.name} {call.operation}: {self._say(error)}") from None
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise OutcomeUnknownError(f"{self.name} {call.operation}: {self._say(error)}") from None

    def _judge(self, call: Call, status: int, body: bytes) -> None:
        if status in _OK:
            return
        if status in _REFUSED and status != _REQUEST_TIMEOUT:
            raise RejectedError(f"{self.name} {call.operation}: refused with {status}", status=status, body=body)
        # Some providers word an ordinary answer as a 5xx; whoever knows one better may read it.
        raise OutcomeUnknownError(f"{self.name} {call.operation}: answered {status}", status=status, body=body)

    def _say(self, error: BaseException) -> str:
        return self._redact.text(str(error) or type(error).__name__)


async def _read_capped(response: aiohttp.ClientResponse, body_bytes_max: int) -> bytes:
    """Read the body after decompression, so that a small answer cannot unfold into a large one."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > body_bytes_max:
            response.close()
            raise OutcomeUnknownError(f"the answer is longer than {body_bytes_max} bytes")
    return bytes(body)
