"""The books in the words of beancount and of hledger, which then check them for us."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from ledger.money import EXPONENTS, Money

_ROOTS: Final = {"asset": "Assets", "liability": "Liabilities", "income": "Income", "expense": "Expenses"}
_LETTERS: Final = {"asset": "A", "liability": "L", "income": "R", "expense": "X"}
_SOURCE: Final = ("payment", "provider", "provider_reference", "file", "line", "corrects", "late_for", "description")


class Beancount:
    """One beancount file: open directives, transactions, balance assertions."""

    def __init__(self, accounts: Mapping[int, Any]) -> None:
        self._accounts = accounts
        taken: dict[str, str] = {}
        self._names: dict[int, str] = {}
        for number, account in accounts.items():
            parts = account["path"].replace("_", "-").split(":")
            name = ":".join([_ROOTS[account["type"]], *(part[0].upper() + part[1:] for part in parts)])
            # Two of our paths that differ only in - and _ must not become one of beancount's.
            if taken.setdefault(name, account["path"]) != account["path"]:
                name = f"{name}-{number}"
                taken[name] = account["path"]
            self._names[number] = name

    @staticmethod
    def _text(value: object) -> str:
        return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'

    def opening(self) -> str:
        currencies: dict[str, list[str]] = {}
        paths: dict[str, str] = {}
        for number, account in self._accounts.items():
            currencies.setdefault(self._names[number], []).append(account["currency"])
            paths[self._names[number]] = account["path"]
        used = sorted({account["currency"] for account in self._accounts.values()})
        options = [f'option "operating_currency" "{currency}"\n' for currency in used]
        opens = [
            f"1970-01-01 open {name} {','.join(sorted(currencies[name]))}\n  path: {self._text(path)}\n"
            for name, path in paths.items()
        ]
        return "".join(['option "title" "Mizan"\n', *options, "\n", *opens])

    def transaction(self, journal: Any, postings: Iterable[Any]) -> str:
        lines = [
            f"\n{journal['business_date']} * {self._text(journal['kind'])} {self._text(journal['reference'])}",
            f"  journal: {journal['id']}",
            f"  effective-at: {self._text(journal['effective_at'].isoformat())}",
        ]
        lines += [
            f"  {name.replace('_', '-')}: {self._text(journal[name])}"
            for name in _SOURCE
            if journal[name] not in (None, "")
        ]
        for posting in postings:
            amount = Money.of_total(posting["amount_minor"], posting["currency"]).decimal()
            lines.append(f"  {self._names[posting['account_id']]}  {amount} {posting['currency']}")
            if posting["item"] is not None:
                lines.append(f"    item: {self._text(posting['item'])}")
        return "\n".join(lines) + "\n"

    def closing(self, day: date, sums: Mapping[int, int]) -> str:
        lines = ["\n"]
        for number, minor in sorted(sums.items()):
            currency = self._accounts[number]["currency"]
            lines.append(
                f"{day} balance {self._names[number]}  {Money.of_total(minor, currency).decimal()} ~ 0 {currency}\n"
            )
        return "".join(lines)


class Hledger:
    """One hledger journal: commodity and account directives, transactions, balance assertions."""

    def __init__(self, accounts: Mapping[int, Any]) -> None:
        self._accounts = accounts

    def opening(self) -> str:
        used = sorted({account["currency"] for account in self._accounts.values()})
        types = {account["path"]: _LETTERS[account["type"]] for account in self._accounts.values()}
        commodities = [f"commodity {_hledger_sample(currency)}\n" for currency in used]
        return "".join([*commodities, "\n", *(f"account {path}  ; type: {letter}\n" for path, letter in types.items())])

    def transaction(self, journal: Any, postings: Iterable[Any]) -> str:
        lines = [f"\n{journal['business_date']} * ({journal['id']}) {journal['kind'].replace(';', ',')}"]
        lines.append(f"    ; reference: {journal['reference']}")
        lines += [f"    ; {name}: {journal[name]}" for name in _SOURCE if journal[name] not in (None, "")]
        for posting in postings:
            amount = Money.of_total(posting["amount_minor"], posting["currency"]).decimal()
            item = f"  ; item: {posting['item']}" if posting["item"] is not None else ""
            path = self._accounts[posting["account_id"]]["path"]
            lines.append(f"    {path}  {posting['currency']} {amount}{item}")
        return "\n".join(lines) + "\n"

    def closing(self, day: date, sums: Mapping[int, int]) -> str:
        lines = [f"\n{day} balances asserted\n"]
        for number, minor in sorted(sums.items()):
            account = self._accounts[number]
            currency = account["currency"]
            zero, amount = Money(0, currency).decimal(), Money.of_total(minor, currency).decimal()
            lines.append(f"    {account['path']}  {currency} {zero} = {currency} {amount}\n")
        return "".join(lines)


def _hledger_sample(currency: str) -> str:
    """Return an amount that shows hledger how many decimals a currency has; the decimal mark is required."""
    return f"{currency} 1000.{'0' * EXPONENTS[currency]}"
