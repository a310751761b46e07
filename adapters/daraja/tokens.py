"""The bearer token every call needs: fetched once an hour, shared by all who ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from adapters.daraja.wire import Endpoint, read_token
from adapters.errors import NotSentError, ProviderError
from adapters.http import WireClient

LIFETIME_S: Final = 3_599
MARGIN_S: Final = 60
"""A token this close to its end might die under way."""


class Tokens:
    """One token at a time; callers who meet during a fetch share its answer."""

    def __init__(
        self, wire: WireClient, endpoint: Endpoint, *, key: str, secret: str, clock: Callable[[], datetime]
    ) -> None:
        self._wire = wire
        self._call = endpoint.token(key, secret)
        self._clock = clock
        self._fetching = asyncio.Lock()
        self._token = ""
        self._good_until: datetime | None = None

    async def current(self) -> str:
        """Return a token that is good for a while; without one, no request about money has left."""
        async with self._fetching:
            if self._good_until is None or self._clock() >= self._good_until:
                await self._fetch()
            return self._token

    def forget(self, token: str) -> None:
        """Drop a token the provider refused, unless it is replaced already."""
        if token == self._token:
            self._good_until = None

    async def _fetch(self) -> None:
        asked_at = self._clock()
        try:
            answer = read_token((await self._wire.send(self._call)).body)
        except ProviderError as error:
            raise NotSentError(f"no access token: {error}") from error
        told = str(answer.expires_in or "")  # text in the documents, a number in some answers
        lifetime_s = min(int(told), LIFETIME_S) if told.isascii() and told.isdigit() and len(told) < 8 else LIFETIME_S  # noqa: PLR2004
        self._token = answer.access_token
        self._good_until = asked_at + timedelta(seconds=max(lifetime_s - MARGIN_S, 1))
