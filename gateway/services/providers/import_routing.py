"""The routing table from a file, one rule a line: every bad line is reported, and nothing is taken while there is one.

The last column, `providers`, is the choice: `first:90 second:10 > third` sends nine payments in ten to the first,
and to the third when neither of the two can take one. `none` means that the method is not offered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.contract import Method
from gateway.deps import Deps
from gateway.domain.errors import InvalidError, TransitionError
from gateway.domain.routing import Rule, Share
from gateway.services.catalogue.catalogue_rows import LineFault, line_of
from gateway.store import switchboard
from gateway.store.catalogue import Catalogue
from ledger.errors import MoneyError
from ledger.money import Money, exponent_of

COLUMNS: Final = (
    "method", "department", "service", "currency", "amount_from", "amount_to", "scheme", "language", "providers",
)  # fmt: skip
RULES_MAX: Final = 1_000
_WEIGHT_MAX: Final = 1_000_000
_SHARE: Final = re.compile(r"([a-z0-9_]{1,63})(?::(\d{1,7}))?")
_SCHEME: Final = re.compile(r"[A-Z0-9_ -]{1,40}")
_LANGUAGES: Final = ("ar", "en")
_NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class ImportedRouting:
    """What was put in force, or would have been, and what stands in the way."""

    rules: tuple[Rule, ...]
    version: int | None = None
    faults: tuple[LineFault, ...] = ()


async def import_routing(
    deps: Deps, rows: Iterable[Mapping[str, Any]], *, by: str, dry_run: bool = False
) -> ImportedRouting:
    """Replace the whole routing table by the rows of a file, as a new version; an empty file clears it."""
    catalogue = await deps.catalogue.get()
    rules: list[Rule] = []
    faults: list[LineFault] = []
    for place, row in enumerate(rows, 1):
        number = line_of(row, place)
        if place > RULES_MAX:
            faults.append(LineFault("routing", number, "providers", f"a routing table has at most {RULES_MAX} rules"))
            break
        try:
            rule = read_rule(row)
            _check_known(deps, catalogue, rule)
        except InvalidError as error:
            faults += [LineFault("routing", number, fault.pointer, fault.detail) for fault in error.faults]
            continue
        if any(_covers(earlier, rule) for earlier in rules):
            faults.append(LineFault("routing", number, "method", "an earlier line already decides all it would"))
        rules.append(rule)
    if faults or dry_run:
        return ImportedRouting(tuple(rules), None, tuple(faults))
    async with deps.transaction() as connection:
        latest = await switchboard.latest_routing(connection)
        version = latest.version + 1 if latest else 1
        if not await switchboard.add_routing(connection, version, rules, by, deps.clock()):
            raise TransitionError("somebody else has just changed the routing; look at it and try again")
    deps.switchboard.forget()
    return ImportedRouting(tuple(rules), version)


def read_rule(row: Mapping[str, Any]) -> Rule:
    """Read one line; `InvalidError` names the column and what it expects."""
    if unknown := sorted(set(row) - set(COLUMNS), key=str):
        raise InvalidError(f"the columns are {', '.join(COLUMNS)}", pointer=str(unknown[0]))
    currency = _word(row, "currency")
    if currency is not None:
        try:
            exponent_of(currency)
        except MoneyError as error:
            raise InvalidError(str(error), pointer="currency") from None
    least, most = _amount(row, "amount_from", currency), _amount(row, "amount_to", currency)
    if least is not None and most is not None and least > most:
        raise InvalidError("is below amount_from", pointer="amount_to")
    scheme = _word(row, "scheme")
    if scheme is not None and not _SCHEME.fullmatch(scheme := scheme.upper()):
        raise InvalidError("a card scheme such as VISA or MASTERCARD", pointer="scheme")
    language = _word(row, "language")
    if language is not None and language not in _LANGUAGES:
        raise InvalidError(f"{' or '.join(_LANGUAGES)}", pointer="language")
    return Rule(
        method=_method(row),
        tiers=_tiers(_word(row, "providers") or ""),
        department=_word(row, "department"),
        service=_word(row, "service"),
        currency=currency,
        amount_minor_min=least,
        amount_minor_max=most,
        scheme=scheme,
        language=language,
    )


def write_rule(rule: Rule) -> dict[str, str]:
    """Return a rule as the line that reads as it."""

    def amount(minor: int | None) -> str:
        return Money(minor, rule.currency).decimal() if minor is not None and rule.currency else ""

    tiers = " > ".join(" ".join(f"{share.provider}:{share.weight}" for share in tier) for tier in rule.tiers)
    return {
        "method": rule.method.value,
        "department": rule.department or "",
        "service": rule.service or "",
        "currency": rule.currency or "",
        "amount_from": amount(rule.amount_minor_min),
        "amount_to": amount(rule.amount_minor_max),
        "scheme": rule.scheme or "",
        "language": rule.language or "",
        "providers": tiers or _NONE,
    }


def _check_known(deps: Deps, catalogue: Catalogue, rule: Rule) -> None:
    if rule.department is not None and rule.department not in catalogue.departments:
        raise InvalidError(f"there is no department {rule.department}", pointer="department")
    if rule.service is not None and rule.service not in catalogue.services:
        raise InvalidError(f"there is no service {rule.service}", pointer="service")
    offering = deps.routing.get(rule.method, ())
    for share in (share for tier in rule.tiers for share in tier):
        if share.provider not in offering:
            known = ", ".join(offering) or "none"
            raise InvalidError(
                f"{share.provider} is not configured for {rule.method.value}; there is {known}", pointer="providers"
            )


def _covers(earlier: Rule, later: Rule) -> bool:
    """Tell whether every payment the later rule fits is decided by the earlier one."""
    same = ("department", "service", "currency", "scheme", "language")
    if earlier.method is not later.method:
        return False
    if any(getattr(earlier, name) not in (None, getattr(later, name)) for name in same):
        return False
    least, most = earlier.amount_minor_min, earlier.amount_minor_max
    return (least is None or (later.amount_minor_min is not None and later.amount_minor_min >= least)) and (
        most is None or (later.amount_minor_max is not None and later.amount_minor_max <= most)
    )


def _method(row: Mapping[str, Any]) -> Method:
    """Read a method that providers offer; what is taken at a counter is routed to nobody."""
    routed = {method.value: method for method in Method if method not in (Method.CASH, Method.CARD_TERMINAL)}
    method = routed.get(_word(row, "method") or "")
    if method is None:
        raise InvalidError(f"one of {', '.join(routed)}", pointer="method")
    return method


def _tiers(text: str) -> tuple[tuple[Share, ...], ...]:
    if text == _NONE:
        return ()
    return tuple(_tier(part) for part in text.split(">"))


def _tier(text: str) -> tuple[Share, ...]:
    shares: list[Share] = []
    for word in text.split():
        match = _SHARE.fullmatch(word)
        weight = int(match[2] or 1) if match else 0
        if match is None or weight > _WEIGHT_MAX:
            raise InvalidError(f"{word!r} is not a provider with its weight, such as first:90", pointer="providers")
        shares.append(Share(match[1], weight))
    if not shares or len({share.provider for share in shares}) < len(shares):
        raise InvalidError("name each choice once, such as first:90 second:10 > third, or none", pointer="providers")
    return tuple(shares)


def _amount(row: Mapping[str, Any], field: str, currency: str | None) -> int | None:
    text = _word(row, field)
    if text is None:
        return None
    if currency is None:
        raise InvalidError("needs a currency on the same line", pointer=field)
    try:
        amount = Money.parse(text, currency)
    except MoneyError as error:
        raise InvalidError(str(error), pointer=field) from None
    if amount.amount_minor < 0:
        raise InvalidError("an amount is not negative", pointer=field)
    return amount.amount_minor


def _word(row: Mapping[str, Any], field: str) -> str | None:
    value = row.get(field)
    if value is not None and not isinstance(value, str):
        raise InvalidError("is not text", pointer=field)
    return (value or "").strip() or None


def describe(rules: Sequence[Rule]) -> list[dict[str, str]]:
    return [write_rule(rule) for rule in rules]
