"""Asking on from an answer: menus, buttons, sharing and refreshing, over the real Socket Mode."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from conversation_world import CHANNEL, OTHER, SECOND, STRANGER, Talk, kinds
from delivery_world import World
from slack_helpers import eventually

from bot.sandbox.slack_faults import hang_up, refusal
from bot.sandbox.slack_workspace import Shown
from bot.slack.looks import Looks


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world.begin()
        assert world.slack.violations == ()


@pytest.fixture
def talk(world: World) -> Iterator[Talk]:
    talk = Talk(world)
    yield talk.spends().connects()
    talk.ends()


def newest(talk: Talk) -> Shown:
    return talk.slack.messages[-1]


def asked(talk: Talk, command: str, text: str = "", **more: str) -> Shown:
    """Type a command and return the answer as it is shown."""
    assert talk.user.command(command, text, **more).error == ""
    assert eventually(lambda: bool(talk.slack.messages))
    return newest(talk)


def controls(shown: Shown) -> dict[str, list[str]]:
    """The texts of what can be pressed or chosen, by action_id."""
    found = {}
    for block in shown.blocks:
        for one in block["elements"] if block["type"] == "actions" else ():
            options = [option["text"]["text"] for option in one.get("options", ())]
            found[one["action_id"]] = options or [one["text"]["text"]]
    return found


def test_spend_leads_with_the_total_then_a_chart_a_ranking_and_its_source(talk: Talk):
    shown = asked(talk, "/spend", "7d")
    assert kinds(shown.blocks) == [
        "header", "section", "data_visualization", "data_table", "context", "actions", "actions",
    ]  # fmt: skip
    assert shown.blocks[0]["text"]["text"] == "$63.28 · Last 7 days"
    assert "in the 7 days before ($67.80)" in shown.text
    chart = shown.blocks[2]["chart"]
    assert len(chart["axis_config"]["categories"]) == 7
    assert round(sum(one["value"] for one in chart["series"][0]["data"]), 2) == 63.28
    heads = [cell["text"] for cell in shown.blocks[3]["rows"][0]]
    assert heads == ["Model", "Cost", "Share", "Tokens", "Per 1M tokens", "Trend"]
    assert "nothing missing" in json.dumps(shown.blocks[4])


def test_a_menu_changes_the_question_in_place_and_after_a_restart_too(talk: Talk):
    first = asked(talk, "/spend", "claude")
    talk.user.choose(first, "ask_period", "Last 30 days")
    assert eventually(lambda: "Last 30 days" in newest(talk).text)
    assert newest(talk).ts == first.ts, "in place"
    talk.connects()
    talk.user.choose(newest(talk), "ask_by", "By host")
    assert eventually(
        lambda: "most on `OpenAI`" in newest(talk).text or "all on `OpenAI`" in newest(talk).text
    )
    assert "claude" in newest(talk).text, "the filter stays"
    [period] = [
        one for one in newest(talk).blocks[-2]["elements"] if one["action_id"] == "ask_period"
    ]
    assert period["initial_option"]["text"]["text"] == "Last 30 days"


def test_one_model_is_looked_into_exactly_and_left_again(talk: Talk):
    shown = asked(talk, "/spend", "7d")
    talk.user.choose(shown, "ask_model", "openai/gpt-4.1")
    assert eventually(lambda: "on `openai/gpt-4.1`" in newest(talk).text)
    talk.user.press(newest(talk), "All models")
    assert eventually(lambda: "most on `anthropic/claude-sonnet-4.5`" in newest(talk).text)


def test_buttons_lead_from_spend_to_why_to_the_forecast(talk: Talk):
    shown = asked(talk, "/spend", "7d")
    talk.user.press(shown, "Why it changed")
    assert eventually(lambda: newest(talk).text.startswith(("Up ", "Down ", "Unchanged")))
    assert "Volume" in json.dumps(newest(talk).blocks)
    talk.user.press(newest(talk), "What it cost")
    assert eventually(lambda: newest(talk).text.startswith("Last 7 days"))
    talk.user.press(newest(talk), "Forecast")
    assert eventually(lambda: "will cost about" in newest(talk).text)
    assert "all models" in json.dumps(newest(talk).blocks), "budgets"
    assert len(talk.slack.messages) == 1, "one answer, changed in place"


def test_help_has_examples_that_can_be_tried(talk: Talk):
    shown = asked(talk, "/spend", "help")
    talk.user.press(shown, "ask_example_3")
    assert eventually(lambda: newest(talk).text.startswith("Last 30 days"))


def test_a_typo_is_answered_with_a_button_that_asks_what_was_meant(talk: Talk):
    shown = asked(talk, "/spend", "yesturday claude")
    assert "did you mean `yesterday`?" in shown.text
    talk.user.press(shown, "Use /spend yesterday claude")
    assert eventually(lambda: newest(talk).text.startswith("Yesterday"))
    nearly = asked(talk, "/spend", "7d sonett")
    talk.user.press(nearly, "Look at sonnet")
    assert eventually(lambda: "matching `sonnet`" in newest(talk).text)


def test_an_answer_is_shared_only_where_that_is_allowed_and_read_by_each_alone(talk: Talk):
    shown = asked(talk, "/spend", "7d")
    [share] = [
        one for row in shown.blocks if row["type"] == "actions" for one in row["elements"]
        if one["action_id"] == "answer_share"
    ]  # fmt: skip
    assert "confirm" in share
    talk.user.press(shown, "Share here")
    assert eventually(lambda: newest(talk).only_for == "")
    public = newest(talk)
    assert "Shared by <@U0SANDBOX01>" in json.dumps(public.blocks)
    assert controls(public) == {"own_look": ["Look for yourself"]}
    talk.user.press(public, "Look for yourself", user_id=OTHER)
    assert eventually(lambda: newest(talk).only_for == OTHER)
    assert "ask_period" in controls(newest(talk))
    assert newest(talk).ts != public.ts

    elsewhere = asked(talk, "/spend", "7d", channel=SECOND)
    assert "answer_share" not in controls(elsewhere)
    reply = talk.user.action("answer_share", "/spend 7d", channel=SECOND)
    assert eventually(lambda: bool(reply.later))
    assert (reply.later[0].only_for, "share_in" in reply.later[0].text) == ("U0SANDBOX01", True)


def test_refresh_now_shows_its_progress_in_place_and_is_not_done_twice_at_once(talk: Talk):
    shown = asked(talk, "/spend", "7d")
    going, finish = Event(), Event()

    def slowly() -> list[str]:
        going.set()
        finish.wait(60)
        return ["main: 12 rows, 1 new days"]

    talk.refreshing = slowly
    talk.user.press(shown, "Refresh now")
    assert going.wait(20)
    assert eventually(lambda: "Reading the provider now" in json.dumps(newest(talk).blocks))
    assert controls(newest(talk)) == {}
    reply = talk.user.action("answer_refresh", "/spend 7d", user_id=OTHER)
    assert eventually(lambda: bool(reply.later))
    assert "going on already" in json.dumps(reply.later[0].blocks)
    finish.set()
    assert eventually(lambda: "main: 12 rows" in json.dumps(talk.slack.messages[0].blocks))
    again = talk.user.action("answer_refresh", "/spend 7d")
    assert eventually(lambda: bool(again.later))
    assert "try again in" in json.dumps(again.later[0].blocks)
    assert len(talk.refreshes) == 1


def test_a_stranger_presses_in_vain(talk: Talk):
    for action in ("ask_period", "answer_share", "answer_refresh", "own_1"):
        reply = talk.user.action(action, "/spend 7d", user_id=STRANGER)
        assert eventually(lambda reply=reply: bool(reply.later))
        assert "allowed_users" in reply.later[0].text
        assert "$" not in reply.later[0].text
    assert talk.refreshes == []


@pytest.mark.parametrize("value", ["", "spend", "/rm -rf", "/spend " + "x" * 600, "/spend \n7d"])
def test_a_forged_control_gets_an_answer_and_does_no_harm(talk: Talk, value: str):
    reply = talk.user.action("ask_period", value)
    assert eventually(lambda: bool(reply.later))
    assert reply.later[0].text


def test_where_slack_refuses_new_blocks_the_same_answer_is_spelled_out_and_remembered(talk: Talk):
    talk.slack.draws(new_blocks=False)
    shown = asked(talk.connects(), "/spend", "7d")
    assert "data_table" not in kinds(shown.blocks)
    told = json.dumps(shown.blocks, ensure_ascii=False)
    assert "1. *$42.00*  `anthropic/claude-sonnet-4.5`" in told
    asks = [call.method for call in talk.slack.calls].count("blocks.validate")
    asked(talk.connects(), "/spend", "7d")
    assert [call.method for call in talk.slack.calls].count("blocks.validate") == asks
    talk.slack.draws(new_blocks=True)
    talk.world.later(days=8)
    again = asked(talk.connects(), "/spend", "30d")
    assert "data_table" in kinds(again.blocks), "tried again after a week"


def test_where_slack_does_not_say_what_it_draws_the_first_answer_shows(talk: Talk):
    talk.slack.draws(new_blocks=False)
    talk.slack.faults.plan("blocks.validate", refusal("unknown_method"), None)
    reply = talk.connects(looks=Looks()).user.command("/spend", "7d")
    assert (reply.error, reply.text) == ("", ""), (
        "not inside the acknowledgement, where none would see"
    )
    assert eventually(lambda: bool(reply.later))
    assert "data_table" not in kinds(reply.later[0].blocks)
    # What the refusal taught is noted a moment after the answer has gone out.
    assert eventually(lambda: talk.looks.rich is False)
    again = talk.user.command("/spend", "7d")
    assert "Last 7 days" in again.text, "from now on inside the acknowledgement"


def test_many_ask_at_once_and_each_gets_an_answer(talk: Talk):
    replies = []
    people = [
        Thread(target=lambda: replies.append(talk.user.command("/spend", "30d by day")))
        for _ in range(12)
    ]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert [one.error for one in replies] == [""] * 12
    assert CHANNEL in talk.share_in


def test_an_alert_leads_to_the_next_question_and_answers_only_who_asks(talk: Talk):
    talk.commit({}, left="20")
    talk.world.delivers()
    alert = next(one for one in talk.slack.messages if "Balance of main is low" in one.text)
    talk.user.press(alert, "Forecast", user_id=OTHER)
    assert eventually(lambda: newest(talk).only_for == OTHER)
    assert "will cost about" in newest(talk).text
    assert talk.slack.messages[0].edited is False


def test_an_answer_that_cannot_be_shown_is_one_warning_and_no_error(
    talk: Talk, caplog: pytest.LogCaptureFixture
):
    shown = asked(talk, "/spend", "7d")
    talk.slack.faults.plan("response_url", hang_up(), None)
    talk.user.press(shown, "Forecast")
    assert eventually(lambda: "could not be shown in Slack" in caplog.text)
    told = [record.levelname for record in caplog.records if record.levelno >= logging.WARNING]
    assert told == ["WARNING"]
