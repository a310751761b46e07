"""A department's parts of payments that others ask for: found by it, and showing it nothing but its own lines."""

from __future__ import annotations

from gateway.deps import Deps
from gateway.domain.errors import NotFoundError
from gateway.services.documents import Document, page_document, part_document
from gateway.store import intents, refunds
from gateway.store.connections import Connection


async def read_part(deps: Deps, department: str, intent_id: str) -> Document:
    """Return the department's part of one intent; an intent without a part of it is not there."""
    async with deps.connection() as connection:
        found = await _documents(connection, department, [intent_id])
    if not found:
        raise NotFoundError
    return found[0]


async def list_parts(deps: Deps, department: str, *, cursor: str | None, limit: int) -> Document:
    """Return a page of the department's parts, newest first."""
    async with deps.connection() as connection:
        found = await intents.shared_with(connection, department, before=cursor, limit=limit + 1)
        documents = await _documents(connection, department, found[:limit])
    return page_document(documents, found[limit - 1] if len(found) > limit else None)


async def _documents(connection: Connection, department: str, intent_ids: list[str]) -> list[Document]:
    lines = await intents.lines(connection, intent_ids)
    found = await intents.read_many(connection, intent_ids)
    refunded = await refunds.of_department_lines(connection, department, intent_ids)
    return [
        part_document(found[intent_id], lines[intent_id], department, refunded.get(intent_id, 0))
        for intent_id in intent_ids
        if intent_id in found and any(line.shared and line.department == department for line in lines[intent_id])
    ]
