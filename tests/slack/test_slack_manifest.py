from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import jsonschema
from slack_bolt import BoltRequest
from slack_helpers import ECHO, now

from bot.sandbox.slack import Slack
from bot.slack.app import build_app
from bot.slack.blocks import Message
from bot.slack.commands import COMMANDS
from bot.slack.commands.base import Command
from bot.slack.manifest import SCOPES, as_json, as_yaml, manifest
from bot.slack.web import web_client
from costcompass_core.domain.secret import Secret

SCHEMA = json.loads(Path(__file__).with_name("manifest.schema.1.0.0.json").read_text())
"""Slack's own, as published in slackapi/manifest-schema."""

FORECAST = Command("/forecast", 'a "quoted": hint', "What comes – next #1", lambda *_: Message("."))


def registered(commands: tuple[Command, ...], slack: Slack, names: set[str]) -> set[str]:
    """Those of `names` that the app answers."""
    app = build_app(
        client=web_client(Secret(slack.bot_token), slack.api_url),
        commands=commands,
        questions=object(),
        alerts=object(),
        team_id=slack.team_id,
        allowed_users=frozenset({"U1"}),
        now=now,
    )
    asked = {"team_id": slack.team_id, "user_id": "U1", "text": "", "token": "t"}
    return {
        name
        for name in names
        if app.dispatch(BoltRequest(mode="socket_mode", body={**asked, "command": name})).status
        == 200
    }


def test_the_manifest_is_one_that_slack_takes():
    wordless = Command("/forecast", "", "Takes no words", lambda *_: Message("."))
    for commands in ((ECHO, wordless), COMMANDS or (FORECAST,)):
        jsonschema.validate(manifest(commands), SCHEMA)


def test_it_asks_for_two_scopes_and_no_public_address():
    made = manifest((ECHO,))
    assert made["oauth_config"] == {"scopes": {"bot": ["commands", "chat:write"]}}
    assert set(SCOPES) == {"commands", "chat:write"}
    assert made["features"]["app_home"]["home_tab_enabled"] is True
    assert made["settings"] == {
        "event_subscriptions": {"bot_events": ["app_home_opened"]},
        "interactivity": {"is_enabled": True},
        "org_deploy_enabled": False,
        "socket_mode_enabled": True,
        "token_rotation_enabled": False,
    }


def test_its_commands_are_the_ones_the_app_answers(slack: Slack):
    commands = (ECHO, FORECAST)
    named = {one["command"] for one in manifest(commands)["features"]["slash_commands"]}
    assert registered(commands, slack, named) == named
    assert registered((ECHO,), slack, named) == {"/spend"}


def test_json_and_yaml_say_the_same():
    made = manifest((ECHO, FORECAST))
    assert json.loads(as_json(made)) == made
    assert parse_yaml(as_yaml(made).splitlines()) == made


def parse_yaml(lines: list[str]) -> object:
    """Reads the little YAML that is needed: block mappings and sequences of JSON scalars."""
    if lines[0].startswith("- "):
        starts = [i for i, line in enumerate(lines) if line.startswith("- ")] + [len(lines)]
        return [parse_yaml([line[2:] for line in lines[a:b]]) for a, b in pairwise(starts)]
    if len(lines) == 1 and not lines[0].endswith(":") and lines[0][0] == '"':
        return json.loads(lines[0])
    starts = [i for i, line in enumerate(lines) if not line.startswith(" ")] + [len(lines)]
    made = {}
    for a, b in pairwise(starts):
        key, _, rest = lines[a].partition(":")
        made[key] = json.loads(rest) if rest else parse_yaml([x[2:] for x in lines[a + 1 : b]])
    return made
