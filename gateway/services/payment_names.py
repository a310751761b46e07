"""What departments call their payments, for whoever may not read the gateway's rows itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.store import payout_parts


class PaymentNames:
    """Tells a department's statement the department's own reference of each payment."""

    async def references(self, connection: Any, payments: Sequence[str]) -> dict[str, str]:
        return await payout_parts.references(connection, payments)
