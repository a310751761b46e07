"""`python -m tests.fuzz minutes=60`: share the time among the readers, or some of them (`only=camt,mt940`).

With atheris in the environment (`pip install atheris`; it has wheels for Linux only, so it stands in no lock file)
three quarters of the time are guided by coverage and one quarter is Hypothesis damaging good files; without it,
Hypothesis has it all. It ends with 1 when something was found. Corpus and findings are kept in `folder` (.fuzz), and
the next run begins where this one ended.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from tests.fuzz.search import Log, by_coverage, by_damage

if TYPE_CHECKING:
    from tests.fuzz.target import Target

_WORDS: Final = {"minutes": "10", "only": "", "folder": ".fuzz", "tool": ""}
GIVE_UP_S: Final = 300
_SHARES: Final = {"atheris": 0.75, "hypothesis": 0.25}


def main(arguments: list[str]) -> int:
    words = dict(_WORDS)
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name not in words:
            click.echo(f"{argument!r}: the words are {', '.join(f'{word}=' for word in words)}")
            return 2
        words[name] = value or words[name]
    shares = _shares(words["tool"])
    targets = _load(by_coverage="atheris" in shares)
    names = [name for name in words["only"].split(",") if name] or list(targets)
    folder = Path(words["folder"]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    each_s = float(words["minutes"]) * 60 / len(names)
    told = [
        _search(tool, targets[name], max(1, round(each_s * share)), folder)
        for name in names
        for tool, share in shares.items()
    ]
    found = sum(len(one["findings"]) for one in told)
    seconds, cpu_s, executions = (sum(one[key] for one in told) for key in ("seconds", "cpu_seconds", "executions"))
    minutes = f"{seconds / 60:.1f} minutes ({cpu_s / 60:.1f} of them on a processor)"
    click.echo(f"{len(names)} readers, {minutes}, {executions:,} executions, {found} findings")
    return 1 if found else 0


def _load(*, by_coverage: bool) -> Mapping[str, Target]:
    """Load the readers once, watched where atheris will ask which of their lines were reached."""
    with contextlib.ExitStack() as stack:
        if by_coverage:
            import atheris

            stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
            stack.enter_context(atheris.instrument_imports(include=["adapters", "ledger", "ops.commands"]))
        from tests.fuzz.targets import TARGETS
    return TARGETS


def _shares(tool: str) -> dict[str, float]:
    if tool:
        return {tool: 1.0}
    return _SHARES if importlib.util.find_spec("atheris") is not None else {"hypothesis": 1.0}


def _search(tool: str, target: Target, seconds: int, folder: Path) -> dict[str, Any]:
    """Run one search in a child: atheris never returns, and what hangs is ended from outside."""
    child = os.fork()
    if child == 0:
        _in_the_child(tool, target, seconds, folder)
    status = _wait(child, seconds + GIVE_UP_S)
    told: dict[str, Any] = json.loads((folder / f"{target.name}.{tool}.json").read_text("utf-8"))
    if status != 0:
        told["findings"][f"the search itself ended with {status}; see its log"] = ""
    counts = f"{told['executions']:>10,} executions, {told['accepted']:>9,} accepted"
    click.echo(f"{target.name:26} {tool:10} {told['seconds']:7.0f} s {counts}")
    for finding, digest in told["findings"].items():
        click.echo(f"  {finding} {digest and f'({target.name}.{digest}.bin)'}")
    return told


def _in_the_child(tool: str, target: Target, seconds: int, folder: Path) -> NoReturn:
    output = os.open(folder / f"{target.name}.{tool}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    log = Log(folder, tool, target.name)
    try:
        if tool == "atheris":
            by_coverage(target, seconds, folder, log)
        else:
            by_damage(target, seconds, log)
    except BaseException:  # noqa: BLE001 - a child has nobody to raise to
        traceback.print_exc()
        os._exit(1)
    log.write()
    os._exit(0)


def _wait(child: int, seconds: float) -> int:
    """Return how the child ended; one that does not is killed."""
    ends_s = time.monotonic() + seconds
    while time.monotonic() < ends_s:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.2)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
