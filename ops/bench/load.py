"""Load on a web server from outside: wrk, pgbench, and the servers they are pointed at, each a process of its own."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import msgspec

from ops.postgres import find_binaries

_SCRIPT: Final = Path(__file__).with_name("wrk.lua")
_ROOT: Final = Path(__file__).parents[2]
_START_S: Final = 30.0


class LoadError(RuntimeError):
    """Something the measurement needs is missing or did not start."""


class Load(msgspec.Struct):
    """What wrk saw."""

    per_s: float
    bad: int
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Wrk:
    """Sends one kind of request with so many connections; a delay makes it wait between requests."""

    folder: Path
    connections: int

    async def run(
        self,
        url: str,
        method: str,
        paths: Sequence[str],
        credentials: Sequence[str],
        *,
        tag: str,
        seconds: float,
        delay_ms: float = 0,
    ) -> Load:
        names = []
        for name, lines in (("paths", paths), ("credentials", credentials)):
            file = self.folder / f"{name}-{tag}"
            file.write_text("\n".join(lines) + "\n", "utf-8")
            names.append(str(file))
        duration = f"{max(1, round(seconds))}s"
        options = ["-t1", f"-c{self.connections}", f"-d{duration}", "--timeout", "10s", "-s", str(_SCRIPT), url]
        out = await _output(wrk(), *options, "--", method, *names, tag, f"{delay_ms:.3f}")
        match = re.search(r"RESULT (\{.*\})", out)
        if match is None:
            raise LoadError(f"wrk said nothing: {out[-300:]}")
        return msgspec.json.decode(match[1], type=Load)


def wrk() -> str:
    found = shutil.which("wrk")
    if found is None:
        raise LoadError("wrk is missing: apt-get install wrk")
    return found


async def pgbench(url: str, script: Path, clients: int, seconds: float) -> float:
    """Return transactions a second of a script, prepared, with so many clients."""
    own = find_binaries() / "pgbench"
    program = str(own) if own.exists() else shutil.which("pgbench")
    if program is None:
        raise LoadError("pgbench is missing")
    out = await _output(
        program, url, "-n", "-M", "prepared", "-D", "n=0", "-f", str(script),
        "-c", str(clients), "-j", "1", "-T", str(max(1, round(seconds))),
    )  # fmt: skip
    match = re.search(r"tps = ([\d.]+)", out)
    if match is None:
        raise LoadError(f"pgbench said nothing: {out[-500:]}")
    return float(match[1])


@asynccontextmanager
async def serving(
    words: Sequence[str], environment: Mapping[str, str], addresses: Sequence[str], log: Path
) -> AsyncIterator[None]:
    """Run a server until the block ends; it is ready when each of its addresses answers anything at all."""
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, env={**os.environ, **environment}, cwd=_ROOT, stdout=file, stderr=file
        )
    try:
        for address in addresses:
            await _answers(address, process, log)
        yield
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()


async def _answers(address: str, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(_START_S), aiohttp.ClientSession() as session:
        while True:
            if process.returncode is not None:
                raise LoadError(f"the server ended: {_end_of(log)}")
            try:
                async with session.get(address):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)


def _end_of(log: Path) -> str:
    return log.read_text("utf-8", errors="replace")[-500:]


async def _output(program: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    return out.decode("utf-8", errors="replace")
