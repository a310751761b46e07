"""A disk of a few megabytes, to be filled up: a tmpfs of its own, where this machine lets us mount one."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BLOCK = b"\0" * 65536


class NoSmallDiskError(RuntimeError):
    """This machine does not let us mount anything; the reason is its own."""


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Mount one, as root or by a sudo that asks nothing, and take it away again."""
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    folder = Path(tempfile.mkdtemp(prefix="mizan-disk-"))
    folder.chmod(0o755)
    options = f"size={megabytes}m,mode=755,uid={os.getuid()},gid={os.getgid()}"
    try:
        mounted = subprocess.run(
            [*sudo, "mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True, check=False
        )
    except OSError as error:
        folder.rmdir()
        raise NoSmallDiskError(str(error)) from None
    if mounted.returncode:
        folder.rmdir()
        raise NoSmallDiskError(mounted.stderr.strip())
    try:
        yield folder
    finally:
        subprocess.run([*sudo, "umount", "--lazy", folder], check=False)
        folder.rmdir()


def fill(disk: Path) -> Path:
    """Write until nothing more goes in; return the file to remove."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for block in (_BLOCK, _BLOCK[:512]):
            try:
                while file.write(block) == len(block):
                    pass
            except OSError:
                pass
    return ballast
