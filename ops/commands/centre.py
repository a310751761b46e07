"""`mizan centre`: service centres and the people at their counters."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import click

from gateway.deps import Deps
from gateway.domain.department import Names
from gateway.services.centres import centre_people
from ops.commands.running import runner
from ops.commands.two_people import Person

Open = Callable[[], AbstractAsyncContextManager[Deps]]


def centre_group(open_deps: Open) -> click.Group:
    """Build the commands over a way to open the gateway's dependencies."""
    run = runner(open_deps)

    @click.group("centre")
    def group() -> None:
        """Add service centres, and let agents in by two people."""

    @group.command("add")
    @click.argument("code")
    @click.argument("department")
    @click.option("--name-ar", required=True, help="Its name in Arabic.")
    @click.option("--name-en", required=True, help="Its name in English.")
    @click.option("--terminals", help="The provider whose card terminals stand there; cash only without it.")
    def add(code: str, department: str, name_ar: str, name_en: str, terminals: str | None) -> None:
        """Add the centre CODE of DEPARTMENT."""
        run(lambda deps: centre_people.add_centre(deps, code, department, Names(name_ar, name_en), terminals))

    @group.command("propose-agent")
    @click.argument("code")
    @click.argument("centre")
    @click.option("--name", required=True, help="The person's name.")
    @click.option("--supervisor", is_flag=True, help="May approve drawers that differ.")
    @click.option("--by", type=Person(), required=True, help="Who proposes.")
    def propose_agent(code: str, centre: str, name: str, by: str, *, supervisor: bool) -> None:
        """Propose the agent CODE at CENTRE; a second person lets them in."""
        run(lambda deps: centre_people.propose_agent(deps, code, centre, name, supervisor=supervisor, by=by))

    @group.command("approve-agent")
    @click.argument("code")
    @click.option("--by", type=Person(), required=True, help="Who lets the agent in; not who proposed them.")
    def approve_agent(code: str, by: str) -> None:
        """Let the agent CODE in, and print the first password, this once."""

        async def go(deps: Deps) -> None:
            click.echo(await centre_people.approve_agent(deps, code, by=by))
            click.echo("hand the line above to the agent, who changes it; nobody can show it again", err=True)

        run(go)

    @group.command("disable-agent")
    @click.argument("code")
    @click.option("--by", type=Person(), required=True, help="Who ends it.")
    def disable_agent(code: str, by: str) -> None:
        """End the access of the agent CODE at once."""
        run(lambda deps: centre_people.disable_agent(deps, code, by=by))

    return group
