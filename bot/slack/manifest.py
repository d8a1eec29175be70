"""The Slack app manifest, made from the registered commands, so that the two cannot disagree.

Slack's own schema of it (slackapi/manifest-schema, 1.0.0) is what the tests validate against.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.slack.commands.base import Command

SCOPES: Final[Mapping[str, str]] = {
    "commands": "so that people can type the slash commands",
    "chat:write": "to post digests and alerts where the bot was invited",
}
"""What the bot token may do, and why it needs it."""


def manifest(commands: Sequence[Command]) -> dict[str, Any]:
    """Return the manifest of an app with these commands."""
    return {
        "display_information": {
            "name": "CostCompass",
            "description": "Says which model is spending your OpenRouter balance, how fast, and when it runs dry.",
            "background_color": "#1f3d4d",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "CostCompass", "always_online": True},
            "slash_commands": [_slash_command(command) for command in commands],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": ["app_home_opened"]},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }


def as_json(value: Mapping[str, Any]) -> str:
    """Return a manifest as JSON text."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def as_yaml(value: Mapping[str, Any]) -> str:
    """Return a manifest as YAML text."""
    return "\n".join(_mapping_lines(value, "")) + "\n"


def _slash_command(command: Command) -> dict[str, Any]:
    hint = {"usage_hint": command.usage_hint} if command.usage_hint else {}
    return {
        "command": command.name,
        "description": command.description,
        **hint,
        "should_escape": False,
    }


def _mapping_lines(value: Mapping[str, Any], indent: str) -> list[str]:
    """Write `key: value` lines; a scalar looks in YAML as it does in JSON, quotes included."""
    lines = []
    for key, item in value.items():
        if isinstance(item, Mapping):
            lines += [f"{indent}{key}:", *_mapping_lines(item, indent + "  ")]
        elif isinstance(item, list):
            lines += [f"{indent}{key}:", *_item_lines(item, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {json.dumps(item, ensure_ascii=False)}")
    return lines


def _item_lines(items: list[Any], indent: str) -> list[str]:
    lines = []
    for item in items:
        if isinstance(item, Mapping):
            first, *rest = _mapping_lines(item, indent + "  ")
            lines += [f"{indent}- {first.lstrip()}", *rest]
        else:
            lines.append(f"{indent}- {json.dumps(item, ensure_ascii=False)}")
    return lines
