"""What strangers' text becomes in Slack: no mention, no link, no markup, no broken line."""

from __future__ import annotations

from bot import words


def escape(text: str) -> str:
    """Escape the three characters that Slack gives a meaning to."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def bare(name: str) -> str:
    """Return a stranger's name for places that Slack shows as they are, with no markup all the same."""
    return words.clean(name).replace("<", "‹").replace(">", "›").replace("`", "ˋ")


def calm(name: str) -> str:
    """Return somebody's name without the characters that Slack makes bold, italic or code of."""
    return words.clean("".join(one for one in name if one not in "*_~`"))


def fenced(name: str) -> str:
    """Return a stranger's name as code, where Slack looks for neither links nor markup."""
    return f"`{words.clean(name).replace('`', 'ˋ')}`"
