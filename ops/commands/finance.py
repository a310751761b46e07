"""`mizan finance`: what finance decides by day: payouts, bank details, breaks. Each decision names who makes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import fields
from typing import Any, TypeVar

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.errors import LedgerError
from ops.commands.breaks import add_break_commands
from ops.commands.day import add_day_commands
from ops.commands.follow import add_follow_command
from ops.commands.journal import add_journal_commands
from ops.commands.match import add_match_commands
from ops.commands.two_people import BY, Decision, add_decision
from reconciliation.deps import Deps
from reconciliation.errors import ReconciliationError
from reconciliation.payees import PayeeDetails, decide_payee_change, list_payees, propose_payee_change
from reconciliation.payout_decisions import decide_payout, payouts_to_decide
from reconciliation.payout_terms import FeeBearer

OpenDeps = Callable[[], AbstractAsyncContextManager[Deps]]
Answer = TypeVar("Answer")


def runner(open_deps: OpenDeps) -> Callable[..., Any]:
    """Return what does a piece of work with the night's dependencies, and tells a refusal as the command line does."""

    def run(work: Callable[[Deps], Awaitable[Answer]]) -> Answer:
        async def opened() -> Answer:
            async with open_deps() as deps:
                return await work(deps)

        try:
            return asyncio.run(opened())
        except (ReconciliationError, LedgerError) as error:
            raise click.ClickException(str(error)) from None

    return run


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
    @click.option("--name", "legal_name", required=True, help="Legal name in English, in the letters banks take.")
    @click.option("--iban", required=True)
    @click.option("--bic")
    @click.option("--purpose", default="GOS", show_default=True, help="The central bank's purpose code.")
    @click.option("--minimum-minor", type=click.IntRange(min=1), default=1, show_default=True)
    @click.option("--holdback-minor", type=click.IntRange(min=0), default=0, show_default=True)
    @click.option("--fee-bearer", type=click.Choice([one.value for one in FeeBearer]), default="treasury")
    @click.option("--chargebacks-by-treasury", is_flag=True, help="The treasury bears lost disputes.")
    @click.option("--remittance-email", help="Where the advice of each payout is sent.")
    @click.option("--revenue-code", default="", help="The one revenue code this account is for.")
    @click.option("--reason", required=True)
    @BY
    def propose(reason: str, by: str, fee_bearer: str, **details: Any) -> None:
        """Propose a department's bank details; somebody else approves them."""
        known = {one.name for one in fields(PayeeDetails)}
        given = {name: value for name, value in details.items() if name in known}
        payee = PayeeDetails(**given, fee_bearer=FeeBearer(fee_bearer))
        click.echo(run(lambda deps: propose_payee_change(deps, payee, by=by, reason=reason)))

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
