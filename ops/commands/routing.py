"""`mizan routing` and the switches of `mizan provider`: where payments go, and who is given none for a while."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from gateway.deps import Deps
from gateway.services.catalogue.import_catalogue import read_csv
from gateway.services.providers.drain_provider import count_under_way, drain_provider, resume_provider
from gateway.services.providers.import_routing import COLUMNS, describe, import_routing
from ops.commands.running import runner
from ops.commands.two_people import Person
from ops.wiring import Parts

OpenParts = Callable[[], AbstractAsyncContextManager[Parts]]
Answer = TypeVar("Answer")

_BY = click.option(
    "--by", type=Person(), default="operator", show_default=True, help="Who changes it; kept beside the change."
)


def routing_command(open_parts: OpenParts) -> click.Group:
    """Build `mizan routing` over a way to open everything."""
    run = runner(open_parts)

    @click.group("routing")
    def routing() -> None:
        """Say which provider takes which payments."""

    @routing.command("show")
    def show() -> None:
        """Print the rules in force, as the CSV that `import` takes."""
        run(_show)

    @routing.command("import")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--dry-run", is_flag=True, help="Check the file and change nothing.")
    @_BY
    def take(file: Path, dry_run: bool, by: str) -> None:  # noqa: FBT001 - click passes flags by name
        """Replace the rules by those of a CSV file; nothing changes while one line is wrong."""
        try:
            rows = read_csv(file.read_text("utf-8-sig"))
        except (UnicodeDecodeError, csv.Error) as error:
            raise click.ClickException(f"{file.name} is not a CSV file in UTF-8: {error}") from None
        imported = run(lambda parts: import_routing(parts.gateway, rows, by=by, dry_run=dry_run))
        for fault in imported.faults:
            click.echo(f"line {fault.line}, {fault.field}: {fault.detail}", err=True)
        if imported.faults:
            raise click.ClickException("nothing was changed")
        if dry_run:
            click.echo(f"{len(imported.rules)} rules are good; nothing was changed")
        else:
            click.echo(f"version {imported.version} is in force: {len(imported.rules)} rules")

    return routing


async def _show(parts: Parts) -> None:
    board = await parts.gateway.switchboard.get()
    if board.routing is None:
        click.echo("no rules: each method goes to its providers in the order of the settings", err=True)
    else:
        made = board.routing
        click.echo(f"version {made.version} by {made.made_by} at {made.made_at:%Y-%m-%d %H:%M %Z}", err=True)
    for method, names in parts.gateway.routing.items():
        click.echo(f"otherwise {method.value}: {' > '.join(names)}", err=True)
    click.echo(_csv(describe(board.rules)), nl=False)


def switches(open_parts: OpenParts) -> Sequence[click.Command]:
    """Build `drain` and `resume`."""
    run = runner(open_parts)

    @click.command("drain")
    @click.argument("name")
    @click.option("--until", help="When it is taken up again by itself: 16:30, or 2026-11-23T06:00.")
    @_BY
    def drain(name: str, until: str | None, by: str) -> None:
        """Give a provider no new payments. What it was given is followed to its end."""

        async def go(parts: Parts) -> None:
            _known(parts.gateway, name)
            end = _instant(until, parts.clock(), parts.settings.time_zone) if until else None
            lost = await drain_provider(parts.gateway, name, until=end, by=by)
            under_way = await count_under_way(parts.gateway, name)
            shown = f" until {end.astimezone(parts.settings.time_zone):%Y-%m-%d %H:%M}" if end else ""
            click.echo(f"{name} gets no new payments{shown}; {under_way} are under way and still followed")
            for method in lost:
                click.echo(f"nobody is left for {method.value}: the checkout does not offer it meanwhile", err=True)

        run(go)

    @click.command("resume")
    @click.argument("name")
    @_BY
    def resume(name: str, by: str) -> None:
        """Give a drained provider new payments again."""

        async def go(parts: Parts) -> None:
            _known(parts.gateway, name)
            await resume_provider(parts.gateway, name, by=by)
            click.echo(f"{name} gets new payments again")

        run(go)

    return (drain, resume)


def _known(deps: Deps, name: str) -> None:
    if name not in deps.providers:
        known = ", ".join(deps.providers) or "none"
        raise click.ClickException(f"{name!r} is not a configured provider; there is {known}")


def _instant(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Read an instant as a person types it: an hour is the next such hour here."""
    try:
        if "T" not in text and "-" not in text:
            hour = datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - an hour has no zone; it gets ours
            end = datetime.combine(now.astimezone(zone).date(), hour, zone)
            return end if end > now else end + timedelta(days=1)
        end = datetime.fromisoformat(text)
    except ValueError:
        raise click.ClickException(f"--until expects 16:30 or 2026-11-23T06:00, not {text!r}") from None
    return end if end.tzinfo else end.replace(tzinfo=zone)


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
