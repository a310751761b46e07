"""The schema the migrations make, as one readable file that a test holds equal to them."""

from __future__ import annotations

import re
import subprocess
from importlib.resources import files
from pathlib import Path

from ops.postgres import find_binaries


def dump_schema(url: str, *, binaries: Path | None = None) -> str:
    """Return `pg_dump`'s schema of the database, without what differs from run to run or from month to month."""
    done = subprocess.run(  # noqa: S603 - our own binary, no shell
        [find_binaries(binaries) / "pg_dump", "--schema-only", "--no-owner", "--dbname", url],
        capture_output=True,
        text=True,
        check=True,
    )
    kept = []
    for statement in re.split(r"\n(?=--\n-- Name: )", done.stdout)[1:]:
        title = re.match(r"--\n-- Name: ([^;]+); Type: ([^;]+);", statement)
        # Monthly partitions come and go; the table they belong to is what the migrations made.
        if title and re.search(r"_y?\d{4}_?m?\d{2}(_|\b)", title[1]):
            continue
        lines = [line for line in statement.split("\n") if line and not line.startswith(("--", "\\", "SET "))]
        if lines:
            kept.append("\n".join(lines))
    return "\n\n".join(kept) + "\n"


def shipped_schema() -> str:
    return files("ops").joinpath("schema.sql").read_text("utf-8")
