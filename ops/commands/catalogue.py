"""`mizan catalogue` and `mizan tariff`: what may be paid for, and what it costs, always by two people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import msgspec

from gateway.deps import Deps
from gateway.domain.errors import GatewayError
from gateway.domain.tariff_terms import terms_document
from gateway.services.catalogue.catalogue_rows import LineFault, read_csv, read_json
from gateway.services.catalogue.change_tariffs import Proposal, decide_tariffs, list_undecided, tariff_history
from gateway.services.catalogue.export_catalogue import as_csv, as_json, export_catalogue
from gateway.services.catalogue.import_catalogue import import_catalogue
from gateway.services.catalogue.tariff_rows import propose_rows
from ops.commands.running import plainly, runner
from ops.commands.two_people import Person

OpenDeps = Callable[[], AbstractAsyncContextManager[Deps]]
Run = Callable[[Callable[[Deps], Awaitable[Any]]], Any]
Answer = TypeVar("Answer")

_SHOWN_MAX: Final = 10_000
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_BY: Final = click.option(
    "--by", type=Person(), required=True, help="Who does this; whoever approves is never who proposed."
)
_DRY: Final = click.option("--dry-run", is_flag=True, help="Report every bad line and change nothing.")


def _by_field(error: Exception) -> str:
    """Name every field that is wrong."""
    faults = error.faults if isinstance(error, GatewayError) else ()
    return "\n".join(f"{fault.pointer}: {fault.detail}" for fault in faults) or plainly(error)


def read_table(path: Path | None) -> list[dict[str, Any]]:
    """Read a table out of a file, by its name's ending."""
    if path is None:
        return []
    try:
        return read_json(path.read_bytes()) if path.suffix == ".json" else read_csv(path.read_text("utf-8-sig"))
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise click.ClickException(f"{path}: {error}") from None


def _report(faults: Sequence[LineFault]) -> None:
    """Say what is wrong, line by line, and end there."""
    if not faults:
        return
    for fault in faults:
        click.echo(f"{fault.table} line {fault.line}, {fault.field}: {fault.detail}", err=True)
    raise click.ClickException(f"{len(faults)} faults; nothing was changed")


def catalogue_command(open_deps: OpenDeps) -> click.Group:
    """Build the commands over a way to open the gateway's dependencies."""
    run = runner(open_deps, _by_field)

    @click.group("catalogue")
    def catalogue() -> None:
        """Import and export departments, services and bundles, as CSV or JSON."""

    @catalogue.command("import")
    @click.option("--departments", type=_FILE, help="A .csv or .json file; the same for the others.")
    @click.option("--services", type=_FILE)
    @click.option("--bundles", type=_FILE)
    @_DRY
    def import_(departments: Path | None, services: Path | None, bundles: Path | None, *, dry_run: bool) -> None:
        """Import files, all or nothing. What they do not name stays as it is."""
        tables = [read_table(path) for path in (departments, services, bundles)]
        result = run(lambda deps: import_catalogue(deps, *tables, dry_run=dry_run))
        for note in result.notes:
            click.echo(f"note, {note.table} line {note.line}, {note.field}: {note.detail}", err=True)
        _report(result.faults)
        counted = f"{result.departments} departments, {result.services} services, {result.bundles} bundles"
        click.echo(f"{counted} {'would be imported' if dry_run else 'imported'}")

    @catalogue.command("export")
    @click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
    @click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
    def export(folder: Path, form: str) -> None:
        """Write departments, services, bundles and tariffs to files that can be imported again."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, (columns, rows) in run(export_catalogue).items():
            path = folder / f"{name}.{form}"
            path.write_bytes(as_json(rows) if form == "json" else as_csv(columns, rows).encode())
            click.echo(f"{path}: {len(rows)}")

    return catalogue


def tariff_command(open_deps: OpenDeps) -> click.Group:
    """Build the commands over a way to open the gateway's dependencies."""
    run = runner(open_deps, _by_field)

    @click.group("tariff")
    def tariff() -> None:
        """Change what services cost: one person proposes, another approves."""

    @tariff.command("propose")
    @click.argument("file", type=_FILE)
    @click.option("--reason", required=True)
    @_BY
    @_DRY
    def propose(file: Path, reason: str, by: str, *, dry_run: bool) -> None:
        """Propose every tariff of a .csv or .json file, all or none."""
        rows = read_table(file)
        result = run(lambda deps: propose_rows(deps, rows, by=by, reason=reason, dry_run=dry_run))
        _report(result.faults)
        if dry_run:
            click.echo(f"{result.lines} tariffs would be proposed")
        for each in result.proposals:
            click.echo(_line(each))

    @tariff.command("list")
    @click.option("--service", help="All versions of this service's tariff, instead of what waits for a decision.")
    def list_(service: str | None) -> None:
        """List the proposals that wait for a second person."""
        found = run(lambda deps: tariff_history(deps, service) if service else list_undecided(deps, _SHOWN_MAX))
        for each in found:
            click.echo(_line(each))
            if service:
                click.echo(f"    {msgspec.json.encode(terms_document(each.tariff.terms)).decode()}")

    _decisions(tariff, run)
    return tariff


def _decisions(tariff: click.Group, run: Run) -> None:
    def decide(tariff_ids: tuple[str, ...], by: str, *, everything: bool, approve: bool) -> None:
        async def go(deps: Deps) -> int:
            chosen = list(tariff_ids)
            if everything:
                chosen = [each.tariff.id for each in await list_undecided(deps, _SHOWN_MAX)]
            await decide_tariffs(deps, chosen, by=by, approve=approve)
            return len(chosen)

        if bool(tariff_ids) == everything:
            raise click.UsageError("name tariffs, or --all of them that wait")
        click.echo(f"{run(go)} tariffs {'approved' if approve else 'refused'}")

    @tariff.command("approve")
    @click.argument("tariff_ids", nargs=-1)
    @click.option("--all", "everything", is_flag=True, help="Everything that waits, all or none.")
    @_BY
    def approve_(tariff_ids: tuple[str, ...], by: str, *, everything: bool) -> None:
        """Approve tariffs; each is in force from midnight of its day."""
        decide(tariff_ids, by, everything=everything, approve=True)

    @tariff.command("refuse")
    @click.argument("tariff_ids", nargs=-1)
    @click.option("--all", "everything", is_flag=True, help="Everything that waits, all or none.")
    @_BY
    def refuse(tariff_ids: tuple[str, ...], by: str, *, everything: bool) -> None:
        """Refuse tariffs."""
        decide(tariff_ids, by, everything=everything, approve=False)


def _line(each: Proposal) -> str:
    tariff = each.tariff
    system = f" with {each.proposed_with}" if each.proposed_with else ""
    state = f"{each.decision} by {each.checker}" if each.decision else "to be approved"
    return (
        f"{tariff.id}  {tariff.service}  version {tariff.version}  from {tariff.effective_on}  "
        f"proposed by {each.maker}{system}, {state}: {each.reason}"
    )
