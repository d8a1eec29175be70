"""Which kind of token something is, by how it begins: before any of them is sent anywhere.

Slack itself takes a person's token as a bot's, and then posts as that person.
"""

from __future__ import annotations

from typing import Final

from costcompass_core.domain.errors import WrongKeyType
from costcompass_core.domain.secret import Secret

BOT: Final = "slack/bot-token"
APP: Final = "slack/app-token"

_KINDS: Final = (
    ("xoxb-", "a bot token"),
    ("xapp-", "an app-level token"),
    ("xoxp-", "a person's token"),
    ("xoxc-", "a browser's token"),
    ("xoxe", "a token that rotates"),
)
_RIGHT: Final = {BOT: "xoxb-", APP: "xapp-"}
_MENDS: Final = {
    BOT: "store the Bot User OAuth Token (OAuth & Permissions), which begins with xoxb-",
    APP: "store the app-level token (Basic Information), which begins with xapp-",
}
_STEADY: Final = "turn token rotation off for the app, reinstall it, and store the new token"


def require_kind(name: str, token: Secret) -> None:
    """Raise `WrongKeyType` where the vault's entry `name` plainly holds another kind of token."""
    found = _kind(token)
    if found is None or found[0] == _RIGHT[name]:
        return
    start, kind = found
    mend = _STEADY if start == "xoxe" else _MENDS[name]
    raise WrongKeyType(f"{name} holds {kind} ({start}…)", f"{mend}: costcompass vault add {name}")


def swapped(bot: Secret, app: Secret) -> bool:
    """Return whether each of the two stands in the other's place."""
    return bot.expose().startswith(_RIGHT[APP]) and app.expose().startswith(_RIGHT[BOT])


def _kind(token: Secret) -> tuple[str, str] | None:
    return next((one for one in _KINDS if token.expose().startswith(one[0])), None)
