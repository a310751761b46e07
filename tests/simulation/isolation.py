"""Each world in a forked child: frozen frames, patched clocks and mutated functions end with it."""

from __future__ import annotations

import faulthandler
import gc
import os
import pickle
import selectors
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_real_monotonic = time.monotonic


@dataclass(frozen=True, slots=True)
class Ended(Generic[T]):
    """How a child ended: with a value, or with the text of what went wrong."""

    value: T | None
    failure: str = ""


class ChildFailedError(AssertionError):
    """What ran in the child raised; the message is the child's own traceback."""


@dataclass(slots=True)
class _Child:
    pid: int
    pipe: int
    key: Any
    started_s: float
    received: bytearray


def _fork(work: Callable[[], Any], key: Any, timeout_s: float) -> _Child:
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Newer Pythons warn of forking beside threads; the child touches nothing a test runner's thread may hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        os.close(writing)
        return _Child(pid, reading, key, _real_monotonic(), bytearray())
    os.close(reading)
    try:
        faulthandler.dump_traceback_later(timeout_s, exit=True)
        gc.disable()  # the collector runs by counts of allocations, and what it finalizes would differ from run to run
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        answer = pickle.dumps(Ended(work()))
    except BaseException:  # noqa: BLE001 - the parent wants to hear of everything
        answer = pickle.dumps(Ended(None, traceback.format_exc()))
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(answer)
    os._exit(0)


def in_child(work: Callable[[], T], *, timeout_s: float = 120.0) -> T:
    """Run `work` in a child and return its value."""
    (_, ended), *_ = in_children([(None, work)], at_once=1, timeout_s=timeout_s)
    if ended.failure or ended.value is None:
        raise ChildFailedError(ended.failure)
    return ended.value


def in_children(
    jobs: Iterable[tuple[Any, Callable[[], T]]], *, at_once: int, timeout_s: float
) -> Iterator[tuple[Any, Ended[T]]]:
    """Run jobs in children, a few at once, and yield each job's key and end as it ends."""
    waiting = iter(jobs)
    with selectors.DefaultSelector() as selector:
        running: set[int] = set()

        def start_next() -> None:
            for key, work in waiting:
                child = _fork(work, key, timeout_s)
                selector.register(child.pipe, selectors.EVENT_READ, child)
                running.add(child.pid)
                return

        try:
            for _ in range(at_once):
                start_next()
            while running:
                for ready, _ in selector.select():
                    child: _Child = ready.data
                    if chunk := os.read(child.pipe, 1 << 20):
                        child.received += chunk
                        continue
                    selector.unregister(child.pipe)
                    os.close(child.pipe)
                    running.discard(child.pid)
                    status = os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1])
                    start_next()
                    if child.received:
                        yield child.key, pickle.loads(bytes(child.received))  # noqa: S301 - written by our own child
                    else:
                        took_s = _real_monotonic() - child.started_s
                        yield child.key, Ended(None, f"the child ended with status {status} after {took_s:.0f} s")
        finally:
            for pid in running:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
