"""Bugs planted where money is taken and given back at a counter, and where a refund comes back."""

from __future__ import annotations

from typing import Final

from tests.simulation.mutation import Edit, Mutant
from tests.simulation.world.plan import Profile

OF_COUNTERS: Final[tuple[Mutant, ...]] = (
    Mutant(
        "cash that is handed out stays in the drawer's books",
        (
            Edit(
                "gateway.services.centres.hand_out",
                "    await give_out_of(deps, connection, shift, given, lines)\n",
                "",
            ),
        ),
        (Profile.REFUNDS, Profile.STORM),
    ),
    Mutant(
        "a refund that fails after it was done is taken for done",
        (
            Edit(
                "gateway.domain.refund",
                '    (_S.SUCCEEDED, _S.FAILED): "failed_after_success",\n',
                "",
            ),
        ),
        (Profile.REFUNDS, Profile.WALLETS),
    ),
    Mutant(
        "a refund that fails after it was booked stays booked",
        (
            Edit(
                "gateway.services.refunds.apply_refunds",
                "        return postings.refund_failed(accepted, after.id, evidence)\n",
                "        return None\n",
            ),
        ),
        (Profile.REFUNDS, Profile.WALLETS),
    ),
    Mutant(
        "a card at the counter booked as cash",
        (
            Edit(
                "gateway.services.centres.take_payment",
                "        provider = COUNTER if slip is None or agent.terminal_provider is None else "
                "agent.terminal_provider\n",
                "        provider = COUNTER\n",
            ),
        ),
        (Profile.CALLBACKS, Profile.STORM),
    ),
)
