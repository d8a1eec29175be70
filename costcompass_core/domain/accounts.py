"""Accounts as the user configured them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """One account at one provider; `base_url` is where its API is asked, without a final slash."""

    name: str
    provider: str
    base_url: str

    @property
    def secret_name(self) -> str:
        """The vault entry that holds its key."""
        return f"{self.provider}/{self.name}"
