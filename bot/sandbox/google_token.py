"""Google's token endpoint, as a stand-in: a JWT with a good signature for an access token."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from bot.sandbox.wire import JSON_TYPE, Answer, answered

READER: Final = "reader@acme-billing.iam.gserviceaccount.com"
"""The account that may read the export."""
STRANGER: Final = "stranger@acme-billing.iam.gserviceaccount.com"
"""One that has no roles."""

_SCOPE: Final = "https://www.googleapis.com/auth/bigquery.readonly"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_KEY_ID: Final = "0123456789abcdef0123456789abcdef01234567"


def account_json(email: str, token_url: str) -> str:
    """Return a service account's key file on one line."""
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "acme-billing",
            "private_key_id": _KEY_ID,
            "private_key": _private_key(),
            "client_email": email,
            "client_id": "100000000000000000001",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": token_url,
            "universe_domain": "googleapis.com",
        }
    )


def token_answer(
    fields: Mapping[str, str], token_url: str, moment: float, tokens: Mapping[str, str]
) -> Answer:
    """Answer a form: with the account's token of `tokens`, or with what is wrong about it."""
    if fields.get("grant_type") != _GRANT:
        return _no_token("unsupported_grant_type", f"Invalid grant_type: {_GRANT}")
    claims = _verified(fields.get("assertion", ""))
    if wrong := _wrong(claims, token_url, moment):
        return _no_token("invalid_grant", f"Invalid JWT: {wrong}")
    token = tokens.get(claims["iss"])
    if token is None:
        return _no_token("invalid_grant", "Invalid grant: account not found")
    return answered({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})


def _no_token(code: str, words: str) -> Answer:
    body = json.dumps({"error": code, "error_description": words})
    return Answer(400, body.encode(), {"Content-Type": JSON_TYPE})


@cache
def _pair() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _private_key() -> str:
    return (
        _pair()
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


def _verified(assertion: str) -> dict[str, Any]:
    """Return the claims of a JWT with a good signature by the one key there is, else nothing."""
    try:
        head, claims, signature = assertion.split(".")
        _pair().public_key().verify(
            _bytes(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), SHA256()
        )
        known = json.loads(_bytes(head)) == {"alg": "RS256", "typ": "JWT", "kid": _KEY_ID}
        return dict(json.loads(_bytes(claims))) if known else {}
    except (ValueError, InvalidSignature):
        return {}


def _wrong(claims: Mapping[str, Any], audience: str, moment: float) -> str:
    """Return what is wrong with the claims, in few words."""
    if set(claims) != {"iss", "scope", "aud", "iat", "exp"}:
        return "Signature or claims."
    if claims["aud"] != audience or claims["scope"] != _SCOPE:
        return "Failed audience check."
    issued, expires = claims["iat"], claims["exp"]
    if type(issued) is int and type(expires) is int:
        short_lived = issued - 300 <= moment < expires <= issued + 3600
        return "" if short_lived else "Token must be a short-lived token (60 minutes)."
    return "iat and exp have to be whole numbers."


def _bytes(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
