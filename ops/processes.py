"""Child processes of one Mizan: started, watched, started again when they die, and stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import structlog

from ops.postgres import EmbeddedPostgres, PostgresError, die_with_parent

log = structlog.get_logger()

_RESTART_PAUSE_S: Final = 0.5
_STOP_TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Child:
    """One process of Mizan: its name, the words after `mizan` that start it, and the variables that are its own."""

    name: str
    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """Keeps the embedded server and the children running until told to stop.

    A child or the server that dies, by whatever signal, is started again: all state is in PostgreSQL, so a fresh
    process takes up where the last one fell. The server keeps its address over restarts.
    """

    def __init__(
        self,
        children: Sequence[Child],
        environment: Mapping[str, str],
        postgres: EmbeddedPostgres | None,
        *,
        log_file: Path | None,
    ) -> None:
        """Without a file for their logs, the children write where this process writes."""
        self._children = children
        # Whatever else the operator's shell has set (a path, a locale) goes to the children as it is.
        self._environment = {**os.environ, **environment}
        self._postgres = postgres
        self._log_file = log_file
        self._stopping = asyncio.Event()
        self.pids: dict[str, int] = {}

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Run until `stop`, or until the process is interrupted or terminated."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        tasks = [asyncio.create_task(self._keep(child)) for child in self._children]
        if self._postgres is not None:
            tasks.append(asyncio.create_task(self._keep_postgres(self._postgres)))
        await self._stopping.wait()
        await asyncio.gather(*tasks)

    async def _keep(self, child: Child) -> None:
        while not self._stopping.is_set():
            with self._log() as sink:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "ops.cli",
                    *child.words,
                    env={**self._environment, **child.environment},
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=sink,
                    stderr=sink,
                    start_new_session=True,
                    preexec_fn=die_with_parent,
                )
            self.pids[child.name] = process.pid
            ended = asyncio.create_task(process.wait())
            stopping = asyncio.create_task(self._stopping.wait())
            await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                stopping.cancel()
                log.warning("a process ended and is started again", child=child.name, status=process.returncode)
                await self._pause()
                continue
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            done, _ = await asyncio.wait({ended}, timeout=_STOP_TIMEOUT_S)
            if not done:
                process.kill()
                await ended

    def _log(self) -> AbstractContextManager[IO[bytes] | None]:
        return contextlib.nullcontext() if self._log_file is None else self._log_file.open("ab")

    async def _keep_postgres(self, server: EmbeddedPostgres) -> None:
        while not self._stopping.is_set():
            await self._pause()
            if not server.running and not self._stopping.is_set():
                log.warning("PostgreSQL ended and is started again")
                try:
                    server.start()  # in this thread: the server dies with the thread that started it
                except PostgresError as error:
                    # A session of the old server may still be at work; the new one waits until it has ended.
                    log.warning("PostgreSQL does not start yet", reason=str(error))

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), _RESTART_PAUSE_S)
