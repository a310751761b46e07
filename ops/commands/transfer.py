"""`mizan transfer`: credits nobody could name, the bills they may be for, and giving one to a bill by two people."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import click

from gateway.services.attempts.assign_transfer import Suggestion, decide_transfer, propose_transfer, suggest_bills
from ops.commands.running import runner
from ops.commands.two_people import Decision, Person, add_decision
from ops.wiring import Parts
from reconciliation.unnamed_credits import unnamed_credits

OpenParts = Callable[[], AbstractAsyncContextManager[Parts]]


def transfer_group(open_parts: OpenParts) -> click.Group:
    """Build the commands over a way to open what a process has."""

    @click.group("transfer")
    def transfer() -> None:
        """Transfers that name no bill: what they may be for, and giving them to one by two people."""

    run = runner(open_parts)

    @transfer.command("unnamed")
    def unnamed() -> None:
        """List the credits in suspense, each with the bills it may be for."""
        for line in run(_unnamed):
            click.echo(line)

    @transfer.command("propose")
    @click.argument("credit")
    @click.argument("attempt")
    @click.option("--reason", required=True, help="Why this credit pays this bill.")
    @click.option("--by", "person", type=Person(), required=True, help="Who proposes it.")
    def propose(credit: str, attempt: str, reason: str, person: str) -> None:
        """Propose that CREDIT (as `unnamed` lists it) pays the bill of ATTEMPT."""
        proposal = run(lambda parts: _propose(parts, credit, attempt, person, reason))
        click.echo(f"proposed as {proposal}; another person decides it")

    add_decision(transfer, run, Decision(
        noun="", decide=_decide, approve_help="Let the proposed credit pay its bill.",
        refuse_help="Leave the credit where it is.",
    ))  # fmt: skip
    return transfer


async def _propose(parts: Parts, credit: str, attempt: str, person: str, reason: str) -> str:
    async with parts.pool.acquire() as connection:
        found = await unnamed_credits(connection, credit)
    if not found:
        raise click.ClickException(f"no credit {credit} waits for a name")
    return await propose_transfer(parts.gateway, attempt, credit, found[0].amount, by=person, reason=reason)


async def _decide(parts: Parts, proposal: str, *, by: str, approve: bool) -> None:
    await decide_transfer(parts.gateway, proposal, by=by, approve=approve)


async def _unnamed(parts: Parts) -> list[str]:
    lines = []
    async with parts.pool.acquire() as connection:
        waiting = await unnamed_credits(connection)
    for one in waiting:
        lines.append(f"{one.item:<8} {one.booked_on}  {one.amount}  {one.payer}  {one.text[:80]}")
        found = await suggest_bills(parts.gateway, one.amount, f"{one.text} {one.payer}")
        lines += [f"         perhaps {_words(each)}" for each in found]
    return lines or ["No credit waits for a name."]


def _words(one: Suggestion) -> str:
    why = ["the same amount"] if one.same_amount else [f"asks for {one.amount}"]
    if one.wrong_marks is not None:
        why.append(f"{one.wrong_marks} marks of its reference differ")
    return f"{one.attempt}  {one.bill}  ({', '.join(why)})"
