"""Everything the ledger refuses, each with one public code and a sentence that names the fault."""


class LedgerError(Exception):
    """The ledger refused."""

    code = "ledger_error"


class MoneyError(LedgerError):
    """An amount or a currency is not money as the ledger keeps it."""

    code = "invalid_money"


class AccountError(LedgerError):
    """An account path is not in the chart."""

    code = "invalid_account"


class EntryError(LedgerError):
    """A journal entry is malformed: unbalanced, empty, or with a posting that cannot stand."""

    code = "invalid_entry"


class PersonError(LedgerError):
    """Whoever decides has a name that can be read."""

    code = "invalid_person"


class ReferenceReusedError(LedgerError):
    """The reference is already posted with other content; nothing was posted now."""

    code = "reference_reused"


class FloorError(LedgerError):
    """The posting would take an account below its floor; nothing was posted."""

    code = "below_floor"


class PeriodClosedError(LedgerError):
    """The business date or effective instant lies in a closed period; the entry belongs into the open one."""

    code = "period_closed"


class LedgerUnavailableError(LedgerError):
    """The ledger cannot take the entry, or cannot tell whether it did: ask again with the same reference."""

    code = "ledger_unavailable"


class SealError(LedgerError):
    """A day cannot be sealed as asked."""

    code = "seal_refused"
