"""`mizan finance match`: why a line was matched to what it was, and undoing it, always two people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ops.commands.two_people import BY, Decision, add_decision
from reconciliation.breaks import Language
from reconciliation.matching import Leg
from reconciliation.unmatch import decide_unmatch, propose_unmatch, read_match, unmatches_to_decide

_LEG = click.argument("leg", type=click.Choice([leg.value for leg in Leg]))
_FILE = click.argument("file_no", type=click.IntRange(min=1))
_LINE = click.argument("line", type=click.IntRange(min=1))


def add_match_commands(finance: click.Group, run: Callable[..., Any]) -> None:
    """Add what explains and undoes matches. A line is named by its leg, its file's number and its own."""

    @finance.command("match")
    @_LEG
    @_FILE
    @_LINE
    @click.option("--language", type=click.Choice([one.value for one in Language]), default="en")
    def show(leg: str, file_no: int, line: int, language: str) -> None:
        """Explain the match of a settlement line (provider) or statement entry (bank)."""
        for found in run(lambda deps: read_match(deps, Leg(leg), file_no, line)):
            click.echo(f"{found.version}. {found.outcome}  {found.account} {found.item or ''}".rstrip())
            if found.rule is not None:
                click.echo(f"   {found.sentence(Language(language))}")
                click.echo(
                    f"   rule {found.rule}, by {' and '.join(found.keys)}; score {found.score}; "
                    f"expected {found.expected}, variance {found.variance}"
                )
            if found.undone is not None:
                click.echo(f"   undone by {found.undone}")

    @finance.command("unmatches")
    def waiting() -> None:
        """List the proposals to undo a match that wait for a decision."""
        for one in run(unmatches_to_decide):
            click.echo(one)

    @finance.command("propose-unmatch")
    @_LEG
    @_FILE
    @_LINE
    @click.option("--reason", required=True)
    @BY
    def propose(leg: str, file_no: int, line: int, reason: str, by: str) -> None:
        """Propose to undo a match; somebody else approves it."""
        click.echo(run(lambda deps: propose_unmatch(deps, Leg(leg), file_no, line, by=by, reason=reason)))

    add_decision(finance, run, Decision(
        noun="unmatch", decide=decide_unmatch,
        approve_help="Approve it: a journal reverses the match, and the line is somebody's work again.",
        refuse_help="Refuse it; the match stands.",
    ))  # fmt: skip
