"""The real PostgreSQL under a simulation: one server, one migrated template, one database a world."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from ops.migrate import migrate
from ops.postgres import EmbeddedPostgres
from tests.simulation.postgres_control import Control

_TEMPLATE: Final = "simulation_template"
_EMPTY: Final = "simulation_empty"

# Nothing may depend on the machine's time: no autovacuum, no statistics gathered behind our back, and of two waiters
# that block each other the later one is found out at once.
_SETTINGS: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "deadlock_timeout": "5ms",
    "jit": "off",
    "shared_buffers": "64MB",
    "max_connections": "150",
    "max_wal_size": "1GB",
}


@dataclass(frozen=True, slots=True)
class Server:
    """Where the databases of the worlds live."""

    url: str
    socket_path: str

    def database_url(self, name: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def create(self, name: str, *, migrated: bool = True) -> None:
        with Control(self.socket_path, "postgres") as control:
            control.rows(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE if migrated else _EMPTY}")

    def drop(self, name: str) -> None:
        with Control(self.socket_path, "postgres") as control:
            control.rows(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a PostgreSQL of the simulation's own and take it away again."""
    with tempfile.TemporaryDirectory(prefix="mizan-simulation-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        postgres = EmbeddedPostgres(Path(folder) / "data", settings=_SETTINGS)
        try:
            url = postgres.start()
            server = Server(url, os.fspath(postgres.socket_folder / ".s.PGSQL.5432"))
            with Control(server.socket_path, "postgres") as control:
                control.rows(f"CREATE DATABASE {_EMPTY}")
                control.rows(f"CREATE DATABASE {_TEMPLATE}")
            asyncio.run(migrate(server.database_url(_TEMPLATE)))
            yield server
        finally:
            postgres.stop()
