"""`doctor`: everything that a first run needs, and for each thing that is wrong its mend."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from install import Install

from bot.config import load_config
from bot.doctor.examine import examine
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.openrouter_account import StandInAccount
from bot.sandbox.slack import Slack
from bot.sandbox.slack_faults import refusal


@pytest.fixture
def whole(install: Install, openrouter: OpenRouter, slack: Slack) -> Install:
    """An installation in which everything is right."""
    install.configure(openrouter, slack)
    install.keep(
        openrouter__main=openrouter.accounts[0].management_key.secret,
        slack__bot_token=slack.bot_token,
        slack__app_token=slack.app_token,
    )
    return install


def examined(install: Install, code: int) -> dict[str, tuple[str, str]]:
    """The state of each check, and its finding with the mend."""
    done = install.run("doctor", "--json")
    assert (done.returncode, done.stderr) == (code, ""), done
    checks = json.loads(done.stdout)["checks"]
    assert all(set(one) == {"check", "state", "found", "mend"} for one in checks)
    return {one["check"]: (one["state"], f"{one['found']}: {one['mend']}") for one in checks}


def test_a_good_installation(whole: Install, slack: Slack):
    found = examined(whole, 0)
    assert {check: state for check, (state, _) in found.items()} == {
        "versions": "ok",
        "config": "ok",
        "state_dir": "ok",
        "database": "ok",
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


def found_here(install: Install, code: int) -> dict[str, tuple[str, str]]:
    """The same, asked in this process and with the vault open already, which saves deriving."""
    found = examine(
        lambda: load_config(install.config, install.environ),
        install.opened,
        lambda: datetime.now(UTC),
    )
    assert max(one.exit_code for one in found) == code
    return {one.check: (one.state, f"{one.found}: {one.mend}") for one in found}


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


def tokens_mixed_up(install: Install, openrouter: OpenRouter, slack: Slack) -> None:
    install.keep(
        openrouter__main=openrouter.accounts[0].management_key.secret,
        slack__bot_token=slack.app_token,
        slack__app_token=slack.bot_token,
    )


def token_revoked(_: Install, __: OpenRouter, slack: Slack) -> None:
    slack.faults.plan("auth.test", refusal("token_revoked"), times=None)


def other_channel(channel: str) -> Callable[[Install, OpenRouter, Slack], None]:
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
        (nobody_there, 69, "key main", "cannot be reached"),
        (broken_database, 1, "database", "restore a backup"),
        (unusable_state, 1, "state_dir", "set state_dir to another folder"),
        (tokens_mixed_up, 77, "slack", "begins with xoxb-"),
        (token_revoked, 77, "slack", "token_revoked): reinstall the app"),
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
    with Slack(lambda: datetime.now(UTC), scopes=("commands",)) as slack:
        install.configure(openrouter, slack)
        install.keep(slack__bot_token=slack.bot_token, slack__app_token=slack.app_token)
        found = found_here(install, 77)
    assert found["slack bot"][1].startswith("lacks chat:write: update the app from `costcompass")


def test_nothing_set_up_in_slack_is_a_warning(install: Install, openrouter: OpenRouter):
    install.configure(openrouter)
    install.keep(openrouter__main=openrouter.accounts[0].management_key.secret)
    state, words = found_here(install, 0)["slack"]
    assert state == "warn"
    assert "costcompass manifest" in words


def test_a_clock_that_is_off(install: Install):
    with OpenRouter(lambda: datetime.now(UTC) - timedelta(minutes=5), [StandInAccount()]) as ahead:
        install.configure(ahead)
        install.keep(openrouter__main=ahead.accounts[0].management_key.secret)
        state, words = found_here(install, 1)["clock"]
    assert state == "bad"
    assert "s away from OpenRouter's: set up NTP" in words


def test_a_locked_daemon(install: Install, openrouter: OpenRouter):
    install.configure(openrouter, passphrase_file=False)
    install.keep()
    with install.daemon():
        state, words = examined(install, 77)["daemon"]
    assert state == "bad"
    assert "costcompass unlock" in words
