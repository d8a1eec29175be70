"""The one message of a first start: after the connection and the first refresh, and never again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from install import Install, eventually

from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.slack import Slack
from bot.sandbox.slack_people import CHANNEL
from costcompass_core.storage import migrations
from costcompass_core.storage.outbox import done, mark_once, marked_at, put, waiting
from costcompass_core.storage.store import open_store

NOW = datetime(2026, 11, 23, tzinfo=UTC)
OFTEN = '[refresh]\nbalance = "1s"\nactivity = "1s"\n[digest]\ntime = ""\n'


@pytest.fixture
def slack() -> Iterator[Slack]:
    with Slack(lambda: datetime.now(UTC)) as slack:
        yield slack


def test_it_says_what_was_found_and_what_will_come_once_and_not_after_a_restart(
    install: Install, openrouter: OpenRouter, slack: Slack
):
    install.configure(openrouter, slack, more=OFTEN)
    install.keep(
        openrouter__main=openrouter.accounts[0].management_key.secret,
        slack__bot_token=slack.bot_token,
        slack__app_token=slack.app_token,
    )
    with install.daemon() as daemon:
        assert eventually(lambda: bool(slack.messages)), daemon.log
        assert eventually(lambda: daemon.status()["outbox"]["waiting"] == 0), "noted as told"
    with install.daemon() as daemon:
        assert eventually(lambda: daemon.status()["slack"]["state"] == "connected")
        assert eventually(lambda: daemon.status()["outbox"]["waiting"] == 0)
    welcomes = [one for one in slack.messages if "is here and watches" in one.text]
    assert len(welcomes) == 1
    [welcome] = welcomes
    told = json.dumps(welcome.blocks, ensure_ascii=False)
    assert welcome.channel == CHANNEL
    for piece in ("`main` (openrouter)", "balance $", "No digest: it is turned off",
                  "below $25 or $10", "less than 7 or 3 days", "Settings", "/spend help"):  # fmt: skip
        assert piece in told, piece
    assert slack.violations == ()


def told(tx):
    put(tx, "slack", "test:1", "test", NOW)
    done(tx, waiting(tx, "slack"), NOW)


def a_digest_long_ago(tx):
    mark_once(tx, "digest:2026-05-01", NOW)


@pytest.mark.parametrize(
    ("happened", "welcomed"), [(told, True), (a_digest_long_ago, True), (lambda _: None, False)]
)
def test_who_was_told_anything_before_an_upgrade_needs_no_welcome(
    tmp_path, monkeypatch, happened, welcomed
):
    with monkeypatch.context() as before:
        before.setattr(migrations, "STEPS", migrations.STEPS[:4])
        old = open_store(tmp_path)
        with old.writing() as tx:
            happened(tx)
        old.close()
    store = open_store(tmp_path)
    with store.reading() as tx:
        assert (marked_at(tx, "welcome") is not None) == welcomed
    store.close()
