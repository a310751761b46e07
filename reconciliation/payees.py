"""Where a department is paid: proposed by one person, decided by another, in force after a time to notice a fraud."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import asyncpg
import msgspec

from adapters.contract import PayeeMatch
from adapters.errors import ProviderError
from ledger.ids import mint
from ledger.money import Money, exponent_of
from ledger.people import same_person
from reconciliation.deps import Deps
from reconciliation.errors import NotAllowedError, NotFoundError, SamePersonError
from reconciliation.payout_terms import FeeBearer, Proof, Schedule
from reconciliation.store import Record, audits, payees

CONFIRMED_NAME_LENGTH_MAX: Final = 140
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NOT_ANSWERED: Final = "not_answered"
DENIED: Final = frozenset({PayeeMatch.NO.value, PayeeMatch.UNKNOWN_ACCOUNT.value})
"""What a bank says of an account that money must not be led to unless somebody answers for it."""

_CONFIRMATION_WORDS: Final = {
    PayeeMatch.YES.value: "the bank confirms the name",
    PayeeMatch.PARTIAL.value: "the bank has a similar name",
    PayeeMatch.NO.value: "the bank has another name",
    PayeeMatch.UNKNOWN_ACCOUNT.value: "the bank does not know the account",
    NOT_ANSWERED: "the bank could not be asked",
}
_DEPARTMENT: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_IBAN_CHARACTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class PayeeDetails:
    """A department's bank account and payout terms. The name is in English, in the letters banks take."""

    department: str
    currency: str
    legal_name: str
    iban: str
    bic: str | None = None
    purpose: str = "GOS"
    proof: Proof = Proof.SETTLED
    schedule: Schedule = Schedule.DAILY
    weekday: int = 0
    minimum_minor: int = 1
    holdback_minor: int = 0
    fee_bearer: FeeBearer = FeeBearer.TREASURY
    chargebacks_by_treasury: bool = False
    remittance_email: str | None = None
    revenue_code: str = ""
    """The code this account is for; the account without one takes the rest, and its terms are the department's."""


def compact(iban: str) -> str:
    """Return an IBAN as machines write it."""
    return iban.replace(" ", "").upper()


def iban_is_sound(iban: str) -> bool:
    """Say whether an IBAN's check digits prove (ISO 7064, modulo 97)."""
    turned = iban[4:] + iban[:4]
    if not all(character in _IBAN_CHARACTERS for character in turned) or len(turned) < 15:  # noqa: PLR2004 - the shortest
        return False
    return int("".join(str(_IBAN_CHARACTERS.index(character)) for character in turned)) % 97 == 1


async def propose_payee_change(deps: Deps, details: PayeeDetails, *, by: str, reason: str) -> str:
    """Store a proposal and return its id; one may be pending per department and currency."""
    exponent_of(details.currency)
    if not _DEPARTMENT.fullmatch(details.department):
        raise NotAllowedError(f"{details.department!r} is not a department's code")
    iban = compact(details.iban)
    if not iban_is_sound(iban):
        raise NotAllowedError(f"the check digits of IBAN {details.iban} do not prove")
    confirmation, confirmed_name = await _confirmed(deps, iban, details.legal_name)
    now = deps.clock()
    change_id = mint("pc", now, deps.random_bytes)
    async with deps.pool.acquire() as connection, connection.transaction():
        if deps.departments is not None and not await deps.departments.has(connection, details.department):
            raise NotAllowedError(f"there is no department {details.department!r}; the catalogue names them")
        try:
            await payees.insert_change(
                connection, change_id,
                (details.department, details.currency, details.legal_name, iban, details.bic, details.purpose,
                 details.proof.value, details.schedule.value, details.weekday, details.minimum_minor,
                 details.holdback_minor, details.fee_bearer.value, details.chargebacks_by_treasury,
                 details.remittance_email, details.revenue_code),
                reason, by, now, confirmation=confirmation, confirmed_name=confirmed_name,
            )  # fmt: skip
        except asyncpg.UniqueViolationError:
            raise NotAllowedError(f"a change of {details.department} is pending already") from None
        except asyncpg.CheckViolationError as error:
            raise NotAllowedError(f"the bank details do not stand: {error.constraint_name}") from None
        await audits.insert(
            connection, deps, by, "payee_change_proposed", details.department, after=msgspec.json.encode(details)
        )
    return change_id


