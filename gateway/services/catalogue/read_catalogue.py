"""The catalogue as every department may read it: services with their tariffs, bundles with their services."""

from __future__ import annotations

from gateway.deps import Deps
from gateway.domain.department import Audience
from gateway.domain.errors import NotFoundError
from gateway.services.documents import Document, bundle_document, page_document, service_document


async def list_services(
    deps: Deps, department: str | None, *, audience: Audience | None = None, cursor: str | None, limit: int
) -> Document:
    """Return a page of the catalogue, by code; it lives in memory."""
    catalogue = await deps.catalogue.get()
    now = deps.clock()
    codes = sorted(
        code
        for code, service in catalogue.services.items()
        if (department is None or service.department == department)
        and (audience is None or audience in service.audience)
        and (cursor is None or code > cursor)
    )
    documents = [
        service_document(service, catalogue.departments[service.department], catalogue.tariffs.get(code, ()), now)
        for code, service in ((code, catalogue.services[code]) for code in codes[:limit])
    ]
    return page_document(documents, codes[limit - 1] if len(codes) > limit else None)


async def read_service(deps: Deps, code: str) -> Document:
    catalogue = await deps.catalogue.get()
    service = catalogue.services.get(code)
    if service is None:
        raise NotFoundError
    versions = catalogue.tariffs.get(code, ())
    return service_document(service, catalogue.departments[service.department], versions, deps.clock())


async def list_bundles(deps: Deps, department: str | None, *, cursor: str | None, limit: int) -> Document:
    """Return a page of the bundles, by code; a department is one that owns the bundle or has a service in it."""
    catalogue = await deps.catalogue.get()
    codes = sorted(
        code
        for code, bundle in catalogue.bundles.items()
        if (cursor is None or code > cursor)
        and (
            department in (None, bundle.department)
            or any(catalogue.services[item.service].department == department for item in bundle.items)
        )
    )
    documents = [bundle_document(catalogue.bundles[code], catalogue) for code in codes[:limit]]
    return page_document(documents, codes[limit - 1] if len(codes) > limit else None)


async def read_bundle(deps: Deps, code: str) -> Document:
    catalogue = await deps.catalogue.get()
    bundle = catalogue.bundles.get(code)
    if bundle is None:
        raise NotFoundError
    return bundle_document(bundle, catalogue)
