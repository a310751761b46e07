"""`mizan finance contract` and `mizan finance holiday`: what is agreed with providers, and which days are worked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from ops.commands.two_people import BY, Decision, add_decision
from reconciliation.contracts import decide_contract, list_contracts, propose_contract
from reconciliation.holidays import list_holidays, remove_holiday, set_holiday

_DAYS = click.IntRange(0, 90)
_BASIS_POINTS = click.IntRange(0, 10_000)
_DAY = click.DateTime(["%Y-%m-%d"])


def add_contract_commands(finance: click.Group, run: Callable[..., Any]) -> None:
    @finance.group("contract")
    def contract() -> None:
        """Say what is agreed with each provider: when its files and money are due, what it may keep."""

    @contract.command("list")
    def show() -> None:
        """List every version with the day it begins, then what waits and would change."""
        for line in run(list_contracts):
            click.echo(line)

    @contract.command("propose")
    @click.argument("provider")
    @click.option("--from", "begins", type=_DAY, required=True, help="First business date it holds for.")
    @click.option("--file-days", type=_DAYS, help="Working days until the file of a day is due.")
    @click.option("--settlement-days", type=_DAYS, help="Working days until a payment is in a file.")
    @click.option("--credit-days", type=_DAYS, help="Working days from a file's day to its money at our bank.")
    @click.option("--fee-basis-points", type=_BASIS_POINTS, help="The fee as a share: 120 is 1.2 %.")
    @click.option("--no-fee", is_flag=True, help="No fee is agreed any more, and none is held against the files.")
    @click.option("--fee-fixed-minor", type=click.IntRange(min=0), help="And what is kept of every payment.")
    @click.option("--fee-vat-basis-points", type=_BASIS_POINTS, help="VAT on the fee.")
    @click.option("--fee-tolerance-minor", type=click.IntRange(min=0), help="How much a fee may be off by rounding.")
    @click.option("--tolerance-above-minor", type=click.IntRange(min=0), help="So much more settled is rounding.")
    @click.option("--tolerance-below-minor", type=click.IntRange(min=0), help="So much less settled is rounding.")
    @click.option("--tolerance-above-basis-points", type=_BASIS_POINTS, help="The same as a share; the wider counts.")
    @click.option("--tolerance-below-basis-points", type=_BASIS_POINTS, help="The same as a share; the wider counts.")
    @click.option("--settles", type=click.Choice(["net", "gross"]), help="Less its fees, or whole and billed apart.")
    @click.option("--currency", help="Of the fixed amounts.")
    @click.option("--reason", required=True)
    @BY
    def propose(provider: str, begins: datetime, no_fee: bool, reason: str, by: str, **options: Any) -> None:  # noqa: FBT001 - click passes flags by name
        """Propose a version of a provider's contract; what is not given stays. Somebody else approves it."""
        changes = {name: value for name, value in options.items() if value is not None}
        if no_fee:
            changes |= {"fee_basis_points": None, "fee_fixed_minor": 0}
        click.echo(
            run(lambda deps: propose_contract(deps, provider, begins.date(), changes, by=by, reason=reason))
        )  # fmt: skip

    add_decision(contract, run, Decision(
        noun="", decide=decide_contract,
        approve_help="Approve a version; the nights of its days go by it.",
        refuse_help="Refuse a version; what is in force stays.",
    ))  # fmt: skip


def add_holiday_commands(finance: click.Group, run: Callable[..., Any]) -> None:
    @finance.group("holiday")
    def holiday() -> None:
        """Say which days are not worked, or worked after all; the calendar package knows the usual ones."""

    @holiday.command("list")
    def show() -> None:
        """List the days that are set."""
        for line in run(list_holidays):
            click.echo(line)

    @holiday.command("add")
    @click.argument("day", type=_DAY)
    @click.option("--worked", is_flag=True, help="The day is worked, though the calendar says otherwise.")
    @click.option("--provider", default="", help="Only this provider keeps it; everybody does by default.")
    @click.option("--name-en", default="")
    @click.option("--name-ar", default="")
    @click.option("--by", required=True, help="Who says so; kept in the audit trail.")
    def add(day: datetime, worked: bool, provider: str, name_en: str, name_ar: str, by: str) -> None:  # noqa: FBT001 - click passes flags by name
        """Set a day; the next night goes by it."""
        names = (name_en, name_ar)
        run(lambda deps: set_holiday(deps, day.date(), worked=worked, provider=provider, names=names, by=by))
        click.echo(f"{day:%Y-%m-%d} is {'worked' if worked else 'not worked'} for {provider or 'everybody'}")

    @holiday.command("remove")
    @click.argument("day", type=_DAY)
    @click.option("--provider", default="")
    @click.option("--by", required=True, help="Who says so; kept in the audit trail.")
    def remove(day: datetime, provider: str, by: str) -> None:
        """Leave a day to the calendar again."""
        run(lambda deps: remove_holiday(deps, day.date(), provider=provider, by=by))
        click.echo(f"{day:%Y-%m-%d} is as the calendar says for {provider or 'everybody'}")
