"""Which departments there are, for whoever may not read the catalogue itself."""

from __future__ import annotations

from typing import Any

from gateway.store import catalogue


class KnownDepartments:
    """Tells the night whether a department exists before anybody agrees to pay it."""

    async def has(self, connection: Any, code: str) -> bool:
        return await catalogue.has_department(connection, code)
