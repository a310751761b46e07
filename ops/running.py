"""How one command finds a Mizan that already runs on this machine: a file it holds locked while it lives."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_NAME: Final = "running.env"


class AlreadyRunningError(RuntimeError):
    """Another Mizan holds this home folder."""


@contextmanager
def announced(home: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Publish the variables under which the processes run, for as long as the block lasts.

    The kernel drops the lock when the process dies, however it dies, so a leftover file is never believed.
    """
    home.mkdir(parents=True, exist_ok=True)
    path = home / _NAME
    path.touch(mode=0o600)
    with path.open("r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(f"a Mizan runs on {home} already; set MIZAN_HOME to another folder") from None
        file.truncate()
        file.writelines(f"{name}={value}\n" for name, value in environment.items())
        file.flush()
        yield


def running_environment(home: Path) -> dict[str, str]:
    """Return the variables of a Mizan that runs now on this home folder; none when there is none."""
    try:
        with (home / _NAME).open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return dict(line.rstrip("\n").split("=", 1) for line in file)
    except FileNotFoundError:
        pass
    return {}
