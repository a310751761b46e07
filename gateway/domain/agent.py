"""People who take money at a counter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.domain.department import Names


@dataclass(frozen=True, slots=True)
class Agent:
    """A person at a counter, with the centre they work at."""

    code: str
    name: str
    is_supervisor: bool
    centre: str
    centre_names: Names
    department: str
    terminal_provider: str | None
    password: str | None
    failures: int
    locked_until: datetime | None
    maker: str
    checker: str | None
    disabled_at: datetime | None
    chose_password: bool = False
