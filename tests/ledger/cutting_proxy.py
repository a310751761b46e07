"""A wire to PostgreSQL that can be cut: before a client's message arrives, or before the server's answer does."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path


class CuttingProxy:
    """Listens on a Unix socket and forwards to another. `cut_after` counts chunks from when it is set."""

    def __init__(self, folder: Path, target: str) -> None:
        self.folder = folder
        self._target = target
        self._left: int | None = None
        self._side = "server"
        self.cuts = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def cut_after(self, chunks: int, side: str) -> None:
        """Cut every wire when this many more chunks have come from `side`; the last of them is swallowed."""
        self._left, self._side = chunks, side

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._accept, str(self.folder / ".s.PGSQL.5432"))

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(self._target)
        writers = (writer, up_writer)
        for source, sink, side in ((reader, up_writer, "client"), (up_reader, writer, "server")):
            task = asyncio.create_task(self._pump(source, sink, side, writers))
            self._tasks.add(task)

    async def _pump(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        side: str,
        writers: tuple[asyncio.StreamWriter, ...],
    ) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while chunk := await source.read(65_536):
                if self._left is not None and side == self._side:
                    self._left -= 1
                    if self._left <= 0:
                        self._left = None
                        self.cuts += 1
                        break
                sink.write(chunk)
                await sink.drain()
        for writer in writers:
            writer.close()
