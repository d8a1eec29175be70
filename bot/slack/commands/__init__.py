"""The slash commands. A new one is one file ending in `COMMAND = Command(...)` and one entry here."""

from __future__ import annotations

from bot.slack.commands import forecast, spend
from bot.slack.commands.base import Command

COMMANDS: tuple[Command, ...] = (spend.COMMAND, forecast.COMMAND)
"""In the order in which the manifest and the help name them."""
