"""A department's system proposes tariffs for a person it names, and sees what became of them; two people decide."""

from __future__ import annotations

from gateway.deps import Deps
from gateway.domain.errors import NotFoundError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.tariff_terms import terms_document
from gateway.services.catalogue.change_tariffs import Proposing
from gateway.services.catalogue.own_catalogue import Place, fault_documents, refuse_faults
from gateway.services.catalogue.tariff_rows import Numbered, Proposed, propose_numbered
from gateway.services.documents import Document, instant, page_document
from gateway.services.once import Made, once
from gateway.store import tariffs
from gateway.store.connections import Connection
from gateway.store.tariffs import Proposal

_ACCEPTED = 202
STATUSES = {"awaiting_approval": "undecided", "approved": "approved", "refused": "refused"}
"""What a proposal's decision is called outside."""


async def propose_own(
    deps: Deps, rows: Numbered, proposing: Proposing, claim: Claim, *, dry_run: bool, place: Place
) -> StoredAnswer:
    """Propose tariffs, all or none; none is in force until a second person has agreed."""

    async def work(connection: Connection) -> Made:
        found = await propose_numbered(deps, connection, rows, proposing, dry_run=dry_run)
        if not dry_run:
            refuse_faults(found.faults, place)
        return proposing.own or "", _batch_document(found, dry_run=dry_run)

    return await once(deps, claim, _ACCEPTED, work)


async def list_own(
    deps: Deps, department: str, service: str | None, status: str | None, *, cursor: str | None, limit: int
) -> Document:
    """Return a page of the proposals for a department's services, newest first, whoever made them."""
    decision = None if status is None else STATUSES[status]
    async with deps.connection() as connection:
        found = await tariffs.page(connection, department, service, decision, before=cursor, limit=limit + 1)
    documents = [proposal_document(one) for one in found[:limit]]
    return page_document(documents, found[limit - 1].tariff.id if len(found) > limit else None)


async def read_own(deps: Deps, department: str, tariff_id: str) -> Document:
    async with deps.connection() as connection:
        found = await tariffs.own(connection, department, tariff_id)
    if found is None:
        raise NotFoundError
    return proposal_document(found)


def proposal_document(one: Proposal) -> Document:
    tariff = one.tariff
    return {
        "id": tariff.id,
        "object": "tariff_proposal",
        "status": one.decision or "awaiting_approval",
        "service": tariff.service,
        "version": tariff.version,
        "effective_on": tariff.effective_on.isoformat(),
        "effective_at": instant(tariff.effective_at),
        "legal_basis": tariff.legal_basis,
        "terms": terms_document(tariff.terms),
        "reason": one.reason,
        "proposed_by": one.maker,
        "proposed_with": one.proposed_with,
        "decided_by": one.checker,
        "created_at": instant(one.made_at),
        "decided_at": instant(one.checked_at),
    }


def _batch_document(found: Proposed, *, dry_run: bool) -> Document:
    return {
        "object": "tariff_proposal_batch",
        "dry_run": dry_run,
        "tariffs": found.lines,
        "faults": fault_documents(found.faults),
        "proposals": [proposal_document(one) for one in found.proposals],
    }
