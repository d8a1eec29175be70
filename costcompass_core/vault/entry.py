"""What may stand in the vault: the form of a name and of a value."""

from __future__ import annotations

import json
import re

from costcompass_core.domain.errors import UsageError
from costcompass_core.domain.secret import Secret

MAX_VALUE = 4096
"""Characters of the longest value; the longest key seen at a provider has a few hundred, and the
JSON of a service account about 2,400."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
_VALUE = re.compile(r"[!-~]+")


def check_name(name: str) -> str:
    """Return `name` if it reads PROVIDER/ACCOUNT; what else was typed is not repeated.

    A key pasted where the name belongs would otherwise end up on the screen and in logs.
    """
    if not _NAME.fullmatch(name):
        raise UsageError("an entry is named PROVIDER/ACCOUNT", "for example openrouter/main")
    return name


def clean_value(text: str) -> Secret:
    """Strip what pasting adds around a key, and refuse what no HTTP header could carry."""
    value = text.strip()
    if not value:
        raise UsageError("the value is empty", "paste the key itself")
    if len(value) > MAX_VALUE:
        raise UsageError(f"the value is longer than {MAX_VALUE} characters", "paste only the key")
    if value.startswith("{"):
        return Secret(_one_line_json(value))
    if not _VALUE.fullmatch(value):
        raise UsageError(
            "the value holds white space or a character that is not printable ASCII",
            "copy the key again, whole and alone",
        )
    return Secret(value)


def _one_line_json(text: str) -> str:
    """Return a JSON object, such as a service account's key file, as one line of ASCII."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError(
            "the value begins like JSON and is none",
            "give the whole file on standard input: costcompass vault add NAME < key.json",
        ) from None
    return json.dumps(value, separators=(",", ":"))
