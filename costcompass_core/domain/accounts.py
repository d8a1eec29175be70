"""Accounts as the user configured them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_PLAIN: Final = "openrouter"
"""The provider whose accounts go by their bare name: they had none beside them once."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account at one provider; `base_url` is where its API is asked, without a final slash.

    `name` tells it from every other (`account_name`). `options` are what the provider needs to know
    beside a key, such as a team or a folder.
    """

    name: str
    provider: str
    base_url: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def secret_name(self) -> str:
        """The vault entry that holds its key."""
        return self.name if "/" in self.name else f"{self.provider}/{self.name}"


def account_name(provider: str, name: str) -> str:
    """Return what an account is called everywhere: `main`, or `anthropic/main` beside OpenRouter's."""
    return name if provider == _PLAIN else f"{provider}/{name}"
