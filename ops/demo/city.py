"""The demo's city, put into an empty Mizan: its catalogue, tariffs, bank details, keys and webhook endpoints."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.domain.idempotency import Claim
from gateway.services.callers.api_keys import issue_key
from gateway.services.catalogue.change_tariffs import decide_tariffs
from gateway.services.catalogue.import_catalogue import import_catalogue
from gateway.services.catalogue.tariff_rows import propose_rows
from gateway.services.webhooks.manage_webhooks import create_endpoint
from ops.demo import catalogue
from ops.demo.offers import bundle_rows, service_rows
from ops.demo.tariffs import tariff_rows
from ops.wiring import Parts, simulated_fees
from reconciliation.contracts import decide_contract, propose_contract
from reconciliation.payees import PayeeDetails, decide_payee_change, propose_payee_change

MAKER: Final = "demo.maker"
CHECKER: Final = "demo.checker"


@dataclass(frozen=True, slots=True)
class Account:
    """What one department's system needs to talk to Mizan. Shown once, kept by the demo alone."""

    department: str
    api_key: str
    webhook_secret: str = ""


async def found_city(parts: Parts, return_origins: Sequence[str]) -> bool:
    """Import the catalogue and register every department's account; False when the city was founded before."""
    known = await parts.gateway.catalogue.get()
    departments = catalogue.departments()
    if all(department.code in known.departments for department in departments):
        return False
    imported = await import_catalogue(
        parts.gateway,
        [
            {
                "code": each.code,
                "name_en": each.name_en,
                "name_ar": each.name_ar,
                "return_origins": list(return_origins),
                "fee_bearer": each.fee_bearer.value,
                # A registration number is fifteen digits that begin with 100; this one is made up from the code.
                "vat_registration": _registration(each.code) if each.vat_registered else None,
            }
            for each in departments
        ],
        service_rows(),
        bundle_rows(),
    )
    if imported.faults:
        raise ValueError(f"the demo's catalogue has faults: {imported.faults[:3]}")
    await _enact(parts)
    # The simulated banks know one payee only, so they are not asked about these.
    night = replace(parts.night, confirming=None)
    for each in departments:
        details = PayeeDetails(each.code, catalogue.CURRENCY, each.legal_name, each.iban)
        change = await propose_payee_change(night, details, by=MAKER, reason="the demo's first registration")
        await decide_payee_change(night, change, by=CHECKER, approve=True)
    await sign_contracts(parts)
    return True


async def sign_contracts(parts: Parts) -> None:
    """Agree with every provider what its simulator keeps, so that whatever else it keeps is a break."""
    begins_on = parts.clock().date().replace(month=1, day=1)
    fees = simulated_fees()
    for name in sorted({*parts.night.settling, *parts.night.direct}):
        terms: dict[str, object] = {}
        if name in fees:
            agreed = fees[name]
            terms = {"fee_basis_points": agreed.basis_points, "fee_vat_basis_points": agreed.vat_basis_points}
        contract = await propose_contract(
            parts.night, name, begins_on, terms, by=MAKER, reason="the demo's first contract"
        )  # fmt: skip
        await decide_contract(parts.night, contract, by=CHECKER, approve=True)


async def _enact(parts: Parts) -> None:
    """Propose the fee schedule as one person, and approve it as another."""
    rows = tariff_rows(parts.clock().year)
    proposed = await propose_rows(parts.gateway, rows, by=MAKER, reason="the demo's fee schedule")
    if proposed.faults:
        raise ValueError(f"the demo's tariffs have faults: {proposed.faults[:3]}")
    await decide_tariffs(parts.gateway, [each.tariff.id for each in proposed.proposals], by=CHECKER, approve=True)


async def open_account(parts: Parts, department: str, webhook_url: str | None) -> Account:
    """Give a department's system a key, and an endpoint when it listens."""
    key, _ = await issue_key(parts.gateway, department, "demo")
    if webhook_url is None:
        return Account(department, key)
    claim_key = parts.random_bytes(16).hex()
    claim = Claim(
        caller=department,
        route="demo webhook endpoint",
        key=claim_key,
        body_sha256=hashlib.sha256(webhook_url.encode()).digest(),
    )
    _, secret = await create_endpoint(parts.gateway, department, webhook_url, claim)
    return Account(department, key, secret or "")


def _registration(code: str) -> str:
    return "100" + str(int(hashlib.sha256(code.encode()).hexdigest()[:12], 16) % 10**12).rjust(12, "0")
