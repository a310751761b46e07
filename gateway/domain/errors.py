"""Everything the gateway refuses. The class's docstring is its default sentence; HTTP is not known here."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import getdoc

import msgspec


class FieldFault(msgspec.Struct, frozen=True):
    """One field at fault: where it stands (RFC 6901), a stable code, and a sentence without the value."""

    pointer: str
    code: str
    detail: str


class GatewayError(Exception):
    """The gateway refused."""

    code = "gateway_error"

    def __init__(
        self,
        detail: str | None = None,
        *,
        pointer: str | None = None,
        faults: Sequence[FieldFault] = (),
        retry_after_s: int | None = None,
    ) -> None:
        self.detail = detail or getdoc(type(self)) or ""
        self.retry_after_s = retry_after_s
        self.faults = tuple(faults) or ((FieldFault(pointer, self.code, self.detail),) if pointer is not None else ())
        super().__init__(self.detail)


class MalformedError(GatewayError):
    """The body is not the JSON this route reads."""

    code = "malformed_body"


class InvalidError(GatewayError):
    """One or more fields are not acceptable."""

    code = "invalid_request"


class NotFoundError(GatewayError):
    """There is no such thing here."""

    code = "not_found"


class UnauthenticatedError(GatewayError):
    """The credential is missing, unknown, expired or revoked."""

    code = "unauthenticated"


class ForbiddenError(GatewayError):
    """The credential does not carry the scope this route needs."""

    code = "missing_scope"


class BeyondOwnRightsError(GatewayError):
    """The credential would hand on more than it has itself."""

    code = "beyond_own_rights"


class TransitionError(GatewayError):
    """The object is in a state that does not allow this."""

    code = "state_conflict"


class SamePersonError(GatewayError):
    """Whoever prepared this cannot approve it: a second person decides."""

    code = "same_person"


class IdempotencyKeyMissingError(GatewayError):
    """Send an Idempotency-Key header of 1 to 255 visible ASCII characters."""

    code = "idempotency_key_missing"


class IdempotencyKeyReusedError(GatewayError):
    """This Idempotency-Key was used with another body."""

    code = "idempotency_key_reused"


class IdempotencyInFlightError(GatewayError):
    """The first request with this Idempotency-Key is still being worked on."""

    code = "idempotency_in_flight"


class RefundTooLargeError(GatewayError):
    """More would be refunded than is left of what was captured."""

    code = "refund_exceeds_captured"


class DisputedError(GatewayError):
    """The payer's bank is taking this payment back, or has: to refund it too would give the money twice."""

    code = "payment_disputed"


class NothingToPayError(GatewayError):
    """The intent is already paid, cancelled or expired."""

    code = "nothing_to_pay"


class MethodUnavailableError(GatewayError):
    """No provider offers this way to pay at present."""

    code = "method_unavailable"


class VersionUnknownError(GatewayError):
    """There is no such version of this API."""

    code = "version_unknown"


class RateLimitedError(GatewayError):
    """More requests came than this caller may send in this time; Retry-After says when the next one may come."""

    code = "rate_limited"


class OverloadedError(GatewayError):
    """More is being asked than can be answered in good time; try again shortly."""

    code = "overloaded"


class UnavailableError(GatewayError):
    """The database does not answer at present. Nothing is lost; ask again with the same key."""

    code = "unavailable"


class TooLargeError(GatewayError):
    """The body is larger than this route reads."""

    code = "body_too_large"


class SlowBodyError(GatewayError):
    """The body did not arrive in time."""

    code = "body_too_slow"
