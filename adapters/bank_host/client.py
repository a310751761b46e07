"""Our own bank: hand in payment orders, ask what became of them, fetch statements."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from datetime import date
from http import HTTPStatus
from typing import Final

from adapters.bank_channel import read_listing
from adapters.bank_host.wire import Channel, read_report, unknown
from adapters.contract import Health, PayoutFile, PayoutReport, PayoutStatus, Statement
from adapters.errors import FileRefusedError, NotSentError, OutcomeUnknownError, ProviderError, RejectedError, naming
from adapters.formats.camt import read_camt
from adapters.formats.pain001 import OrderProfile, write_payment_order
from adapters.formats.statement_parts import Part, gather
from adapters.http import WireClient

STATEMENT_BYTES_MAX: Final = 512 * 1024 * 1024
STATEMENT_TIMEOUT_S: Final = 300.0
PARTS_PER_TURN: Final = 500


class BankHost:
    """Implements `States` and `Pays`. A payout it is not sure of is unknown; only the bank's own word rejects one."""

    def __init__(self, wire: WireClient, channel: Channel, *, profile: OrderProfile | None = None) -> None:
        self.name = wire.name
        self._wire = wire
        self._channel = channel
        self._profile = profile or OrderProfile()

    async def send_payout(self, file: PayoutFile) -> PayoutReport:
        """Hand the order in under its message id, as often as needed: the bank keeps one file per id.

        Raises `RejectedError` where the order cannot be written at all, `NotSentError` where no byte left; both leave
        nothing at the bank from this call. Any doubt is an unknown report, to be settled by asking or by the statement.
        """
        body = write_payment_order(file, self._profile)
        try:
            answer = await self._wire.send(self._channel.put_payment_file(file.message_id, body))
        except NotSentError:
            raise
        except OutcomeUnknownError as error:
            return unknown(str(error))
        except RejectedError as error:
            return _refusal(error, file.message_id)
        return read_report(answer.body, file.message_id)

    async def query_payout(self, message_id: str) -> PayoutReport:
        """Ask what became of the order. "Never heard of it" is unknown too: it may still be on its way."""
        try:
            answer = await self._wire.send(self._channel.get_status(message_id))
        except RejectedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return unknown("the bank does not know this file")
            return unknown(str(error))
        except ProviderError as error:
            return unknown(str(error))
        return read_report(answer.body, message_id)

    async def statements(self, account_iban: str, business_date: date) -> AsyncIterator[Statement]:
        """Yield the day's statements, each proven whole; none yet is an empty stream.

        Raises `FileRefusedError` for a file that does not stand, `ProviderError` where the bank could not be asked.
        """
        listed = await self._wire.send(self._channel.list_statements(account_iban, business_date))
        for file in read_listing(listed.body):
            call = self._channel.get_statement(account_iban, business_date, file.name)
            answer = await self._wire.send(call, timeout_s=STATEMENT_TIMEOUT_S, body_bytes_max=STATEMENT_BYTES_MAX)
            digest = hashlib.sha256(answer.body).hexdigest()
            with naming(file.name, answer.body):
                if digest != file.sha256:
                    raise FileRefusedError(
                        f"{file.name} is not the file the bank listed: its digest differs", cause="other_digest"
                    )
                for statement in gather(await _parts(answer.body), file_name=file.name, sha256=digest):
                    _refuse_foreign(statement, account_iban, business_date)
                    yield statement

    async def check(self) -> Health:
        """Ask for a file nobody sent: a bank that denies it, readably, is there and knows us."""
        try:
            await self._wire.send(self._channel.get_status("health-check"))
        except RejectedError as error:
            known = error.status == HTTPStatus.NOT_FOUND
            return Health(known, "" if known else str(error))
        except ProviderError as error:
            return Health(available=False, detail=str(error))
        return Health(available=True)


def _refusal(error: RejectedError, message_id: str) -> PayoutReport:
    """Take a refused request for a rejected payout only where the bank's own report says so.

    A bare 401 or 409 says nothing of an earlier try under the same id, which the bank may hold.
    """
    if error.body:
        report = read_report(error.body, message_id)
        if report.status is PayoutStatus.REJECTED:
            return report
    if error.status == HTTPStatus.CONFLICT:
        return unknown("the bank holds another file under this message id")
    return unknown(str(error))


async def _parts(body: bytes) -> list[Part]:
    """Read the statement in turns, so that a large one does not hold up everything else in the process."""
    parts: list[Part] = []
    for part in read_camt(io.BytesIO(body)):
        parts.append(part)
        if len(parts) % PARTS_PER_TURN == 0:
            await asyncio.sleep(0)
    return parts


def _refuse_foreign(statement: Statement, account_iban: str, business_date: date) -> None:
    if statement.account_iban != account_iban:
        raise FileRefusedError(
            f"{statement.file_name} is of account {statement.account_iban}, not {account_iban}", cause="other_account"
        )
    if statement.closed_on != business_date:
        raise FileRefusedError(f"{statement.file_name} is of {statement.closed_on}, not of {business_date}")
