"""The app's Home and its settings, over the real Socket Mode and Web API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from conversation_world import OTHER, STRANGER, USER, Talk, kinds
from delivery_world import World
from slack_helpers import eventually

from bot.sandbox.slack_faults import rate_limited
from bot.slack import homes
from costcompass_core.storage.homes import viewers
from costcompass_core.storage.settings import change_settings, setting_changes


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world.begin(digest="09:00")
        assert world.slack.violations == ()


@pytest.fixture
def talk(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Talk]:
    monkeypatch.setattr(homes, "_APART", 0.02)
    monkeypatch.setattr(homes, "_PACE", 0.02)
    talk = Talk(world)
    yield talk.spends().connects()
    talk.ends()


def shown(talk: Talk, member: str = USER) -> str:
    view = talk.slack.homes.get(member)
    return json.dumps(view.content, ensure_ascii=False) if view else ""


def opens(talk: Talk, member: str = USER) -> str:
    before = talk.slack.homes[member].published if member in talk.slack.homes else 0
    talk.user.open_home(user_id=member)
    assert eventually(
        lambda: member in talk.slack.homes and talk.slack.homes[member].published > before
    )
    return shown(talk, member)


def noted(talk: Talk) -> set[str]:
    """Of whom it is noted what they see."""
    with talk.world.store.reading() as tx:
        return {one.member for one in viewers(tx, talk.world.now) if one.shown}


def test_a_home_shows_month_forecast_balance_budgets_models_and_accounts(talk: Talk):
    told = opens(talk)
    for piece in (
        "November 2026, 1–22 Nov", "December 2026", "By 30 Nov", "Balance", "$41.37", "Runway",
        "▓", "*all models*", "data_table", "anthropic/claude-sonnet-4.5", "up to date", "Settings",
    ):  # fmt: skip
        assert piece in told, piece
    assert len(talk.slack.homes[USER].content["blocks"]) <= 100


def test_a_stranger_gets_a_home_without_a_figure(talk: Talk):
    told = opens(talk, STRANGER)
    assert "allowed_users" in told
    assert "$" not in told


def test_an_open_alert_stands_there_with_buttons_that_work(talk: Talk):
    talk.commit({}, left="20")
    assert "1 open alert" in opens(talk)
    talk.homes.start()
    talk.user.press_home("Snooze 4 h")
    assert eventually(lambda: "Snoozed by" in shown(talk))
    assert "End snooze" in shown(talk)
    talk.homes.stop(20)


def test_it_is_published_again_when_data_changed_to_whoever_looked_of_late_and_only_then(
    talk: Talk,
):
    opens(talk)
    opens(talk, OTHER)
    # What somebody sees is noted a moment after Slack took it.
    assert eventually(lambda: noted(talk) == {USER, OTHER})
    talk.homes.start()
    talk.homes.changed()
    talk.world.later(hours=1)
    published = {one: talk.slack.homes[one].published for one in (USER, OTHER)}
    talk.commit({}, left="33.33")
    talk.homes.changed()
    assert eventually(lambda: "$33.33" in shown(talk) and "$33.33" in shown(talk, OTHER))
    assert {one: talk.slack.homes[one].published for one in (USER, OTHER)} == {
        one: times + 1 for one, times in published.items()
    }, "what looked the same was not published"
    talk.world.later(days=2)
    talk.commit({}, left="22.22")
    talk.homes.changed()
    assert eventually(lambda: not talk.homes._changed.is_set()), (
        "a round began, or nothing is proven"
    )
    talk.homes.stop(20)
    assert "$22.22" not in shown(talk), "nobody has looked since the day before yesterday"


def test_slacks_rate_limit_is_heeded_and_the_home_comes_later(talk: Talk):
    opens(talk)
    talk.slack.faults.plan("views.publish", rate_limited(1))
    talk.homes.start()
    talk.commit({}, left="33.33")
    talk.homes.changed()
    assert eventually(lambda: [c.error for c in talk.slack.calls].count("fault") == 1)
    talk.homes.changed()
    assert eventually(lambda: "$33.33" in shown(talk))
    talk.homes.stop(20)


def test_where_a_home_takes_no_charts_it_is_spelled_out(talk: Talk):
    talk.slack.draws(new_blocks=False)
    told = opens(talk)
    assert "data_table" not in told
    assert "1. *" in told
    assert talk.looks.rich is True, "a Home says nothing about messages"


def test_refresh_shows_its_progress_and_its_outcome(talk: Talk):
    opens(talk)
    talk.refreshing = lambda: ["main: 12 rows, 1 new days"]
    talk.user.press_home("Refresh now")
    assert eventually(lambda: "Read just now · main: 12 rows" in shown(talk))
    talk.user.press_home("Refresh now")
    assert eventually(lambda: "try again in" in shown(talk))


# -- settings -----------------------------------------------------------------------------------


def form(talk: Talk, member: str = USER) -> dict[str, Any]:
    """Open the settings and return what stands in each input, by action_id."""
    if member not in talk.slack.homes:
        opens(talk, member)
    talk.user.press_home("Settings", user_id=member)
    assert eventually(lambda: member in talk.slack.modals)
    blocks = talk.slack.modals[member].content["blocks"]
    return {one["element"]["action_id"]: one["element"] for one in blocks if one["type"] == "input"}


def test_what_is_saved_holds_at_once_is_audited_and_survives_a_restart(talk: Talk):
    inputs = form(talk)
    assert inputs["digest.time"]["initial_time"] == "09:00"
    assert inputs["alerts.balance_below"]["initial_value"] == "25, 10"
    reply = talk.user.submit({
        "digest.time": "07:30",
        "alerts.balance_below": "$50, 5.5",
        "alerts.quiet_hours": "22:00-07:00",
    })  # fmt: skip
    assert (reply.error, reply.errors) == ("", {})
    assert USER not in talk.slack.modals, "the form is closed"
    alerts = talk.world.alerting._settings
    assert alerts.digest.time == time(7, 30)
    assert [one.text() for one in talk.world.alerting.watch.limits.balance_below] == ["50", "5.5"]
    assert alerts.desk.quiet is not None
    with talk.world.store.reading() as tx:
        changes = {(one.key, one.before, one.after, one.by) for one in setting_changes(tx, 9)}
    assert changes == {
        ("digest.time", None, "07:30", USER),
        ("alerts.balance_below", None, "[50, 5.5]", USER),
        ("alerts.quiet_hours", None, "22:00-07:00", USER),
    }
    talk.world.begin(digest="09:00")
    talk.connects()
    talk.desk.apply_settings()
    assert talk.world.alerting._settings.digest.time == time(7, 30)
    again = form(talk)
    assert again["alerts.balance_below"]["initial_value"] == "50, 5.5"


def test_what_makes_no_sense_is_said_under_its_field_and_nothing_is_stored(talk: Talk):
    form(talk)
    reply = talk.user.submit({
        "alerts.balance_below": "25, ten",
        "alerts.repeat_every": "often",
        "alerts.quiet_hours": "25:00-1",
    })  # fmt: skip
    assert reply.errors == {
        "alerts.balance_below": "Must be a list of amounts in USD.",
        "alerts.repeat_every": "Must be a duration such as '30s', '5m', '1h' or '2d', of 1s or more.",
        "alerts.quiet_hours": "Must be a span such as '22:00-07:00', or '' for none.",
    }
    assert USER in talk.slack.modals, "the form stays open"
    assert talk.desk.changed() == {}


def test_a_stored_value_that_no_longer_fits_is_left_out_and_blocks_no_other(
    talk: Talk, caplog: pytest.LogCaptureFixture
):
    with talk.world.store.writing() as tx:
        change_settings(tx, {"alerts.quiet_hours": "25-1"}, USER, talk.world.now)
    talk.desk.apply_settings()
    assert "a setting changed in Slack does not fit any more" in caplog.text
    form(talk)
    assert talk.user.submit({"digest.time": "07:30"}).errors == {}
    assert talk.world.alerting._settings.digest.time == time(7, 30)


def test_nothing_changed_stores_nothing_and_undo_goes_back_to_the_file(talk: Talk):
    form(talk)
    talk.user.submit({})
    assert talk.desk.changed() == {}
    form(talk)
    talk.user.submit({"digest.weekdays": ["mon"], "digest.time": ""})
    assert set(talk.desk.changed()) == {"digest.weekdays", "digest.time"}
    assert talk.world.alerting._settings.digest.time is None
    assert "reset" in form(talk)
    talk.user.submit({"reset": ["file"]})
    assert talk.desk.changed() == {}
    assert talk.world.alerting._settings.digest.time == time(9)


def test_a_snooze_is_ended_by_unticking_it(talk: Talk):
    talk.commit({}, left="20")
    opens(talk)
    talk.user.press_home("Snooze 24 h")
    assert eventually(lambda: bool(talk.desk.asleep()))
    inputs = form(talk)
    assert [one["text"]["text"] for one in inputs["snoozes"]["options"]] == ["Low balance main"]
    talk.user.submit({"snoozes": []})
    assert talk.desk.asleep() == []


def test_a_form_that_slack_will_not_open_is_no_harm(talk: Talk):
    opens(talk)
    talk.slack.faults.plan("views.open", rate_limited(1))
    assert talk.user.press_home("Settings").error == ""
    assert eventually(lambda: any(c.method == "views.open" for c in talk.slack.calls))
    assert kinds(talk.slack.homes[USER].content["blocks"])[0] == "header"
