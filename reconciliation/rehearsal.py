"""The dry run: fetch, prove and match for real, in transactions that are rolled back; post and send nothing."""

from __future__ import annotations

from adapters.errors import FileRefusedError, ProviderError
from reconciliation.night import Counts, Night
from reconciliation.steps.payouts import compute_due
from reconciliation.steps.statements import refusal
from reconciliation.store import line_matching, settlement_files
from reconciliation.store.settlement_files import LineUnfitError, Loaded


class _RollBackError(Exception):
    """Ends a rehearsal's transaction without a trace."""


async def rehearse(night: Night) -> dict[str, Counts]:
    """Say what the night would find. The ledger's lock is never taken, so payments do not wait for it."""
    return {
        "settlements": await _settlements(night),
        "statements": await _statements(night),
        "payouts": await _payouts(night),
    }


async def _settlements(night: Night) -> Counts:
    counts: Counts = {"files": 0, "lines": 0, "repeated": 0, "refused": 0, "unreachable": 0}
    for provider, source in sorted(night.deps.settling.items()):
        try:
            async for file in source.settlement_files(night.business_date):
                try:
                    async with night.transaction() as connection:
                        if await settlement_files.known(connection, provider, file.sha256):
                            counts["repeated"] += 1
                            raise _RollBackError  # noqa: TRY301 - the way out of a transaction that must not commit
                        loaded = Loaded()
                        await settlement_files.stage(connection, file, loaded)
                        terms = night.terms_of(provider, file.business_date)
                        outcomes = await line_matching.match_lines(
                            connection, provider, file.currency, loaded.lines, terms.tolerance_in(file.currency)
                        )
                        for outcome, lines in outcomes.items():
                            counts[outcome] = counts.get(outcome, 0) + lines
                        counts["files"] += 1
                        counts["lines"] += loaded.lines
                        raise _RollBackError  # noqa: TRY301 - as above
                except _RollBackError:
                    continue
                except LineUnfitError:
                    counts["refused"] += 1
        except FileRefusedError:
            counts["refused"] += 1
        except ProviderError:
            counts["unreachable"] += 1
    return counts


async def _statements(night: Night) -> Counts:
    counts: Counts = {"statements": 0, "entries": 0, "refused": 0, "unreachable": 0}
    account = night.deps.account
    try:
        async for statement in night.deps.bank.statements(account.iban, night.business_date):
            refused = refusal(statement, account.iban, account.currency, night.last_date) is not None
            counts["refused" if refused else "statements"] += 1
            counts["entries"] += len(statement.entries)
    except FileRefusedError:
        counts["refused"] += 1
    except ProviderError:
        counts["unreachable"] += 1
    return counts


async def _payouts(night: Night) -> Counts:
    """Compute what could be paid from the books as they stand, before tonight's files."""
    counts: Counts = {"departments": 0, "lines": 0, "amount_minor": 0}
    async with night.transaction(isolation="repeatable_read") as connection:
        for _, amount in await compute_due(night, connection):
            counts["departments"] += 1
            counts["lines"] += amount.held is None
            counts["amount_minor"] += amount.amount_minor
    return counts
