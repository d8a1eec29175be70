"""`doctor`: everything that a first run needs, and for each thing that is wrong its mend."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from doctor_world import examined, found_here
from install import Install

from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.openrouter_account import StandInAccount
from bot.sandbox.slack import Slack
from bot.sandbox.slack_faults import refusal


def test_a_good_installation(whole: Install, slack: Slack):
    found = examined(whole, 0)
    assert found["versions"][0] != "bad", "ok or warn, by the SQLite that is here"
    assert {check: state for check, (state, _) in found.items() if check != "versions"} == {
        "config": "ok",
        "state_dir": "ok",
        "database": "ok",
        "backups": "ok",
        "daemon": "warn",
        "vault": "ok",
        "key main": "ok",
        "clock": "ok",
        "slack bot": "ok",
        "slack app": "ok",
        "slack channel": "ok",
        "slack blocks": "ok",
    }
    assert "management key" in found["key main"][1]
    assert slack.messages == (), "nobody sees a test message"
    text = whole.run("doctor").stdout
    assert len(text.splitlines()) == len(found)
    assert "\x1b" not in text


def test_beside_the_running_daemon(whole: Install):
    with whole.daemon() as daemon:
        assert daemon.refreshed()
        found = examined(whole, 0)
        assert found["daemon"][1].startswith(f"running, process {daemon.process.pid}")
        assert found["database"][1].startswith("sound, refreshed ")


Spoil = Callable[[Install, OpenRouter, Slack], None]


def wrong_config(install: Install, _: OpenRouter, __: Slack) -> None:
    install.config.write_text(
        install.config.read_text() + "[slak]\nx = 1\n[refresh]\nbalance = 5\n"
    )


def wrong_passphrase(install: Install, _: OpenRouter, __: Slack) -> None:
    install.passphrase.write_text("not the passphrase\n")


def open_vault(install: Install, _: OpenRouter, __: Slack) -> None:
    install.vault.chmod(0o644)


def inference_key(install: Install, openrouter: OpenRouter, __: Slack) -> None:
    install.keep(openrouter__main=openrouter.accounts[0].inference_keys[0].secret)


def revoked_key(_: Install, openrouter: OpenRouter, __: Slack) -> None:
    openrouter.accounts[0].management_key.revoked = True


def no_key(install: Install, _: OpenRouter, slack: Slack) -> None:
    install.keep()


def nobody_there(_: Install, openrouter: OpenRouter, __: Slack) -> None:
    openrouter.close()


def broken_database(install: Install, _: OpenRouter, __: Slack) -> None:
    (install.state / "costcompass.db").write_bytes(b"")


def unusable_state(install: Install, _: OpenRouter, __: Slack) -> None:
    shutil.rmtree(install.state)
    install.state.write_text("a file")


def tokens(bot: Callable[[Slack], str], app: Callable[[Slack], str]) -> Spoil:
    """Stores these tokens of Slack's; an empty one is left out."""

    def change(install: Install, openrouter: OpenRouter, slack: Slack) -> None:
        kept = {"slack__bot_token": bot(slack), "slack__app_token": app(slack)}
        install.keep(
            openrouter__main=openrouter.accounts[0].management_key.secret,
            **{name: token for name, token in kept.items() if token},
        )

    return change


a_person_s_token = tokens(lambda _: "xoxp-1-2-made-up", lambda slack: slack.app_token)
tokens_mixed_up = tokens(lambda slack: slack.app_token, lambda slack: slack.bot_token)
two_bot_tokens = tokens(lambda slack: slack.bot_token, lambda slack: slack.bot_token)
two_app_tokens = tokens(lambda slack: slack.app_token, lambda slack: slack.app_token)
a_rotating_token = tokens(lambda _: "xoxe.xoxb-1-made-up", lambda slack: slack.app_token)
only_a_bot_token = tokens(lambda slack: slack.bot_token, lambda _: "")


def token_revoked(_: Install, __: OpenRouter, slack: Slack) -> None:
    slack.faults.plan("auth.test", refusal("token_revoked"), times=None)


def other_channel(channel: str) -> Spoil:
    def change(install: Install, _: OpenRouter, __: Slack) -> None:
        install.environ["COSTCOMPASS_SLACK__CHANNEL"] = channel

    change.__name__ = f"channel {channel}"
    return change


