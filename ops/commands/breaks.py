"""`mizan finance break`, and how breaks end: each way with the journal it would post, before anybody says yes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click
import msgspec

from ledger.entry import Entry
from ledger.money import Money
from ops.commands.two_people import BY, Decision, add_decision
from reconciliation.break_words import sentence
from reconciliation.breaks import (
    FIRST_STRONG_ISOLATE,
    LEFT_TO_RIGHT_ISOLATE,
    POP_ISOLATE,
    Action,
    BreakType,
    Language,
    action_words,
    title,
)
from reconciliation.deps import Deps
from reconciliation.reports.words import event_words, status_word, word
from reconciliation.resolution_plan import Foreseen, Target
from reconciliation.resolutions import (
    Event,
    PendingResolution,
    comment,
    decide_resolution,
    foresee_break,
    propose_resolution,
    read_break,
    resolutions_to_decide,
)

LANGUAGE = click.option("--language", type=click.Choice([one.value for one in Language]), default="en")


def add_break_commands(finance: click.Group, run: Callable[..., Any]) -> None:
    """Add what shows breaks and what ends them."""
    _breaks(finance, run)
    _resolutions(finance, run)


def _breaks(finance: click.Group, run: Callable[..., Any]) -> None:
    @finance.command("break")
    @click.argument("break_id")
    @LANGUAGE
    def show(break_id: str, language: str) -> None:
        """Show one break: what is wrong, what can be done and what each would post, what was done."""
        found = run(lambda deps: read_break(deps, break_id))
        kind, chosen = BreakType(found.type), Language(language)
        click.echo(
            f"{found.id}  {title(kind, chosen)}  {status_word(found.status, chosen)}"
            f"  {status_word(found.owner, chosen)}  {_as_written(str(found.business_date), chosen)}"
        )
        click.echo(sentence(kind, msgspec.json.decode(found.detail, type=dict[str, str]), chosen))
        if found.item and found.currency:
            click.echo(
                _as_written(
                    f"{found.account} {found.item}: {Money.of_total(found.amount_minor, found.currency)}", chosen
                )
            )
        for number, foreseen in enumerate(run(lambda deps: foresee_break(deps, break_id)), start=1):
            click.echo(f"  {number}. {action_words(foreseen.action, chosen)} ({foreseen.action.value})")
            for line in _consequence(foreseen, chosen):
                click.echo(f"       {line}")
        for one in run(resolutions_to_decide):
            if one.break_id == break_id:
                _show_pending(one, chosen)
        for event in found.history:
            click.echo(f"  {_history(event, chosen)}")

    @finance.command("comment")
    @click.argument("break_id")
    @click.argument("text")
    @BY
    def remark(break_id: str, text: str, by: str) -> None:
        """Add a remark to a break."""
        run(lambda deps: comment(deps, break_id, by=by, text=text))


def _resolutions(finance: click.Group, run: Callable[..., Any]) -> None:
    @finance.command("propose-resolution")
    @click.argument("break_id")
    @click.argument("action", type=click.Choice([action.value for action in Action]))
    @click.option("--reason", required=True)
    @click.option("--account", help="Account of the item that a match by hand clears.")
    @click.option("--item", help="That item.")
    @BY
    def propose(break_id: str, action: str, reason: str, account: str | None, item: str | None, by: str) -> None:
        """Propose how a break ends; somebody else approves it. Prints the proposal; its journal is told beside it."""
        target = Target(account, item) if account and item else None

        async def proposed(deps: Deps) -> tuple[str, PendingResolution]:
            made = await propose_resolution(deps, break_id, Action(action), by=by, reason=reason, target=target)
            return made, next(one for one in await resolutions_to_decide(deps) if one.id == made)

        resolution_id, pending = run(proposed)
        click.echo(resolution_id)
        for line in _journal(pending, Language.ENGLISH):
            click.echo(f"  {line}", err=True)

    @finance.command("resolutions")
    @LANGUAGE
    def waiting(language: str) -> None:
        """List the proposals that wait for a decision, each with the journal that its approval posts."""
        for one in run(resolutions_to_decide):
            click.echo(one.break_id)
            _show_pending(one, Language(language))

    add_decision(finance, run, Decision(
        noun="resolution", decide=decide_resolution, why=("note", False), approving_takes_why=True,
        approve_help="Approve a proposal; its journal, as `resolutions` shows it, is posted with the approval.",
        refuse_help="Refuse a proposal; the break stays open.",
    ))  # fmt: skip


def _show_pending(one: PendingResolution, language: Language) -> None:
    by = word("proposed_by_person", language).format(person=_as_written(one.maker, language))
    click.echo(f"  {one.id}  {action_words(one.action, language)} ({one.action.value}), {by}: {one.reason}")
    for line in _journal(one, language):
        click.echo(f"       {line}")


def _journal(one: PendingResolution, language: Language) -> Iterator[str]:
    return _consequence(Foreseen(one.action, one.entry, one.refused), language)


def _consequence(foreseen: Foreseen, language: Language) -> Iterator[str]:
    """Write the journal an action posts, one line a posting; else why there is none."""
    if foreseen.entry is not None:
        yield from entry_lines(foreseen.entry, language)
    elif foreseen.wants_target:
        yield word("names_a_target", language)
    elif foreseen.refused:
        yield f"{word('not_possible', language)}: {_as_written(foreseen.refused, language)}"
    else:
        yield word("no_journal", language)


def entry_lines(entry: Entry, language: Language) -> Iterator[str]:
    """Write an entry as a bookkeeper would: side, amount, account and item, debits first."""
    for posting in sorted(entry.postings, key=lambda one: one.amount.amount_minor < 0):
        is_debit = posting.amount.amount_minor > 0
        side = word("debit" if is_debit else "credit", language)
        amount = posting.amount if is_debit else -posting.amount
        item = f" {posting.item}" if posting.item else ""
        yield f"{side}  {_as_written(f'{amount}  {posting.account}{item}', language)}"


def _history(event: Event, language: Language) -> str:
    at = _as_written(f"{event.at:%Y-%m-%d %H:%M}", language)
    actor = status_word(event.actor, language)
    said = event_words(event.action, language)
    note = f"{FIRST_STRONG_ISOLATE}{event.note}{POP_ISOLATE}" if language is Language.ARABIC else event.note
    return f"{at} {actor}: {said}{f' {note}' if event.note else ''}"


def _as_written(text: str, language: Language) -> str:
    """Isolate what is written left to right inside an Arabic line."""
    return f"{LEFT_TO_RIGHT_ISOLATE}{text}{POP_ISOLATE}" if language is Language.ARABIC else text
