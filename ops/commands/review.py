"""`mizan review`: attempts that a person must look at, and what two people decide about each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeVar

import click

from gateway.services.attempts.reviews import Outcome, decide_review, list_reviews, propose_review
from ops.commands.running import runner
from ops.commands.two_people import BY, Decision, add_decision
from ops.wiring import Parts

OpenParts = Callable[[], AbstractAsyncContextManager[Parts]]
Answer = TypeVar("Answer")
LISTED_MAX: Final = 500


def review_group(open_parts: OpenParts) -> click.Group:
    """Build the commands over a way to open what a process has."""
    run = runner(open_parts)

    @click.group("review")
    def review() -> None:
        """Payments that machines leave alone until two people have decided."""

    @review.command("list")
    def waiting() -> None:
        """List the attempts in review, oldest first."""
        for one in run(lambda parts: list_reviews(parts.gateway, LISTED_MAX)):
            taken = f", taken {one.captured}" if one.captured else ""
            click.echo(
                f"{one.attempt}  {one.intent}  {one.provider} {one.provider_reference or '-'}  {one.review}"
                f"  {one.status}, asked {one.asked}{taken}  since {one.since:%Y-%m-%d %H:%M} UTC"
            )
            if one.proposal:
                click.echo(f"  {one.proposal}: {one.outcome}, proposed by {one.proposed_by}")

    @review.command("propose")
    @click.argument("attempt")
    @click.argument("outcome", type=click.Choice([one.value for one in Outcome]))
    @click.option("--reason", required=True)
    @BY
    def propose(attempt: str, outcome: str, reason: str, by: str) -> None:
        """Propose to ask the provider again, to give back what was taken, or to close the matter."""
        click.echo(run(lambda parts: propose_review(parts.gateway, attempt, Outcome(outcome), by=by, reason=reason)))

    add_decision(review, run, Decision(
        noun="",
        decide=lambda parts, proposal, *, by, approve: decide_review(parts.gateway, proposal, by=by, approve=approve),
        approve_help="Agree to what is proposed; it takes effect at once.",
        refuse_help="Refuse it; the attempt stays in review.",
    ))  # fmt: skip
    return review
