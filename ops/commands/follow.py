"""`mizan finance follow`: from a payment to its bank lines, and from a payout line to its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from reconciliation.breaks import LEFT_TO_RIGHT_ISOLATE, POP_ISOLATE, Language
from reconciliation.follow import follow


def add_follow_command(finance: click.Group, run: Callable[..., Any]) -> None:
    """Add the command."""

    @finance.command("follow")
    @click.argument("asked", metavar="PAYMENT|ATTEMPT|PAYOUT-LINE")
    @click.option("--language", type=click.Choice([one.value for one in Language]), default="en")
    def show(asked: str, language: str) -> None:
        """Follow a payment: its journals, settlement file and line, batch, bank lines and payouts; or a payout line."""
        chosen = Language(language)
        for step in run(lambda deps: follow(deps, asked, chosen)):
            evidence = step.evidence
            if chosen is Language.ARABIC and evidence:
                evidence = f"{LEFT_TO_RIGHT_ISOLATE}{evidence}{POP_ISOLATE}"
            said = [one for one in (step.label, step.words, evidence) if one]
            click.echo(f"{'    ' * step.depth}{'  '.join(said)}")