@pytest.mark.parametrize(
    ("spoil", "code", "check", "told"),
    [
        (wrong_config, 78, "config", "refresh.balance must be a duration"),
        (wrong_passphrase, 77, "vault", "the passphrase is wrong"),
        (open_vault, 1, "vault", "chmod 600"),
        (revoked_key, 77, "key main", "rejected the key"),
    ],
)
def test_what_is_wrong_is_told_with_its_exit_code(  # noqa: PLR0917 - fixtures and a table's row
    whole: Install, openrouter: OpenRouter, slack: Slack, spoil, code, check, told
):
    spoil(whole, openrouter, slack)
    state, words = examined(whole, code)[check]
    assert state == "bad"
    assert told in words


@pytest.mark.parametrize(
    ("spoil", "code", "check", "told"),
    [
        (inference_key, 77, "key main", "make a Management key"),
        (no_key, 1, "key main", "costcompass vault add openrouter/main"),
        (
            nobody_there,
            69,
            "key main",
            "refuses the connection: nothing listens there, or a firewall",
        ),
        (broken_database, 1, "database", "restore a backup"),
        (unusable_state, 1, "state_dir", "set state_dir to another folder"),
        (tokens_mixed_up, 77, "slack", "slack/bot-token and slack/app-token are swapped"),
        (token_revoked, 77, "slack bot", "token_revoked): reinstall the app"),
        (a_person_s_token, 77, "slack bot", "holds a person's token (xoxp-…): store the Bot User"),
        (two_bot_tokens, 77, "slack app", "holds a bot token (xoxb-…): store the app-level token"),
        (two_app_tokens, 77, "slack bot", "holds an app-level token (xapp-…): store the Bot"),
        (
            a_rotating_token,
            77,
            "slack bot",
            "a token that rotates (xoxe…): turn token rotation off",
        ),
        (only_a_bot_token, 1, "slack app", "costcompass vault add slack/app-token"),
        (other_channel("C0STRANGE01"), 1, "slack channel", "/invite @CostCompass"),
        (other_channel("C0ARCHIVED1"), 1, "slack channel", "is_archived"),
        (other_channel("C0NOSUCH001"), 1, "slack channel", "check [slack] channel"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_else_may_be_wrong_is_found(  # noqa: PLR0917 - as above
    whole: Install, openrouter: OpenRouter, slack: Slack, spoil, code, check, told
):
    spoil(whole, openrouter, slack)
    state, words = found_here(whole, code)[check]
    assert state == "bad"
    assert told in words


def test_missing_scopes_are_named(install: Install, openrouter: OpenRouter):
    with Slack(lambda: datetime.now(UTC), scopes=("commands",), app_scopes=()) as slack:
        install.configure(openrouter, slack)
        install.keep(slack__bot_token=slack.bot_token, slack__app_token=slack.app_token)
        found = found_here(install, 77)
    assert found["slack bot"][1].startswith(
        "the bot token lacks chat:write: update the app from `costcompass"
    )
    assert "missing_scope connections:write): make an app-level token" in found["slack app"][1]


def test_nothing_set_up_in_slack_is_a_warning(install: Install, openrouter: OpenRouter):
    install.configure(openrouter)
    install.keep(openrouter__main=openrouter.accounts[0].management_key.secret)
    state, words = found_here(install, 0)["slack"]
    assert state == "warn"
    assert "costcompass manifest" in words


@pytest.mark.parametrize(
    ("off", "told"),
    [
        (timedelta(minutes=-5, seconds=-32), "this machine's clock is 5 min 3"),
        (timedelta(hours=5, minutes=3), "this machine's clock is 5 h 2 min behind"),
    ],
)
def test_a_clock_that_is_off_is_told_with_its_side_and_size(install: Install, off, told):
    with OpenRouter(lambda: datetime.now(UTC) + off, [StandInAccount()]) as openrouter:
        install.configure(openrouter)
        install.keep(openrouter__main=openrouter.accounts[0].management_key.secret)
        state, words = found_here(install, 1)["clock"]
    assert state == "bad"
    assert told in words
    assert "OpenRouter's (more than 60 s is told): set it: " in words
    assert ("ahead of" in words) == (off < timedelta(0))
    assert "timedatectl set-ntp true" in words


def test_slack_s_clock_counts_as_well(install: Install):
    with Slack(lambda: datetime.now(UTC) + timedelta(days=3, seconds=30)) as slack:
        install.configure(None, slack, accounts=())
        install.keep(slack__bot_token=slack.bot_token, slack__app_token=slack.app_token)
        found = found_here(install, 78)
    assert "this machine's clock is 3 d 0 h behind Slack's" in found["clock"][1]


def test_a_locked_daemon(install: Install, openrouter: OpenRouter):
    install.configure(openrouter, passphrase_file=False)
    install.keep()
    with install.daemon():
        state, words = examined(install, 77)["daemon"]
    assert state == "bad"
    assert "costcompass unlock" in words
