"""`mizan bench`: figures beside their limit, their peer and their bar."""

from __future__ import annotations

import asyncio
import importlib
import json
import pkgutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from ops import bench as benches
from ops.bench.figures import Figure, Options, show
from ops.postgres import EmbeddedPostgres
from ops.settings import read_settings

_SERVER = {"shared_buffers": "2GB", "max_wal_size": "8GB", "max_connections": "200"}
"""More memory and log than the demo's server; fsync and synchronous_commit stay on."""


def names() -> list[str]:
    """Return the benchmarks there are: every module of `ops.bench` that can be run."""
    found = sorted(module.name for module in pkgutil.iter_modules(benches.__path__))
    return [name for name in found if hasattr(importlib.import_module(f"ops.bench.{name}"), "run")]


@contextmanager
def _server() -> Iterator[str]:
    settings = read_settings()
    if settings.database_url and not settings.demo:  # a demo that runs here is not to be measured on
        yield settings.database_url
        return
    with tempfile.TemporaryDirectory(prefix="mizan-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder) / "data", settings=_SERVER)
        try:
            yield server.start()
        finally:
            server.stop()


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
@click.option("--rounds", default=3, show_default=True, help="Interleaved rounds; medians are shown.")
@click.option("--seconds", default=2.0, show_default=True, help="How long one measurement runs.")
@click.option("--size", default=0, help="Also measure at this size, where the benchmark has one.")
def bench(name: str, rounds: int, seconds: float, size: int, as_json: bool) -> None:  # noqa: FBT001 - click passes flags by name
    """Measure NAME; exit with 1 when a bar is missed."""
    if name not in names():
        raise click.ClickException(f"there is no benchmark {name!r}; there are: {', '.join(names())}")
    module = importlib.import_module(f"ops.bench.{name}")
    with _server() as url:
        options = Options(
            url=url, rounds=rounds, seconds=seconds, size=size, say=lambda text: click.echo(text, err=True)
        )
        figures: list[Figure] = asyncio.run(module.run(options))
    if as_json:
        click.echo(json.dumps([asdict(figure) for figure in figures], indent=2, default=str))
    else:
        show(name, figures)
    sys.exit(1 if any(figure.met is False for figure in figures) else 0)
