"""Several web processes behind one port, as many as the machine has processors for."""

from __future__ import annotations

from collections.abc import Sequence

from ops.database import embedded
from ops.migrate import migrate
from ops.processes import Child, Supervisor
from ops.settings import Settings


def operations_ports(settings: Settings, count: int) -> Sequence[int]:
    """Return where operators find each of so many: the first at its own port, the others behind the worker's."""
    first = settings.operations_port
    return [first, *range(first + 2, first + 1 + count)]


async def serve_together(settings: Settings, count: int) -> None:
    """Keep so many web processes running until told to stop; the kernel deals connections out to them."""
    server = embedded(settings) if settings.database_url is None else None
    try:
        url = settings.database_url or (server.start() if server else "")
        await migrate(url)
        children = [
            Child(f"web {number}", ["web"], {"MIZAN_OPERATIONS_PORT": str(port)})
            for number, port in enumerate(operations_ports(settings, count), start=1)
        ]
        await Supervisor(children, {"DATABASE_URL": url}, server, log_file=None).run()
    finally:
        if server is not None:
            server.stop()