async def _confirmed(deps: Deps, iban: str, name: str) -> tuple[str | None, str | None]:
    """Ask the payee's bank, before any transaction is open. A bank that is silent stops nobody, and is told."""
    if deps.confirming is None:
        return None, None
    try:
        said = await deps.confirming.confirm_payee(iban, name)
    except ProviderError:
        return NOT_ANSWERED, None
    return said.match.value, said.masked_name[:CONFIRMED_NAME_LENGTH_MAX] or None


async def decide_payee_change(
    deps: Deps, change_id: str, *, by: str, approve: bool, despite_bank: bool = False
) -> None:
    """Approve or refuse a change, as somebody other than its maker.

    Where the bank said that the account is not this payee's, whoever approves it must say that they do so despite it.
    A first registration is in force at once: there is no old account that money could be led away from. An account
    for a revenue code leads money away from the department's own, so that it waits as any other change.
    """
    now = deps.clock()
    async with deps.pool.acquire() as connection, connection.transaction():
        change = await payees.read_change(connection, change_id)
        if change is None:
            raise NotFoundError(f"there is no change {change_id}")
        if change["decision"] is not None:
            raise NotAllowedError(f"change {change_id} is {change['decision']} already")
        if same_person(change["maker"], by):
            raise SamePersonError
        if approve and change["confirmation"] in DENIED and not despite_bank:
            raise NotAllowedError(f"the bank was asked about change {change_id}: {confirmation_words(change)}")
        known = await payees.exists(connection, change["department"], change["currency"])
        wait = timedelta(hours=deps.policy.payee_cooling_off_hours if known else 0)
        decision = "approved" if approve else "refused"
        await payees.decide_change(connection, change_id, by, decision, now, now + wait if approve else None)
        await payees.apply_due(connection, now)
        await audits.insert(connection, deps, by, f"payee_change_{decision}", change["department"])


async def list_payees(deps: Deps) -> list[str]:
    """Say where each department is paid, then which changes wait, a line each."""
    async with deps.pool.acquire() as connection:
        known, waiting = await payees.read_all(connection), await payees.read_waiting(connection)
    lines = [_in_force(row) for row in known]
    for row in waiting:
        state = f"in force from {row['effective_at']:%Y-%m-%d %H:%M} UTC" if row["effective_at"] else "to be approved"
        whose, words = f"{row['department']} {row['revenue_code']}".rstrip(), confirmation_words(row)
        lines.append(
            f"{row['id']}  {whose}  {row['iban']}  by {row['maker']} ({row['reason']}), {state}{words and f'; {words}'}"
        )
    return lines


def confirmation_words(change: Mapping[str, object]) -> str:
    """Say what the payee's bank answered, for whoever decides."""
    words = _CONFIRMATION_WORDS.get(str(change["confirmation"]), "")
    return f"{words} ({change['confirmed_name']})" if words and change["confirmed_name"] else words


def _in_force(row: Record) -> str:
    if row["revenue_code"]:
        return f"{row['department']}  {row['currency']}  {row['iban']}  {row['legal_name']}  code {row['revenue_code']}"
    weekly = row["schedule"] == Schedule.WEEKLY
    terms = [f"weekly on {WEEKDAYS[row['weekday']]}" if weekly else row["schedule"], row["proof"]]
    if row["minimum_minor"] > 1:
        terms.append(f"at least {Money(row['minimum_minor'], row['currency'])}")
    if row["holdback_minor"]:
        terms.append(f"{Money(row['holdback_minor'], row['currency'])} held back")
    terms += ["bears the fees"] if row["fee_bearer"] == FeeBearer.DEPARTMENT else []
    terms += ["treasury bears lost disputes"] if row["chargebacks_by_treasury"] else []
    terms += [f"advice to {row['remittance_email']}"] if row["remittance_email"] else []
    return f"{row['department']}  {row['currency']}  {row['iban']}  {row['legal_name']}  {', '.join(terms)}"
