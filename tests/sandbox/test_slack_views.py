"""Homes, forms, menus and refused blocks of the stand-in: as strict as Slack is known to be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from slack_clients import CHANNEL, Clock, call, section

from bot.sandbox.slack import Slack
from bot.sandbox.slack_blocks import problems
from bot.sandbox.slack_press import chosen, pressed
from bot.sandbox.slack_views import filled_in, view_problems

PERSON = "U0SANDBOX01"


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def field(name: str, element: dict[str, Any], **more: Any) -> dict[str, Any]:
    shape = {"type": "input", "block_id": name, "label": plain(name)}
    return {**shape, "element": {"action_id": name, **element}, **more}


def option(text: str, value: str) -> dict[str, Any]:
    return {"text": plain(text), "value": value}


BOXES = {"type": "checkboxes", "options": [option("One", "1"), option("Two", "2")]}
FORM = {
    "type": "modal",
    "title": plain("Settings"),
    "submit": plain("Save"),
    "blocks": [
        field("when", {"type": "timepicker", "initial_time": "09:00"}),
        field("levels", {"type": "plain_text_input", "initial_value": "25"}),
        field("days", {**BOXES, "initial_options": [option("One", "1")]}),
    ],
}
TABLE = {
    "type": "data_table",
    "caption": "c",
    "rows": [[{"type": "raw_text", "text": one}] for one in ("Model", "a")],
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack(clock: Clock) -> Iterator[Slack]:
    with Slack(clock) as slack:
        yield slack


def test_a_form_opens_once_for_what_somebody_has_just_done(slack: Slack, clock: Clock):
    trigger = slack._workspace.issue_trigger(PERSON)
    assert call(slack, "views.open", trigger_id=trigger, view=FORM)["ok"]
    assert slack.modals[PERSON].content == FORM
    again = call(slack, "views.open", trigger_id=trigger, view=FORM)
    assert again["error"] == "invalid_trigger_id"
    late = slack._workspace.issue_trigger(PERSON)
    clock.now += timedelta(seconds=4)
    assert call(slack, "views.open", trigger_id=late, view=FORM)["error"] == "expired_trigger_id"
    assert slack.violations == ()


@pytest.mark.parametrize(
    ("kind", "view"),
    [
        ("home", FORM),
        ("modal", {**FORM, "title": plain("x" * 25)}),
        ("modal", {key: value for key, value in FORM.items() if key != "submit"}),
        ("modal", {**FORM, "blocks": [field("when", {"type": "timepicker", "initial_time": "9"})]}),
        ("modal", {**FORM, "blocks": [field("x", {**BOXES, "initial_options": []})]}),
        ("modal", {**FORM, "colour": "red"}),
        ("home", {"type": "home", "blocks": [section("x")] * 101}),
        ("home", {"type": "home", "blocks": [section("x")], "title": plain("Home")}),
    ],
)
def test_a_view_that_slack_would_refuse_is_refused(kind: str, view: dict[str, Any]):
    assert view_problems(view, kind)


def test_an_input_is_for_forms_and_not_for_messages():
    assert view_problems(FORM, "modal") == ()
    assert problems(FORM["blocks"])


def test_a_form_says_what_stands_in_it_and_what_was_changed():
    told = filled_in(FORM, {"levels": "50", "days": ["2"]})["values"]
    assert told["when"]["when"] == {"type": "timepicker", "selected_time": "09:00"}
    assert told["levels"]["levels"]["value"] == "50"
    assert told["days"]["days"]["selected_options"] == [option("Two", "2")]
    with pytest.raises(LookupError, match="no inputs"):
        filled_in(FORM, {"typo": "1"})


def test_what_is_not_there_can_not_be_pressed_or_chosen():
    menu = {"type": "static_select", "action_id": "m", "options": [option("One", "1")]}
    button = {"type": "button", "action_id": "b", "text": plain("Go")}
    blocks = [{"type": "actions", "elements": [menu, button]}]
    assert chosen(blocks, "m", "One")["selected_option"] == option("One", "1")
    assert pressed(blocks, "Go")["action_id"] == "b"
    for wrong in (("m", "Two"), ("n", "One")):
        with pytest.raises(LookupError):
            chosen(blocks, *wrong)
    with pytest.raises(LookupError):
        pressed(blocks, "Stop")


def test_a_menu_that_begins_with_none_of_its_options_is_refused():
    menu = {"type": "static_select", "action_id": "m", "options": [option("One", "1")]}
    row = {"type": "actions", "elements": [{**menu, "initial_option": option("Two", "2")}]}
    assert problems([row])


def test_a_workspace_without_new_blocks_refuses_them_everywhere_and_that_is_no_fault(slack: Slack):
    slack.draws(new_blocks=False)
    posted = call(slack, "chat.postMessage", channel=CHANNEL, text="x", blocks=[TABLE])
    assert posted["error"] == "invalid_blocks"
    assert call(slack, "blocks.validate", blocks=[TABLE])["error"] == "invalid_blocks"
    view = {"type": "home", "blocks": [TABLE]}
    assert call(slack, "views.publish", user_id=PERSON, view=view)["error"] == "invalid_arguments"
    assert slack.violations == ()
    assert slack.homes == {}
    slack.draws(new_blocks=True)
    assert call(slack, "blocks.validate", blocks=[TABLE])["ok"]
    assert call(slack, "views.publish", user_id=PERSON, view=view)["ok"]
    assert slack.homes[PERSON].published == 1
