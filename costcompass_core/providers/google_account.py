"""Signing in to Google with a service account: its private key signs, and never travels.

RFC 7523 as Google documents it for servers: a JWT that is good for an hour, signed with RS256, is
exchanged for an access token. No error text holds the key, the JWT or the token.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from costcompass_core.domain.errors import (
    CostCompassError,
    Declined,
    KeyRejected,
    Unavailable,
    UnreadableAnswer,
    WrongKeyType,
)
from costcompass_core.domain.secret import Secret
from costcompass_core.providers import strict_json
from costcompass_core.providers.address import parts_of, private
from costcompass_core.providers.base import Dial
from costcompass_core.providers.keyforms import refuse_foreign

MAKE_ONE: Final = (
    "make a key of a service account at https://console.cloud.google.com/iam-admin/serviceaccounts"
    " (IAM & Admin > Service accounts > Keys) and store the whole file (vault add … < key.json); the account needs the"
    " roles BigQuery Data Viewer on the export's dataset and BigQuery Job User on its project"
)
SCOPE: Final = "https://www.googleapis.com/auth/bigquery.readonly"
GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME_SECONDS: Final = 3600
"""The longest that Google lets a signed request be good for."""

_ENDPOINT: Final = re.compile(
    r"(?P<base>https?://[^/?#\\@]+(?:/[\w.~-]+)*)(?P<path>/[\w.~-]+)", re.ASCII
)
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{16,4096}")
_STATUS: Final = re.compile(r"\(([1-5][0-9]{2})(?:\)|: )")
_CODE: Final = re.compile(
    r"\b(?:invalid_(?:grant|client|scope|request)|unauthorized_client|access_denied)\b"
)
_MEND: Final = "check that it still exists, that its key was not deleted, and this machine's clock"


@dataclass(frozen=True, slots=True, repr=False)
class Account:
    """What of a service account's JSON is used; it does not show itself."""

    email: str
    private_key: str
    key_id: str
    base: str
    """The token endpoint without the last part of its path, which is `path`."""
    path: str


def account_of(key: Secret) -> Account:
    """Return the service account that `key` is; raises `WrongKeyType` for anything else."""
    refuse_foreign(key, "google", "Google Cloud", MAKE_ONE)
    text = key.expose().strip()
    if text.startswith("AIza"):
        raise WrongKeyType(
            "this is an API key of Google, which can run models, not read costs", MAKE_ONE
        )
    found = _json(text)
    if found is None:
        raise WrongKeyType("this is not the JSON of a service account", MAKE_ONE)
    kind = found.get("type")
    if kind != "service_account":
        whose = "a person's" if kind == "authorized_user" else "other"
        raise WrongKeyType(
            f"these are {whose} credentials, not those of a service account", MAKE_ONE
        )
    texts = {name: found.get(name) for name in ("client_email", "private_key", "token_uri")}
    missing = [name for name, value in texts.items() if not isinstance(value, str) or not value]
    if missing:
        raise WrongKeyType(f"this service account has no {missing[0]}", MAKE_ONE)
    endpoint = _ENDPOINT.fullmatch(found["token_uri"])
    parts = parts_of(found["token_uri"])
    if endpoint is None or parts is None or not private(parts):
        raise WrongKeyType("the token_uri of this service account is no safe address", MAKE_ONE)
    ident = found.get("private_key_id")
    return Account(
        found["client_email"],
        found["private_key"],
        ident if isinstance(ident, str) else "",
        endpoint["base"],
        endpoint["path"],
    )


def _json(text: str) -> dict[str, Any] | None:
    try:
        found = strict_json.decode(text.encode())
    except ValueError:  # UnicodeError is one
        return None
    return found if isinstance(found, dict) else None


def sign_in(key: Secret, dial: Dial, now: datetime) -> Mapping[str, str]:
    """Return headers with an access token, which is good for an hour from `now`.

    Raises `KeyRejected` where Google does not accept the account, else as `Client.post_form` does.
    """
    account = account_of(key)
    fields = {"grant_type": GRANT, "assertion": _assertion(account, now)}
    failed: CostCompassError
    try:
        body = dial(account.base, {}).post_form(account.path, fields).body
    except CostCompassError as error:
        failed = _without_secrets(error)
    else:
        return {"Authorization": f"Bearer {_token(body)}"}
    raise failed


def _assertion(account: Account, now: datetime) -> str:
    issued = int(now.timestamp())
    head = {"alg": "RS256", "typ": "JWT", **({"kid": account.key_id} if account.key_id else {})}
    claims = {
        "iss": account.email,
        "scope": SCOPE,
        "aud": account.base + account.path,
        "iat": issued,
        "exp": issued + LIFETIME_SECONDS,
    }
    signed = f"{_part(_compact(head))}.{_part(_compact(claims))}"
    return f"{signed}.{_part(_signature(account, signed.encode()))}"


def _compact(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _part(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _signature(account: Account, data: bytes) -> bytes:
    # A quarter of a second that only those who read Google's costs need spend.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    signature = None
    try:
        key = load_pem_private_key(account.private_key.encode(), password=None)
        if isinstance(key, RSAPrivateKey):
            signature = key.sign(data, PKCS1v15(), SHA256())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        pass  # raised below, where it drags nothing of the key along
    if signature is None:
        raise WrongKeyType("the private_key of this service account is no RSA key in PEM", MAKE_ONE)
    return signature


def _without_secrets(error: CostCompassError) -> CostCompassError:
    """Return the error in our own words: the other side's may repeat what it was sent."""
    code = _CODE.search(error.what)
    if isinstance(error, KeyRejected | Declined):
        why = f" ({code[0]})" if code else ""
        return KeyRejected(f"Google does not accept this service account{why}", _MEND)
    status = _STATUS.search(error.what)
    if status is None or isinstance(error, UnreadableAnswer):
        return error  # words of ours alone
    what = f"Google's token endpoint answered with an error ({status[1]})"
    return Unavailable(what, error.mend)


def _token(body: Any) -> str:
    """Return the access token, which is never quoted, not even an odd one."""
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise UnreadableAnswer("Google's token endpoint answered without a usable access token")
    if str(body.get("token_type", "Bearer")).lower() != "bearer":
        raise UnreadableAnswer("Google's token endpoint answered with another kind of token")
    return token
