"""What a department reads of its own: one intent, many, a refund, the feed. What is not its own is not there."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Final

from gateway.deps import Deps
from gateway.domain.errors import NotFoundError
from gateway.domain.ids import Prefix, id_range
from gateway.domain.intent import Search
from gateway.domain.refund import RefundSearch
from gateway.services.documents import (
    Document,
    attempt_document,
    event_document,
    intent_document,
    page_document,
    refund_document,
)
from gateway.services.intents.create_intent import with_payer_and_link
from gateway.store import attempts, events, intent_search, intents, refunds
from gateway.store.connections import Connection
from gateway.store.intents import Intent
from gateway.store.reading import WholeIntent, whole

FEED_DELAY: Final = timedelta(seconds=2)


async def read_intent(
    deps: Deps, department: str, intent_id: str, *, expand: AbstractSet[str] = frozenset()
) -> Document:
    found = await deps.readings.submit(intent_id)
    if found is None or found.intent.department != department:
        raise NotFoundError
    document = with_payer_and_link(deps, found.intent, _document(found))
    if expand:
        async with deps.connection() as connection:
            await _expand(connection, [document], expand)
    return document


async def own_intent(connection: Connection, department: str, intent_id: str) -> Intent:
    """Return an intent of this department; another's is not there."""
    intent = await intents.read(connection, intent_id)
    if intent is None or intent.department != department:
        raise NotFoundError
    return intent


async def list_intents(
    deps: Deps,
    department: str,
    wanted: Search,
    *,
    cursor: str | None,
    limit: int,
    expand: AbstractSet[str] = frozenset(),
) -> Document:
    """Return a page, newest first. A range of time is turned into a range of identifiers, which the index has."""
    # What was paid before an instant was asked for before it.
    ends = [end for end in (wanted.created_before, wanted.paid_before) if end is not None]
    before, after = id_range(Prefix.INTENT, wanted.created_from, min(ends, default=None), cursor)
    async with deps.connection() as connection:
        found = await intent_search.search(connection, department, wanted, before=before, after=after, limit=limit)
        documents = await intent_documents(deps, connection, found.intents, expand)
    return page_document(documents, found.next_before)


async def intent_documents(
    deps: Deps, connection: Connection, found: Sequence[Intent], expand: AbstractSet[str] = frozenset()
) -> list[Document]:
    """Return intents as departments get them, with what they asked to have inside."""
    documents = [with_payer_and_link(deps, each.intent, _document(each)) for each in await whole(connection, found)]
    await _expand(connection, documents, expand)
    return documents


async def document_to_keep(connection: Connection, intent: Intent) -> Document:
    """Return an intent as it is kept as the answer to a request that changed it."""
    [found] = await whole(connection, [intent])
    return _document(found)


def _document(found: WholeIntent) -> Document:
    document = intent_document(
        found.intent,
        found.lines,
        refunded_minor=found.refunded_minor,
        disputed_minor=found.disputed_minor,
        last_attempt=found.last_attempt,
    )
    document["paid_before"] = found.paid_before
    return document


async def _expand(connection: Connection, documents: Sequence[Document], expand: AbstractSet[str]) -> None:
    intent_ids = [document["id"] for document in documents]
    if "attempts" in expand:
        tries = await attempts.of_intents(connection, intent_ids)
        for document in documents:
            document["attempts"] = [attempt_document(each) for each in tries if each.intent == document["id"]]
    if "refunds" in expand:
        given_back = await refunds.of_intents(connection, intent_ids)
        lines = await refunds.lines(connection, [refund.id for refund in given_back])
        for document in documents:
            own = [each for each in given_back if each.intent == document["id"]]
            document["refunds"] = [refund_document(each, lines.get(each.id, [])) for each in own]


async def list_intent_events(
    deps: Deps, department: str, intent_id: str, *, cursor: str | None, limit: int
) -> Document:
    """Return what happened to an intent and its attempts, oldest first."""
    async with deps.connection() as connection:
        await own_intent(connection, department, intent_id)
        found = await events.of_object(connection, intent_id, after=cursor, limit=limit + 1)
    documents = [event_document(event) for event in found[:limit]]
    return page_document(documents, found[limit - 1].id if len(found) > limit else None)


async def list_attempts(deps: Deps, department: str, intent_id: str) -> Document:
    async with deps.connection() as connection:
        await own_intent(connection, department, intent_id)
        found = await attempts.of_intent(connection, intent_id)
    return page_document([attempt_document(attempt) for attempt in found], None)


async def read_refund(deps: Deps, department: str, refund_id: str) -> Document:
    async with deps.connection() as connection:
        refund = await refunds.read(connection, refund_id)
        if refund is None or refund.department != department:
            raise NotFoundError
        lines = await refunds.lines(connection, [refund_id])
    return refund_document(refund, lines.get(refund_id, []))


async def list_refunds(deps: Deps, department: str, intent_id: str) -> Document:
    async with deps.connection() as connection:
        await own_intent(connection, department, intent_id)
        found = await refunds.of_intent(connection, intent_id)
        lines = await refunds.lines(connection, [refund.id for refund in found])
    return page_document([refund_document(refund, lines.get(refund.id, [])) for refund in found], None)


async def search_refunds(
    deps: Deps, department: str, wanted: RefundSearch, *, cursor: str | None, limit: int
) -> Document:
    """Return a page of a department's refunds, newest first."""
    before, after = id_range(Prefix.REFUND, wanted.created_from, wanted.created_before, cursor)
    async with deps.connection() as connection:
        found = await refunds.search(connection, department, wanted, before=before, after=after, limit=limit + 1)
        lines = await refunds.lines(connection, [refund.id for refund in found])
    documents = [refund_document(refund, lines.get(refund.id, [])) for refund in found[:limit]]
    return page_document(documents, found[limit - 1].id if len(found) > limit else None)


async def list_events(
    deps: Deps,
    department: str,
    *,
    cursor: str | None,
    object_id: str | None,
    limit: int,
    created_from: datetime | None = None,
    created_before: datetime | None = None,
) -> Document:
    """Return a page of the feed, oldest first. Read on from the last cursor for ever; nothing slips in behind it."""
    before, after = id_range(Prefix.EVENT, created_from, created_before, None)
    async with deps.connection() as connection:
        found = await events.feed(
            connection,
            department,
            after=max((bound for bound in (cursor, after) if bound is not None), default=None),
            before=before,
            object_id=object_id,
            created_from=created_from,
            created_before=created_before,
            settled_before=deps.clock() - FEED_DELAY,
            limit=limit,
        )
    return page_document([event_document(event) for event in found], found[-1].id if found else cursor)
