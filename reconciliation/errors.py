"""What the night refuses, each with one public code; the class's sentence is the default message."""

from __future__ import annotations


class ReconciliationError(Exception):
    """The night refused."""

    code = "reconciliation_error"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class FutureDateError(ReconciliationError):
    """A night runs for a business date that has begun, never for one to come."""

    code = "future_date"


class PastDateError(ReconciliationError):
    """A night runs for a business date since the books began, and for none whose matches are long settled."""

    code = "past_date"


class NightRunningError(ReconciliationError):
    """Another night is running; it holds the lease until it ends or the lease expires."""

    code = "night_running"


class LeaseLostError(ReconciliationError):
    """This night's lease went to another runner; nothing it does from here may count."""

    code = "lease_lost"


class NotFoundError(ReconciliationError):
    """There is no such break, payout, payee or run."""

    code = "not_found"


class NotAllowedError(ReconciliationError):
    """The rules of finance do not allow this step."""

    code = "not_allowed"


class SamePersonError(ReconciliationError):
    """Whoever prepared this may not approve it."""

    code = "same_person"


class BooksDisagreeError(ReconciliationError):
    """The books refused a posting the night was sure of; the night stops before anything else moves."""

    code = "books_disagree"
