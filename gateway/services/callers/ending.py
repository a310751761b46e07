"""Credentials are ended: one, or one with all it made; and every web process hears of it."""

from __future__ import annotations

from gateway.deps import Deps
from gateway.domain.caller import Caller
from gateway.domain.errors import NotFoundError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.services.documents import Document, api_key_document, oauth_client_document
from gateway.services.once import Made, once
from gateway.store import api_keys, credentials, oauth_clients
from gateway.store.connections import Connection


async def end_own(
    deps: Deps, by: Caller, credential_id: str, claim: Claim, *, with_all_it_made: bool = False
) -> StoredAnswer:
    """Revoke a key or disable a client of the caller's department. Twice is once.

    With all it made, the caller itself stays if it is among that: so a key's successor can end the whole of the rest.
    """

    async def work(connection: Connection) -> Made:
        await _document(connection, by.department, credential_id)
        ended = await _end(deps, connection, by.department, credential_id, with_all=with_all_it_made, but=by.id)
        document = await _document(connection, by.department, credential_id)
        if with_all_it_made:
            document = {**document, "also_ended": [each for each in ended if each != credential_id]}
        return credential_id, document

    answer = await once(deps, claim, 200, work)
    deps.caller_cache.clear()
    return answer


async def end_credential(deps: Deps, credential_id: str, *, with_all_it_made: bool = False) -> list[str]:
    """End a credential by the operator's hand; return what was in use and is no more."""
    async with deps.transaction() as connection:
        found = await credentials.standing(connection, credential_id)
        if found is None:
            return []
        ended = await _end(deps, connection, found.department, credential_id, with_all=with_all_it_made, but=None)
    deps.caller_cache.clear()
    return ended


async def _end(
    deps: Deps, connection: Connection, department: str | None, credential_id: str, *, with_all: bool, but: str | None
) -> list[str]:
    if with_all:
        # What is being made meanwhile is made first, and found, or finds that its maker was ended.
        await credentials.lock_department(connection, department)
    ended = await credentials.end(connection, credential_id, deps.clock(), with_all_it_made=with_all, but=but)
    if ended:
        await credentials.note_change(connection)
    return ended


async def _document(connection: Connection, department: str, credential_id: str) -> Document:
    key = await api_keys.read(connection, credential_id)
    if key is not None and key.department == department:
        return api_key_document(key)
    client = await oauth_clients.read(connection, credential_id)
    if client is not None and client.department == department:
        return oauth_client_document(client)
    raise NotFoundError
