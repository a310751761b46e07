"""Killing processes while the day goes on: web, worker and PostgreSQL, by SIGKILL, again and again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import Counter
from itertools import cycle
from typing import Final

from ops.demo.stage import Stage

_PAUSE_S: Final = (4.1, 5.3, 2.9, 6.7, 4.9, 3.7)
"""Pauses between kills, of no common measure with anything's pace."""

_VICTIMS: Final = ("web", "worker", "postgres", "worker", "web")


class Saboteur:
    """Kills one process after another until told to stop, or until it has killed as many as it was told."""

    def __init__(self, stage: Stage, kills: int) -> None:
        self._stage = stage
        self._kills = kills
        self.killed: Counter[str] = Counter()

    async def run(self) -> None:
        pauses, victims = cycle(_PAUSE_S), cycle(_VICTIMS)
        while self.killed.total() < self._kills:
            await asyncio.sleep(next(pauses))
            victim = next(victims)
            if (pid := self._pid(victim)) is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.killed[victim] += 1

    def _pid(self, victim: str) -> int | None:
        if victim != "postgres":
            return self._stage.supervisor.pids.get(victim)
        server = self._stage.postgres
        return server.process.pid if server and server.running and server.process else None
