"""What kind of secret something is, found out before it is stored."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

from bot.config import Config
from bot.refreshing import connected
from costcompass_core.domain.accounts import Account, account_name
from costcompass_core.domain.errors import Unavailable, WrongKeyType
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.registry import PROVIDERS

SLACK_TOKENS: Final = {
    "slack/bot-token": ("xoxb-", "bot token", "it begins with xoxb- (OAuth & Permissions)"),
    "slack/app-token": ("xapp-", "app-level token", "it begins with xapp- (Basic Information)"),
}


def kind_of(name: str, value: Secret, config: Config, now: Callable[[], datetime]) -> str:
    """Return in words what `value` is, asking the provider of a provider's key.

    Raises `WrongKeyType` or `KeyRejected` for what can never work under `name`, `Unavailable` when
    the provider could not be asked.
    """
    if name in SLACK_TOKENS:
        prefix, words, mend = SLACK_TOKENS[name]
        if not value.expose().startswith(prefix):
            raise WrongKeyType(f"this is not Slack's {words}", mend)
        return words
    provider = PROVIDERS.get(name.partition("/")[0])
    if provider is None:
        return "unknown form"
    known_form = provider.check_form(value)
    account = next(
        (one for one in config.accounts if one.secret_name == name),
        Account(
            account_name(provider.name, name.partition("/")[2]), provider.name, provider.base_url
        ),
    )
    missing = [one for one in provider.options if one.required and one.name not in account.options]
    if missing:
        raise Unavailable(
            f"{provider.title} needs {missing[0].what}",
            f"set `{missing[0].name}` in its [[account]], then run `costcompass doctor`",
        )
    with connected(account, value, threading.Event().wait, now) as source:
        kind = provider.identify(source.client)
    provider.require_type(kind)
    return f"{kind.value} key" + ("" if known_form else ", unknown form")
