"""How the API's description shows credentials, tokens and keys."""

from __future__ import annotations

from typing import Any, Final

from gateway.api.meanings import chapter_of, operation_id
from gateway.domain.caller import Scope

Schema = dict[str, Any]


def closed(required: dict[str, Schema], **optional: Schema) -> Schema:
    """Return an object with these members and no other."""
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


_TEXT: Final[Schema] = {"type": "string"}
_TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
_COUNT_OR_NULL: Final[Schema] = {"type": ["integer", "null"]}
_INSTANT: Final[Schema] = {"type": "string", "format": "date-time"}
_INSTANT_OR_NULL: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
_SCOPES: Final[Schema] = {"type": "array", "items": {"enum": [scope.value for scope in Scope]}}
_ALSO_ENDED: Final[Schema] = {
    "type": "array",
    "items": {"type": "string"},
    "description": "what was ended with it, where that was asked for",
}
_KEY_SET: Final[Schema] = closed({"keys": {"type": "array", "items": {"type": "object", "additionalProperties": True}}})


def _id(prefix: str) -> Schema:
    return {"type": "string", "pattern": f"^{prefix}_[0-9a-hjkmnp-tv-z]{{26}}$"}


SHAPES: Final[dict[str, Schema]] = {
    "ApiKey": closed(
        {
            "id": _id("key"),
            "object": {"const": "api_key"},
            "label": _TEXT,
            "scopes": _SCOPES,
            "live": {"type": "boolean"},
            "requests_per_minute": _COUNT_OR_NULL,
            "replaces": _TEXT_OR_NULL,
            "made_by": _TEXT_OR_NULL,
            "origin": _TEXT,
            "created_at": _INSTANT,
            "expires_at": _INSTANT_OR_NULL,
            "revoked_at": _INSTANT_OR_NULL,
            "last_used_at": _INSTANT_OR_NULL,
        },
        secret={"type": "string", "pattern": "^mzn_", "description": "shown in the first answer, and never again"},
        also_ended=_ALSO_ENDED,
    ),
    "OAuthClient": closed(
        {
            "id": _id("cl"),
            "object": {"const": "oauth_client"},
            "label": _TEXT,
            "scopes": _SCOPES,
            "live": {"type": "boolean"},
            "jwks": {"anyOf": [_KEY_SET, {"type": "null"}]},
            "jwks_url": _TEXT_OR_NULL,
            "requests_per_minute": _COUNT_OR_NULL,
            "made_by": _TEXT_OR_NULL,
            "keys_by": _TEXT_OR_NULL,
            "origin": _TEXT,
            "created_at": _INSTANT,
            "updated_at": _INSTANT,
            "expires_at": _INSTANT_OR_NULL,
            "disabled_at": _INSTANT_OR_NULL,
            "last_used_at": _INSTANT_OR_NULL,
        },
        also_ended=_ALSO_ENDED,
    ),
    "Token": closed(
        {
            "access_token": _TEXT,
            "token_type": {"const": "Bearer"},
            "expires_in": {"type": "integer"},
            "scope": _TEXT,
        }
    ),
    "TokenRefusal": closed(
        {
            "error": {"enum": ["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"]},
            "error_description": _TEXT,
        }
    ),
    "KeySet": _KEY_SET,
    "WebhookKey": closed(
        {
            "id": _TEXT,
            "object": {"const": "webhook_key"},
            "public_key": {"type": "string", "pattern": "^whpk_"},
            "jwk": {"type": "object", "additionalProperties": True},
        }
    ),
    "ServerMetadata": {"type": "object", "required": ["issuer", "token_endpoint"], "additionalProperties": True},
}

# As in openapi.py: what it does, the body it reads, the status and shape of its answer, the filters of a list.
OPERATIONS: Final[dict[tuple[str, str], tuple[str, str | None, int, str, tuple[str, ...]]]] = {
    ("POST", "/v1/api-keys"): ("Make an API key", "CreateApiKey", 201, "ApiKey", ()),
    ("GET", "/v1/api-keys"): ("List API keys, newest first", None, 200, "ApiKeyList", ()),
    ("GET", "/v1/api-keys/{id}"): ("Read an API key", None, 200, "ApiKey", ()),
    ("POST", "/v1/api-keys/{id}/rotate"): ("Replace a key; both work for a while", "RotateApiKey", 201, "ApiKey", ()),
    ("POST", "/v1/api-keys/{id}/revoke"): ("Revoke a key", "EndCredential", 200, "ApiKey", ()),
    ("POST", "/v1/oauth-clients"): ("Register an OAuth client", "CreateOAuthClient", 201, "OAuthClient", ()),
    ("GET", "/v1/oauth-clients"): ("List OAuth clients, newest first", None, 200, "OAuthClientList", ()),
    ("GET", "/v1/oauth-clients/{id}"): ("Read an OAuth client", None, 200, "OAuthClient", ()),
    ("POST", "/v1/oauth-clients/{id}/keys"): ("Put other keys in place", "ClientKeys", 200, "OAuthClient", ()),
    ("POST", "/v1/oauth-clients/{id}/disable"): ("Disable a client", "EndCredential", 200, "OAuthClient", ()),
}

LISTS: Final = {"ApiKeyList": "ApiKey", "OAuthClientList": "OAuthClient", "WebhookKeyList": "WebhookKey"}

TOKEN_REQUEST: Final[Schema] = {
    "type": "object",
    "properties": {
        "grant_type": {"const": "client_credentials"},
        "client_assertion_type": {"const": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
        "client_assertion": _TEXT,
        "client_id": _TEXT,
        "scope": _TEXT,
    },
    "required": ["grant_type", "client_assertion_type", "client_assertion"],
}


def public_paths(problem: Schema) -> dict[str, Schema]:
    """Describe what is open to everybody: the token endpoint, and the keys with which others verify us."""
    refused = {"application/problem+json": problem}
    refusals = {
        status: {"description": "Refused", "content": refused} for status in ("400", "408", "413", "429", "500", "503")
    }
    oauth = {"description": "No token is given", "content": {"application/json": {"schema": _ref("TokenRefusal")}}}
    both = {
        "description": "No token is given, or the request cannot be read",
        "content": {"application/json": {"schema": _ref("TokenRefusal")}, **refused},
    }
    token = {
        "operationId": operation_id("POST", "/v1/oauth/token"),
        "tags": [chapter_of("/v1/oauth/token")],
        "summary": "Get an access token for a signed assertion (RFC 7523)",
        "security": [],
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": TOKEN_REQUEST}},
        },
        "responses": {"200": _answer("The token", "Token"), **refusals, "400": both, "401": oauth},
    }
    keys = {
        "operationId": operation_id("GET", "/v1/webhook-keys"),
        "tags": [chapter_of("/v1/webhook-keys")],
        "summary": "List the keys that verify v1a signatures of webhooks",
        "security": [],
        "responses": {"200": _answer("The keys", "WebhookKeyList"), **refusals},
    }
    return {"/v1/oauth/token": {"post": token}, "/v1/webhook-keys": {"get": keys}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, name: str) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": _ref(name)}}}
