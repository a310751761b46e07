"""Where each bank is: the Trust Framework's participants, each server's discovery document, its keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from adapters.altareq.keys import Ring, SealError
from adapters.calls import Call, read_json
from adapters.errors import OutcomeUnknownError, ProviderError
from adapters.http import WireClient

FRESH_FOR: Final = timedelta(minutes=15)
"""How long the directory itself says that its data keep."""
DIRECTORY_BYTES_MAX: Final = 32 << 20
PAYMENTS: Final = "/open-finance/payment/v2.1"
PAYEES: Final = "/open-finance/confirmation-of-payee/v2.1"


class _Place(msgspec.Struct, rename="pascal"):
    api_endpoint: str


class _Resource(msgspec.Struct, rename="pascal"):
    api_family_type: str = ""
    api_discovery_endpoints: list[_Place] = []


class _Server(msgspec.Struct, rename="pascal"):
    authorisation_server_id: str
    open_id_discovery_document: str | None = msgspec.field(name="OpenIDDiscoveryDocument", default=None)
    status: str = "Active"
    api_resources: list[_Resource] = []


class _Organisation(msgspec.Struct, rename="pascal"):
    authorisation_servers: list[_Server] = []


class _Aliases(msgspec.Struct):
    pushed_authorization_request_endpoint: str | None = None
    token_endpoint: str | None = None


class _Discovery(msgspec.Struct):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    pushed_authorization_request_endpoint: str
    jwks_uri: str
    mtls_endpoint_aliases: _Aliases = msgspec.field(default_factory=_Aliases)


@dataclass(frozen=True, slots=True)
class Server:
    """One bank, ready to be spoken to."""

    code: str
    issuer: str
    authorization_endpoint: str
    par_endpoint: str
    token_endpoint: str
    payments_url: str
    payees_url: str | None
    jwks_uri: str
    ring: Ring


class Directory:
    """Looks banks up, and remembers them for as long as the directory's data keep."""

    def __init__(self, wire: WireClient, base_url: str, clock: Callable[[], datetime], events: Ring) -> None:
        self._wire = wire
        self._url = f"{base_url.rstrip('/')}/participants"
        self._clock = clock
        self._events = events
        self._servers: dict[str, tuple[Server, datetime]] = {}
        self._listed: tuple[list[_Server], datetime] | None = None

    def forget(self) -> None:
        """Look everything up again: a bank that cannot be reached may have moved."""
        self._servers.clear()
        self._listed = None

    async def participants(self) -> list[_Server]:
        if self._listed is None or self._clock() - self._listed[1] >= FRESH_FOR:
            call = Call("directory", "GET", self._url, {"Accept": "application/json"})
            answer = await self._ask(call, DIRECTORY_BYTES_MAX)
            organisations = read_json(answer, list[_Organisation])
            servers = [server for each in organisations for server in each.authorisation_servers]
            self._listed = ([server for server in servers if server.status == "Active"], self._clock())
        return self._listed[0]

    async def server(self, code: str) -> Server:
        kept = self._servers.get(code)
        if kept is not None and self._clock() - kept[1] < FRESH_FOR:
            return kept[0]
        listed = next((each for each in await self.participants() if each.authorisation_server_id == code), None)
        if listed is None or listed.open_id_discovery_document is None:
            raise OutcomeUnknownError("the directory does not list this bank, or not where to ask it")
        found = read_json(await self._ask(Call("discovery", "GET", listed.open_id_discovery_document)), _Discovery)
        aliases = found.mtls_endpoint_aliases
        payments_url = _family(listed, PAYMENTS)
        if payments_url is None:
            raise OutcomeUnknownError("the directory lists no payments of the version we speak for this bank")
        server = Server(
            code=code,
            issuer=found.issuer,
            authorization_endpoint=found.authorization_endpoint,
            par_endpoint=_secure(
                aliases.pushed_authorization_request_endpoint or found.pushed_authorization_request_endpoint
            ),
            token_endpoint=_secure(aliases.token_endpoint or found.token_endpoint),
            payments_url=_secure(payments_url),
            payees_url=_family(listed, PAYEES),
            jwks_uri=found.jwks_uri,
            ring=Ring(),
        )
        await self.learn_keys(server)
        self._servers[code] = (server, self._clock())
        return server

    async def payee_servers(self) -> list[str]:
        """Return where a payee's bank may be discovered."""
        return [url for server in await self.participants() if (url := _family(server, PAYEES))]

    async def learn_keys(self, server: Server) -> None:
        """Read a bank's public keys; they also verify its events."""
        document = await self._ask(Call("keys", "GET", server.jwks_uri))
        try:
            server.ring.learn(document)
            self._events.learn(document)
        except SealError as error:
            raise OutcomeUnknownError(str(error)) from None

    async def _ask(self, call: Call, bytes_max: int = 1 << 20) -> bytes:
        try:
            return (await self._wire.send(call, body_bytes_max=bytes_max)).body
        except ProviderError:
            self.forget()
            raise


def _family(server: _Server, path: str) -> str | None:
    """Return the base address of an API family in the version we speak."""
    for resource in server.api_resources:
        for place in resource.api_discovery_endpoints:
            head, found, _ = place.api_endpoint.partition(path + "/")
            if found:
                return head + path
    return None


def _secure(url: str) -> str:
    if not url.startswith("https://"):
        raise OutcomeUnknownError("an address that needs mutual TLS is not https")
    return url
