"""What every second person's decision has in common: a command that approves, one that refuses, and who says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import click

from ledger.errors import PersonError
from ledger.people import person


class Person(click.ParamType[str]):
    """A person's name, written in one way: neither a space nor a capital makes two people of one."""

    name = "person"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return person(str(value))
        except PersonError as error:
            self.fail(str(error), param, ctx)


BY = click.option("--by", required=True, type=Person(), help="Who decides; never the one who proposed it.")


Decides = Callable[..., Awaitable[object]]
"""Decides a proposal by its id, `by` somebody other than its maker, to `approve` it or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One kind of proposal: what its commands are called after, how it is decided, and what they say of themselves.

    `why` is an option of the refusal, by its own name, and whether it must be given; it is handed on under that name.
    Where `approving_takes_why`, an approval may carry it too.
    """

    noun: str
    decide: Decides
    approve_help: str
    refuse_help: str
    approved: str = "{id} is approved"
    why: tuple[str, bool] | None = None
    approving_takes_why: bool = False


def add_decision(group: click.Group, run: Callable[..., Any], decision: Decision) -> None:
    """Add `approve-NOUN` and `refuse-NOUN`, or `approve` and `refuse` where the group itself is the noun."""
    of = f"-{decision.noun}" if decision.noun else ""

    def approve(proposal: str, by: str, **why: str) -> None:
        run(lambda deps: decision.decide(deps, proposal, by=by, approve=True, **why))
        click.echo(decision.approved.format(id=proposal))

    def refuse(proposal: str, by: str, **why: str) -> None:
        run(lambda deps: decision.decide(deps, proposal, by=by, approve=False, **why))
        click.echo(f"{proposal} is refused")

    if decision.why is not None:
        name, required = decision.why
        refuse = click.option(f"--{name}", required=required, default=None if required else "")(refuse)
        if decision.approving_takes_why:
            approve = click.option(f"--{name}", default="")(approve)
    approve = BY(click.argument("proposal", metavar="ID")(approve))
    group.command(f"approve{of}", help=decision.approve_help)(approve)
    refuse = BY(click.argument("proposal", metavar="ID")(refuse))
    group.command(f"refuse{of}", help=decision.refuse_help)(refuse)
