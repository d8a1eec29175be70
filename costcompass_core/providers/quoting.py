"""A stranger's words in our errors: one short line, and nothing of ours that they may echo."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

_MOST: Final = 200
"""Characters that fit into one of our error lines."""


def quoting(secrets: Iterable[str]) -> Callable[[str], str]:
    """Return what makes words fit to print: short, on one line, without any of `secrets`."""
    longest_first = sorted(set(secrets), key=len, reverse=True)

    def quote(text: str) -> str:
        for secret in longest_first:
            text = text.replace(secret, "…")
        folded = " ".join(text.split())
        return folded[:_MOST] + ("…" if len(folded) > _MOST else "")

    return quote
