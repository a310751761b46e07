"""The bearer token every call needs, fetched once and shared until it nears its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from adapters.errors import NotSentError, ProviderError
from adapters.http import WireClient
from adapters.ngenius.wire import Endpoint, read_token

LIFETIME_S: Final = 300
"""Tokens live five minutes, and the answer does not always say so."""

MARGIN_S: Final = 60
"""A token this close to its end might die under way."""


class Tokens:
    """One token at a time, whoever asks; callers who meet during a fetch share its answer."""

    def __init__(
        self, wire: WireClient, endpoint: Endpoint, *, api_key: str, realm: str, clock: Callable[[], datetime]
    ) -> None:
        self._wire = wire
        self._endpoint = endpoint
        self._api_key = api_key
        self._realm = realm
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
            answer = read_token((await self._wire.send(self._endpoint.token(self._api_key, self._realm))).body)
        except ProviderError as error:
            raise NotSentError(f"no access token: {error}") from error
        lifetime_s = answer.expires_in if answer.expires_in and answer.expires_in > 0 else LIFETIME_S
        self._token = answer.access_token
        self._good_until = asked_at + timedelta(seconds=max(min(lifetime_s, LIFETIME_S) - MARGIN_S, 1))
