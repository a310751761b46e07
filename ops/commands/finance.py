"""`mizan finance`: what finance decides by day: payouts, bank details, breaks. Each decision names who makes it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Any, TypeVar

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ops.commands.breaks import add_break_commands
from ops.commands.contract import add_contract_commands, add_holiday_commands
from ops.commands.day import add_day_commands
from ops.commands.follow import add_follow_command
from ops.commands.journal import add_journal_commands
from ops.commands.match import add_match_commands
from ops.commands.running import runner
from ops.commands.two_people import BY, Decision, add_decision
from reconciliation.deps import Deps
from reconciliation.payee_changes import describe_change, details_with
from reconciliation.payees import WEEKDAYS, decide_payee_change, list_payees, propose_payee_change
from reconciliation.payout_decisions import decide_payout, payouts_to_decide
from reconciliation.payout_terms import FeeBearer, Proof, Schedule

OpenDeps = Callable[[], AbstractAsyncContextManager[Deps]]
Answer = TypeVar("Answer")


def _one_of(kind: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([one.value for one in kind])


def finance_command(open_deps: OpenDeps, signing_key: Callable[[], Ed25519PrivateKey]) -> click.Group:
    """Build the commands over a way to open the night's dependencies, and the key that seals days."""
    run = runner(open_deps)

    @click.group("finance")
    def finance() -> None:
        """Decide payouts, bank details, breaks and the close of a day, always two people."""

    _payouts(finance, run)
    _payees(finance, run)
    add_break_commands(finance, run)
    add_follow_command(finance, run)
    add_contract_commands(finance, run)
    add_holiday_commands(finance, run)
    add_day_commands(finance, run, signing_key)
    add_match_commands(finance, run)
    add_journal_commands(finance, run)
    return finance


def _payouts(finance: click.Group, run: Callable[..., Any]) -> None:
    @finance.command("payouts")
    def payouts() -> None:
        """List the payouts that wait for approval."""
        for one in run(payouts_to_decide):
            click.echo(f"{one.batch_id}  {one.business_date}  {one.lines} lines  {one.total}  made by {one.maker}")

    add_decision(finance, run, Decision(
        noun="payout", decide=decide_payout, why=("reason", True),
        approve_help="Approve a payout; it leaves with the next payouts step.",
        refuse_help="Refuse a payout; the next payouts step computes it anew.",
        approved="{id} is approved; `mizan nightly --step payouts` sends it now, the next night otherwise",
    ))  # fmt: skip


def _payees(finance: click.Group, run: Callable[..., Any]) -> None:
    @finance.command("payees")
    def payees() -> None:
        """List where each department is paid, and changes under way."""
        for line in run(list_payees):
            click.echo(line)

    @finance.command("propose-payee")
    @click.argument("department")
    @click.option("--currency", default="AED", show_default=True)
    @click.option("--name", "legal_name", help="Legal name in English, in the letters banks take.")
    @click.option("--iban")
    @click.option("--bic", help="Of the IBAN; empty for none.")
    @click.option("--purpose", help="The central bank's purpose code; GOS at first.")
    @click.option("--proof", type=_one_of(Proof), help="How far a payment is proven before it is paid on.")
    @click.option("--schedule", type=_one_of(Schedule), help="When the department is paid; daily at first.")
    @click.option(
        "--weekday", type=click.Choice(WEEKDAYS, case_sensitive=False), help="Business day of a weekly payout."
    )
    @click.option("--minimum-minor", type=click.IntRange(min=1), help="Less than this waits.")
    @click.option("--holdback-minor", type=click.IntRange(min=0), help="So much always stays.")
    @click.option("--fee-bearer", type=_one_of(FeeBearer), help="Who bears providers' fees; the treasury at first.")
    @click.option(
        "--chargebacks-by-treasury/--chargebacks-by-department", default=None, help="Who bears lost disputes."
    )
    @click.option("--remittance-email", help="Where the advice of each payout is sent; empty for nowhere.")
    @click.option("--revenue-code", default="", help="The one revenue code this account is for.")
    @click.option("--reason", required=True)
    @BY
    def propose(
        department: str, currency: str, revenue_code: str, weekday: str | None, reason: str, by: str, **options: Any
    ) -> None:
        """Propose a department's bank details and terms; what is not given stays. Somebody else approves them."""
        given = {name: value for name, value in options.items() if value is not None}
        if weekday is not None:
            given["weekday"] = WEEKDAYS.index(weekday.title())

        async def work(deps: Deps) -> str:
            details = await details_with(deps, department, currency, revenue_code, given)
            return await propose_payee_change(deps, details, by=by, reason=reason)

        click.echo(run(work))

    @finance.command("payee-change")
    @click.argument("change_id")
    def change(change_id: str) -> None:
        """Show what a proposed change would make of what stands, field by field, and why."""
        for line in run(lambda deps: describe_change(deps, change_id)):
            click.echo(line)

    @finance.command("approve-payee")
    @click.argument("change_id")
    @click.option("--despite-bank", is_flag=True, help="Answer for an account that its bank does not confirm.")
    @BY
    def approve(change_id: str, by: str, despite_bank: bool) -> None:  # noqa: FBT001 - click passes flags by name
        """Approve bank details; a change takes effect after the cooling-off time."""
        run(lambda deps: decide_payee_change(deps, change_id, by=by, approve=True, despite_bank=despite_bank))
        click.echo(f"{change_id} is approved")

    @finance.command("refuse-payee")
    @click.argument("change_id")
    @BY
    def refuse(change_id: str, by: str) -> None:
        """Refuse bank details."""
        run(lambda deps: decide_payee_change(deps, change_id, by=by, approve=False))
        click.echo(f"{change_id} is refused")
