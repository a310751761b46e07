"""There are none: a bank's word is fetched from its papers, so whatever calls in is not the bank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

from adapters.contract import CallbackNotice
from adapters.errors import CallbackRefusedError


def read_callback(headers: Mapping[str, str], body: bytes) -> NoReturn:  # noqa: ARG001 (every provider is asked alike)
    raise CallbackRefusedError("transfers are read from the bank's papers; nobody calls back")


def notices_of(identity: str, keys: Sequence[str]) -> list[CallbackNotice]:
    """Return one hint for each payment a credit names."""
    return [CallbackNotice(f"{identity}:{key}", None, key, word="credit") for key in keys]
