"""Who calls: a key or OAuth client of a department or of the treasury, and what it may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


class Scope(StrEnum):
    """What a department's caller may do."""

    PAYMENTS_READ = "payments:read"
    PAYMENTS_WRITE = "payments:write"
    CATALOGUE_WRITE = "catalogue:write"
    REFUNDS_WRITE = "refunds:write"
    REFUNDS_APPROVE = "refunds:approve"
    WEBHOOKS_WRITE = "webhooks:write"
    KEYS_WRITE = "keys:write"


class TreasuryScope(StrEnum):
    """What a caller of the treasury may do, which belongs to no department. Nobody holds scopes of both kinds."""

    FINANCE_READ = "finance:read"


NO_DEPARTMENT: Final = ""
"""Stands where a department would for the treasury's own callers; no department can be called so."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One authenticated caller: the id of its key or client, its department, its scopes and its own rate, if any.

    A caller of the treasury has `NO_DEPARTMENT`.

    `lineage` stays the same when a key is replaced by another: it is the first one's id, a client's own. `origin` is
    the credential the operator issued: whatever was made with it, by whatever detour, is one pair of eyes.
    """

    id: str
    department: str
    scopes: frozenset[str]
    lineage: str
    origin: str
    requests_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: str
    department: str
    label: str
    scopes: frozenset[str]
    live: bool
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    requests_per_minute: int | None = None
    replaces: str | None = None
    lineage: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """A caller that signs for itself: with keys registered here, or published at an address of its own."""

    id: str
    department: str
    label: str
    scopes: frozenset[str]
    jwks: Mapping[str, Any] | None
    jwks_url: str | None
    live: bool
    created_at: datetime
    updated_at: datetime
    disabled_at: datetime | None
    last_used_at: datetime | None
    requests_per_minute: int | None = None
    origin: str | None = None
