"""`mizan bench files`: how fast and how small the readers of files are, beside readers that do nothing else.

Time is processor time of alternating rounds, so that what else the machine does falls on both. Memory is the peak of
a process that reads one file and ends.
"""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lxml import etree

from adapters.formats.camt import read_camt
from adapters.formats.csv_profile import stream_settlement
from adapters.formats.mt940 import read_mt940
from adapters.formats.profiles import ADYEN
from ops.bench.figures import Figure, Options, Rounds, absolute
from ops.bench.file_samples import write_camt, write_swift, write_table

MEMORY_MIB_MAX: Final = 150.0


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind of file: how it is made, how we read it, and what the peer does."""

    name: str
    count: int
    write: Callable[[Path, int], None]
    read: Callable[[Path], int]
    peer: Callable[[Path], int]
    peer_name: str
    ratio_min: float | None


def _camt(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in read_camt(file)) - 1


def _camt_peer(path: Path) -> int:
    count = 0
    for _, element in etree.iterparse(str(path)):
        element.clear()
        count += 1
    return count


def _swift(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in read_mt940(file)) - 1


def _swift_peer(path: Path) -> int:
    with path.open(encoding="utf-8") as file:
        return sum(1 for _ in file)


def _table(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in stream_settlement(file, ADYEN)) - 1


def _table_peer(path: Path) -> int:
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file))


SUBJECTS: Final = {
    subject.name: subject
    for subject in (
        Subject("camt.053", 100_000, write_camt, _camt, _camt_peer, "lxml iterparse", 0.4),
        Subject("MT940", 100_000, write_swift, _swift, _swift_peer, "reading lines", None),
        Subject("CSV", 1_000_000, write_table, _table, _table_peer, "csv module", 0.25),
    )
}


async def run(options: Options) -> list[Figure]:
    """Measure each kind of file; `size` reads that many entries of each instead of the issue's numbers."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="mizan-bench-") as folder:
        for subject in SUBJECTS.values():
            path = Path(folder) / "sample"
            count = options.size or subject.count
            options.say(f"{subject.name}: {count:,} entries")
            subject.write(path, count)
            figures += _measure(subject, path, count, options.rounds)
    return figures


def _measure(subject: Subject, path: Path, count: int, rounds_count: int) -> list[Figure]:
    rounds = Rounds()
    for _ in range(rounds_count):
        rounds.add("peer", count / _timed(subject.peer, path))
        rounds.add("ours", count / _timed(subject.read, path))
    title = f"{subject.name} of {count:,} entries over {subject.peer_name}"
    return [
        rounds.figure(title, "ours", "entries/s", limit="peer", at_least=subject.ratio_min),
        absolute("  peak memory", _peak_mib(subject, path, count), "MiB", at_most=MEMORY_MIB_MAX),
    ]


def _timed(read: Callable[[Path], int], path: Path) -> float:
    started_s = time.process_time()
    read(path)
    return time.process_time() - started_s


def _peak_mib(subject: Subject, path: Path, count: int) -> float:
    """Read the file once in a process of its own and return the most memory it ever had."""
    command = [sys.executable, "-m", "ops.bench.files", subject.name, str(path)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 - our own words
    if told["entries"] != count:
        raise RuntimeError(f"{subject.name}: {told['entries']} entries were read of {count}")
    return float(told["peak_mib"])


def _read_alone(name: str, path: str) -> None:
    entries = SUBJECTS[name].read(Path(path))
    sys.stdout.write(json.dumps({"entries": entries, "peak_mib": _own_peak_mib()}))


def _own_peak_mib() -> float:
    """Return the most this process ever held. Linux counts a parent's memory into a child's `ru_maxrss`, so ask it."""
    status = Path("/proc/self/status")
    if status.is_file():
        peak_kib = next(line.split()[1] for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM"))
        return int(peak_kib) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)


if __name__ == "__main__":
    _read_alone(*sys.argv[1:])
