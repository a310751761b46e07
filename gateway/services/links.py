"""The unguessable links citizens pay under.

A token is the intent's identifier and a keyed hash of it: 128 bits nobody can guess, nothing to store, and the same
link again whenever a department repeats its request. A junk token is refused before the database is asked. The price:
whoever has the key can make every link, so the key is a secret of the installation and can be rotated.
"""

from __future__ import annotations

import hmac
from typing import Final

from gateway.deps import Deps
from gateway.domain.errors import NotFoundError
from gateway.domain.ids import Prefix, is_id

_BODY_CHARACTERS: Final = 26
_MAC_BYTES: Final = 16
_TOKEN_CHARACTERS: Final = _BODY_CHARACTERS + 2 * _MAC_BYTES


_INTENT_LINK: Final = b"checkout link "
_PAYMENT_LINK: Final = b"payment link "


def token_of(deps: Deps, intent_id: str) -> str:
    return _token(deps, intent_id, _INTENT_LINK)


def intent_of(deps: Deps, token: str) -> str:
    """Return the intent a token opens; `NotFoundError` for anything we did not make."""
    return _opened(deps, token, Prefix.INTENT, _INTENT_LINK)


def payment_link_of(deps: Deps, token: str) -> str:
    """Return the payment link a token opens."""
    return _opened(deps, token, Prefix.PAYMENT_LINK, _PAYMENT_LINK)


def payment_link_url(deps: Deps, link_id: str) -> str:
    return f"{deps.public_url}/link/{_token(deps, link_id, _PAYMENT_LINK)}"


def _token(deps: Deps, identifier: str, purpose: bytes) -> str:
    body = identifier.partition("_")[2]
    return body + _mac(deps.link_secrets[0], body, purpose)


def _opened(deps: Deps, token: str, prefix: Prefix, purpose: bytes) -> str:
    body, mac = token[:_BODY_CHARACTERS], token[_BODY_CHARACTERS:]
    identifier = f"{prefix.value}_{body}"
    if len(token) != _TOKEN_CHARACTERS or not token.isascii() or not is_id(identifier, prefix):
        raise NotFoundError
    # Every key is compared, whichever fits, so that the time taken tells nothing.
    fits = [hmac.compare_digest(_mac(secret, body, purpose), mac) for secret in deps.link_secrets]
    if not any(fits):
        raise NotFoundError
    return identifier


def checkout_url(deps: Deps, intent_id: str) -> str:
    return f"{deps.public_url}/pay/{token_of(deps, intent_id)}"


def result_url(deps: Deps, intent_id: str) -> str:
    """Where the provider sends the payer back to. The page reads our own state: the return decides nothing."""
    return f"{checkout_url(deps, intent_id)}/result"


def callback_url(deps: Deps, provider: str) -> str:
    return f"{deps.public_url}/callbacks/{provider}"


def landing_url(deps: Deps, provider: str) -> str:
    """Where payers come back to from a rail that must know all our addresses in advance: one for all of them."""
    return f"{deps.public_url}/returns/{provider}"


def _mac(secret: bytes, body: str, purpose: bytes) -> str:
    return hmac.digest(secret, purpose + body.encode(), "sha256")[:_MAC_BYTES].hex()
