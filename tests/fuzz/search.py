"""One search in a process of its own: it looks for bytes a reader cannot take.

What is found is written down once for each place it breaks at, and the search goes on. Atheris knows which lines of
the readers an input reached, and is taken by the hand of nothing else; Hypothesis knows only the seeds.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import time
import traceback
from pathlib import Path
from typing import Final

from tests.fuzz.target import Target, hold

INPUT_LENGTH_MAX: Final = 8192
HANG_S: Final = 120
"""When the process is given up: far above what a reader may take, since the machine may be doing something else."""
TOLD_EVERY_S: Final = 1.0
"""How often the counts are written down: atheris leaves the process without a word."""


class Log:
    """Counts executions and keeps each finding as a file with its story beside it."""

    def __init__(self, folder: Path, tool: str, target: str) -> None:
        self._folder = folder
        self._path = folder / f"{target}.{tool}.json"
        self._tool = tool
        self._target = target
        self._started_s: float | None = None
        self._cpu_s = self._told_s = 0.0
        self.executions = 0
        self.accepted = 0
        self.findings: dict[str, str] = {}
        atexit.register(self.write)
        self.write()

    def start(self) -> None:
        """Begin to count the time: what it takes to load the product is no search."""
        self._started_s, self._cpu_s = time.monotonic(), time.process_time()

    def count(self, *, accepted: bool) -> None:
        self.executions += 1
        self.accepted += accepted
        if time.monotonic() >= self._told_s + TOLD_EVERY_S:
            self.write()

    def find(self, data: bytes, error: BaseException) -> None:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/tests/fuzz/" not in frame.filename]
        place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        name = f"{type(error).__name__} at {place}" if frames else str(error).partition(":")[0]
        if name in self.findings:
            return
        digest = hashlib.sha256(data).hexdigest()[:12]
        self.findings[name] = digest
        stem = f"{self._target}.{digest}"
        (self._folder / f"{stem}.bin").write_bytes(data)
        (self._folder / f"{stem}.txt").write_text(
            "".join(traceback.format_exception(error)), "utf-8", "backslashreplace"
        )
        self.write()

    def write(self) -> None:
        self._told_s = time.monotonic()
        told = {
            "target": self._target,
            "tool": self._tool,
            "seconds": round(time.monotonic() - (self._started_s or time.monotonic()), 1),
            "cpu_seconds": round(time.process_time() - self._cpu_s, 1),
            "executions": self.executions,
            "accepted": self.accepted,
            "findings": self.findings,
        }
        self._path.write_text(json.dumps(told), "utf-8")


def _once(target: Target, log: Log, data: bytes) -> None:
    accepted = False
    try:
        accepted = hold(target, data)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        log.find(data, error)
    log.count(accepted=accepted)


def by_coverage(target: Target, seconds: int, folder: Path, log: Log) -> None:
    """Search with atheris, which leaves the process when the time is over."""
    import atheris

    corpus = folder / "corpus" / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    options = [
        "fuzz", f"-max_total_time={seconds}", f"-timeout={HANG_S}", f"-max_len={INPUT_LENGTH_MAX}",
        "-rss_limit_mb=2048", f"-artifact_prefix={folder / target.name}.hang.", "-verbosity=0",
        "-print_final_stats=0", str(corpus),
    ]  # fmt: skip
    if target.words:
        words = folder / f"{target.name}.words"
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words), "ascii")
        options.append(f"-dict={words}")
    log.start()
    atheris.Setup(options, lambda data: _once(target, log, data))
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def by_damage(target: Target, seconds: int, log: Log) -> None:
    """Search with Hypothesis, which knows the good files and the words of their language."""
    from hypothesis import HealthCheck, Phase, given, seed, settings

    from tests.fuzz.damage import damaged

    log.start()
    ends_s = time.monotonic() + seconds
    rounds = time.time_ns() % 2**31
    options = settings(
        max_examples=500,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    while time.monotonic() < ends_s:
        rounds += 1

        @seed(rounds)
        @options
        @given(damaged(target.seeds(), target.words))
        def once(data: bytes) -> None:
            if time.monotonic() < ends_s:
                _once(target, log, data)

        once()
