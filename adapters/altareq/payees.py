"""Confirmation of payee: whether an IBAN belongs to a name, asked before money is sent there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.altareq.banking import NO_CONTENT, Banking
from adapters.altareq.calls import Endpoint
from adapters.altareq.directory import Directory, Server
from adapters.contract import PayeeCheck, PayeeMatch
from adapters.errors import OutcomeUnknownError

SCOPE: Final = "confirmation-of-payee openid"
MATCHES: Final = {
    "ConfirmationOfPayee.Yes": PayeeMatch.YES,
    "ConfirmationOfPayee.Partial": PayeeMatch.PARTIAL,
    "ConfirmationOfPayee.No": PayeeMatch.NO,
}


class _Source(msgspec.Struct, frozen=True, rename="pascal"):
    discovery_endpoint_url: str
    resource_server_url: str


class _SourceMessage(msgspec.Struct, frozen=True, rename="pascal"):
    data: _Source


class _Match(msgspec.Struct, frozen=True, rename="pascal"):
    name_match_indicator: str
    masked_name: str = ""


class _MatchMessage(msgspec.Struct, frozen=True, rename="pascal"):
    data: _Match


class Payees:
    """Finds the payee's bank by the IBAN and asks it."""

    def __init__(self, directory: Directory, endpoint: Endpoint, banking: Banking, codes: Sequence[str]) -> None:
        self._directory = directory
        self._endpoint = endpoint
        self._banking = banking
        self._codes = codes

    async def confirm(self, iban: str, name: str) -> PayeeCheck:
        """Ask the payee's bank. An account it does not know is an answer too."""
        asked = await self._first_server()
        url = asked.payees_url or ""
        token = await self._banking.token(asked, SCOPE)
        found = await self._banking.ask(self._endpoint.discover_payee(url, iban, asked, token), asked)
        source = (await self._banking.message(found, asked, _SourceMessage)).data
        payee_bank = await self._server_at(source.discovery_endpoint_url)
        token = await self._banking.token(payee_bank, SCOPE)
        call = self._endpoint.confirm_payee(source.resource_server_url, iban, name, payee_bank, token)
        answer = await self._banking.ask(call, payee_bank)
        if answer.status == NO_CONTENT or not answer.body:
            return PayeeCheck(PayeeMatch.UNKNOWN_ACCOUNT)
        said = (await self._banking.message(answer, payee_bank, _MatchMessage)).data
        match = MATCHES.get(said.name_match_indicator)
        if match is None:
            raise OutcomeUnknownError("the bank's word on the payee is not one we know")
        return PayeeCheck(match, said.masked_name)

    async def _first_server(self) -> Server:
        """Return a bank at which payees can be discovered: the hub answers for all, so that any will do."""
        for code in self._codes:
            server = await self._directory.server(code)
            if server.payees_url:
                return server
        raise OutcomeUnknownError("none of the banks confirms payees")

    async def _server_at(self, discovery_url: str) -> Server:
        """Return the payee's bank; only one that the directory lists is spoken to."""
        for listed in await self._directory.participants():
            if listed.open_id_discovery_document == discovery_url:
                return await self._directory.server(listed.authorisation_server_id)
        raise OutcomeUnknownError("the payee's bank is not in the directory")
