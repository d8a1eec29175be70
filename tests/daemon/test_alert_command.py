"""`costcompass alert test` and what the daemon says of messages that were refused."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from delivery_world import NO_TOKEN, POST, SECOND
from install import Daemon, Install, eventually

from bot.sandbox import faults
from bot.sandbox.collector import Collector
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.slack import CHANNELS, Slack
from bot.sandbox.slack_faults import refusal
from bot.sandbox.slack_people import CHANNEL, USER
from bot.sandbox.slack_workspace import Channel
from costcompass_core.storage.outbox import failed, mark_once, put, waiting
from costcompass_core.storage.store import open_store

OFTEN = '[refresh]\nbalance = "1s"\nactivity = "1s"\n[digest]\ntime = ""\n'
SECRET = "T0/hunter2secret"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def slack() -> Iterator[Slack]:
    with Slack(now, channels=(*CHANNELS, Channel(SECOND, "second"))) as slack:
        yield slack


@pytest.fixture
def hooks() -> Iterator[Collector]:
    with Collector(now) as hooks:
        yield hooks


def give_keys(install: Install, openrouter: OpenRouter, slack: Slack, bot_token: str = "") -> None:
    install.keep(
        openrouter__main=openrouter.accounts[0].management_key.secret,
        slack__bot_token=bot_token or slack.bot_token,
        slack__app_token=slack.app_token,
    )


def keep(install: Install, openrouter: OpenRouter, slack: Slack, bot_token: str = "") -> None:
    give_keys(install, openrouter, slack, bot_token)
    with closing(open_store(install.state)) as store, store.writing() as tx:
        mark_once(tx, "welcome", now())  # which would come between what is counted here


def deliveries(slack: Slack) -> Counter[str]:
    """How often each delivery was accepted."""
    return Counter(str(one.delivery) for one in slack.calls if one.method == POST and not one.error)


def all_told(daemon: Daemon) -> bool:
    """Whether what was shown was also noted as told, which comes after."""
    return bool(daemon.status()["outbox"]["waiting"] == 0)


def test_it_goes_the_whole_way_and_says_where_it_arrived(
    install: Install, openrouter: OpenRouter, slack: Slack, hooks: Collector
):
    install.configure(
        openrouter, slack, more=f'{OFTEN}[alerts]\nwebhook_url = "{hooks.url}{SECRET}"\n'
    )
    keep(install, openrouter, slack)
    with install.daemon("--log-level", "debug") as daemon:
        done = install.run("alert", "test")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"The test alert arrived: Slack ({CHANNEL}) and the webhook.\n"
        [shown] = slack.messages
        assert shown.text.startswith("TEST: alerts arrive here. Nothing is wrong.")
        [posted] = hooks.requests
        assert (posted.path, posted.json["event"]) == (f"/{SECRET}", "test")

        hooks.faults.add("/", faults.status(404), times=None)
        failed = install.run("alert", "test")
        assert failed.returncode == 69
        assert "refuses what is sent there (404): check the address" in failed.stderr
        said = [failed.stderr, install.run("status").stdout, install.run("status", "--json").stdout]
        assert "parked   webhook test:" in said[1]
        said.append(install.run("doctor").stdout)
        assert "(404)" in said[-1]
        assert eventually(lambda: len(slack.messages) == 2), "it was not waited for"
    assert "hunter2" not in "".join([*said, daemon.log])
    assert set(deliveries(slack).values()) == {1}
    assert len(slack.messages) == 2


def test_what_was_refused_is_shown_everywhere_and_arrives_once_the_set_up_is_mended(
    install: Install, openrouter: OpenRouter, slack: Slack
):
    install.configure(openrouter, slack, more=OFTEN)
    keep(install, openrouter, slack, NO_TOKEN)
    with install.daemon() as daemon:
        refused = install.run("alert", "test")
        assert refused.returncode == 69
        assert "slack/bot-token" in refused.stderr
        assert "costcompass vault add" in refused.stderr
        give_keys(install, openrouter, slack)
        assert eventually(lambda: all_told(daemon)), daemon.log
        assert len(slack.messages) == 1

        slack.archive(CHANNEL, True)
        tried = len(slack.calls)
        archived = install.run("alert", "test")
        assert (archived.returncode, archived.stdout) == (69, "")
        assert "is_archived): choose a channel that is in use as [slack] channel" in archived.stderr
        status = install.run("status").stdout
        assert "outbox   1 message waiting" in status
        assert "parked   slack test:" in status
        [parked] = json.loads(install.run("status", "--json").stdout)["outbox"]["parked"]
        assert "is_archived" in parked["error"]
        doctor = install.run("doctor")
        assert doctor.returncode != 0
        assert "is_archived): choose a channel that is in use" in doctor.stdout
        posts = [one for one in slack.calls[tried:] if one.method == POST]
        assert len(posts) == 1  # though the daemon went on looking every second
        daemon.end()
    install.environ["COSTCOMPASS_SLACK__CHANNEL"] = SECOND
    with install.daemon() as daemon:
        assert eventually(lambda: len(slack.messages) == 2), daemon.log
        assert slack.messages[1].channel == SECOND
        assert eventually(lambda: all_told(daemon))
    assert set(deliveries(slack).values()) == {1}


def test_what_fails_again_and_again_is_shown_by_status_and_doctor(
    install: Install, openrouter: OpenRouter, slack: Slack
):
    install.configure(openrouter, slack, more=OFTEN)
    keep(install, openrouter, slack)
    with closing(open_store(install.state)) as store, store.writing() as tx:
        put(tx, "slack", "test:early", "test", now())
        for _ in range(5):
            failed(tx, waiting(tx, "slack"), now(), "nobody listens", parked=False)
    slack.faults.plan(POST, refusal("some_news"), None)
    with install.daemon() as daemon:
        assert eventually(lambda: "some_news" in str(daemon.status()["outbox"]["failing"]))
        status = install.run("status").stdout
        assert re.search(
            r"failing  slack test:early \(\d+ times\): Slack has a .*some_news", status
        )
        doctor = install.run("doctor").stdout
        assert re.search(r"daemon .*1 message not taken yet.*some_news", doctor), doctor


def test_a_test_and_the_doctor_try_every_place_that_alerts_are_routed_to(
    install: Install, openrouter: OpenRouter, slack: Slack
):
    route = f'[[route]]\nrule = "balance_low"\nto = "{SECOND}"\n'
    install.configure(openrouter, slack, more=OFTEN + route)
    keep(install, openrouter, slack)
    with install.daemon():
        done = install.run("alert", "test")
        assert done.stdout == f"The test alert arrived: Slack ({CHANNEL}, {SECOND}).\n"
        assert sorted(one.channel for one in slack.messages) == sorted([CHANNEL, SECOND])
        assert install.run("doctor").stdout.count("can be posted to") == 2
        slack.archive(SECOND, True)
        failed = install.run("alert", "test")
        assert (failed.returncode, "is_archived" in failed.stderr) == (69, True)
        assert f"{SECOND}: is_archived" in install.run("doctor").stdout


def test_buttons_outlive_the_daemon_that_posted_them(
    install: Install, openrouter: OpenRouter, slack: Slack
):
    install.configure(openrouter, slack, more=f"{OFTEN}[alerts]\nbalance_below = [200]\n")
    keep(install, openrouter, slack)
    with install.daemon() as daemon:
        assert eventually(lambda: len(slack.messages) == 1), daemon.log
        assert eventually(lambda: all_told(daemon)), "or it is told once more"
    with install.daemon() as daemon:
        assert eventually(lambda: daemon.status()["slack"]["state"] == "connected")
        assert slack.user.press(slack.messages[0], "Acknowledge").error == ""
        assert eventually(lambda: slack.messages[0].edited), daemon.log
        assert f"Acknowledged by <@{USER}>" in str(slack.messages[0].blocks)
        [incident] = daemon.status()["incidents"]
        assert incident["by"] == USER
    assert len(slack.messages) == 1


def test_without_a_daemon_or_a_place_to_send_to_it_says_what_to_do(
    install: Install, openrouter: OpenRouter
):
    install.configure(openrouter, more=OFTEN)
    install.keep()
    nobody = install.run("alert", "test")
    assert nobody.returncode == 1
    assert "start it with `costcompass run`" in nobody.stderr
    with install.daemon():
        nowhere = install.run("alert", "test")
        assert nowhere.returncode == 2
        assert "alerts go nowhere yet: set [slack] channel" in nowhere.stderr
