"""`init`: from nothing to a checked configuration and vault, by questions on a terminal or a pipe."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest
from install import PASSPHRASE, Install

from bot.sandbox.google import TABLE
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.slack import Slack
from bot.sandbox.slack_people import CHANNEL, USER
from costcompass_core.domain.secret import Secret
from costcompass_core.vault.file import unlock


@pytest.fixture
def fresh(install: Install, openrouter: OpenRouter, slack: Slack) -> Install:
    """A machine with nothing on it, from which the stand-ins are reached."""
    install.passphrase.unlink()
    install.environ |= {
        "COSTCOMPASS_ACCOUNT__0__BASE_URL": openrouter.base_url,
        "COSTCOMPASS_SLACK__API_URL": slack.api_url,
    }
    return install


def answers(install: Install, openrouter: OpenRouter, slack: Slack, **other: str) -> list[str]:
    """What a user with everything at hand types."""
    usual = {
        "zone": "Europe/Berlin",
        "state": str(install.state),
        "channel": CHANNEL,
        "users": f"{USER}, U0ANNA0001",
        "passphrase": PASSPHRASE,
        "keep": "yes",
        "key": openrouter.accounts[0].management_key.secret,
        "bot": slack.bot_token,
        "app": slack.app_token,
    }
    return list((usual | other).values())


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_init_by_pipe_makes_an_installation_that_the_doctor_finds_good(
    fresh: Install, openrouter: OpenRouter, slack: Slack
):
    typed = answers(fresh, openrouter, slack)
    done = fresh.run("init", stdin="\n".join(typed) + "\n")
    assert done.returncode == 0, done.stderr
    assert "costcompass manifest" in done.stderr, "the step in Slack is explained"
    assert "management key" in done.stderr
    for secret in typed[4:5] + typed[6:]:
        assert secret not in done.stdout + done.stderr

    config = tomllib.loads(fresh.config.read_text())
    assert config["timezone"] == "Europe/Berlin"
    assert config["slack"]["allowed_users"] == [USER, "U0ANNA0001"]
    assert config["account"] == [{"name": "main", "provider": "openrouter"}]
    kept = fresh.state / "passphrase"
    assert config["vault"]["passphrase_file"] == str(kept)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(fresh.state.stat().st_mode) == 0o700
    assert fresh.run("doctor").returncode == 0

    again = fresh.run("init", stdin="\n".join(typed) + "\n")
    assert again.returncode == 78
    assert f"{fresh.config} is already there" in again.stderr


def test_everything_but_the_passphrase_may_be_left_for_later(
    fresh: Install, openrouter: OpenRouter, slack: Slack
):
    fresh.environ["XDG_STATE_HOME"] = str(fresh.folder / "xdg")
    done = fresh.run("init", stdin=f"\n\n\n\n{PASSPHRASE}\nno\n\n\n\n")
    assert done.returncode == 0, done.stderr
    vault = fresh.folder / "xdg" / "costcompass" / "vault"
    assert unlock(vault, Secret(PASSPHRASE)).names() == []
    assert "passphrase_file" not in fresh.config.read_text()
    assert "passphrase" not in {path.name for path in vault.parent.iterdir()}


def test_a_passphrase_that_cannot_be_kept_is_one_line_with_the_mend(
    fresh: Install, openrouter: OpenRouter, slack: Slack
):
    kept = fresh.state / "passphrase"
    kept.mkdir(mode=0o700, parents=True)
    fresh.state.chmod(0o700)
    typed = answers(fresh, openrouter, slack)
    done = fresh.run("init", stdin="\n".join(typed) + "\n")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"costcompass: {kept} cannot be written (")
    assert last.endswith(f"): mend that, remove {fresh.vault} and begin again")
    assert PASSPHRASE not in done.stdout + done.stderr
    assert not fresh.config.exists()


@pytest.mark.parametrize(
    ("other", "code", "told"),
    [
        ({"zone": "Europe/Berln"}, 2, "did you mean 'Europe/Berlin'?"),
        ({"channel": "#spend"}, 2, "not its name"),
        ({"users": "@anna"}, 2, "member ID"),
        ({"passphrase": "short"}, 1, "at least 12 characters"),
        ({"key": "inference"}, 77, "make a Management key"),
        ({"bot": "xapp-1-made-up"}, 77, "begins with xoxb-"),
    ],
    ids=["zone", "channel", "users", "passphrase", "key", "bot"],
)
def test_an_answer_that_cannot_work_leaves_nothing_behind(  # noqa: PLR0917 - as in test_doctor
    fresh: Install, openrouter: OpenRouter, slack: Slack, other, code, told
):
    if "key" in other:
        other = {"key": openrouter.accounts[0].inference_keys[0].secret}
    typed = answers(fresh, openrouter, slack, **other)
    done = fresh.run("init", stdin="\n".join(typed) + "\n")
    assert done.returncode == code
    assert told in done.stderr
    assert files(fresh.folder) == set()


def test_input_that_ends_early_leaves_nothing_behind(
    fresh: Install, openrouter: OpenRouter, slack: Slack
):
    typed = answers(fresh, openrouter, slack)
    done = fresh.run("init", stdin="\n".join(typed[:7]))
    assert done.returncode == 2
    assert "standard input ended before Slack bot token" in done.stderr
    assert files(fresh.folder) == set()


def test_a_place_that_cannot_be_written(fresh: Install, openrouter: OpenRouter, slack: Slack):
    (fresh.folder / "file").touch()
    typed = answers(fresh, openrouter, slack)
    config = str(fresh.folder / "file" / "config.toml")
    done = fresh.run("--config", config, "init", stdin="\n".join(typed) + "\n")
    assert done.returncode == 78
    assert "cannot be written" in done.stderr
    assert files(fresh.folder) == {"file"}


def test_init_on_a_terminal_asks_again_and_echoes_no_secret(
    fresh: Install, openrouter: OpenRouter, slack: Slack
):
    key = openrouter.accounts[0].management_key.secret
    wrong = openrouter.accounts[0].inference_keys[0].secret
    with fresh.terminal("init") as screen:
        screen.expect("Time zone")
        screen.type("Berlin")
        screen.expect("is not a time zone")
        screen.expect("Time zone")
        screen.type("Europe/Berlin")
        screen.expect("Directory")
        screen.type("state")
        screen.expect("channel ID")
        screen.type(CHANNEL)
        screen.expect("member IDs")
        screen.type(USER)
        screen.expect("empty: make one")
        screen.type("")
        screen.expect("Write it down")
        screen.expect("Keep the passphrase in a file?")
        screen.type("yes")
        screen.expect("OpenRouter Management key")
        screen.type(wrong)
        screen.expect("make a Management key")
        screen.expect("OpenRouter Management key")
        screen.type(key)
        screen.expect("management key")
        screen.expect("Slack bot token")
        screen.type(slack.bot_token)
        screen.expect("Slack app-level token")
        screen.type(slack.app_token)
        screen.expect("Another provider")
        screen.type("gemini")
        screen.expect("there is no provider 'gemini'")
        screen.type("")
        screen.expect("Next: `costcompass doctor`")
        assert screen.finish() == 0
        shown = screen.screen
    assert not any(one in shown for one in (key, wrong, slack.bot_token, slack.app_token))
    config = tomllib.loads(fresh.config.read_text())
    assert config["state_dir"] == str(fresh.state), "wherever it is started from"
    made = Path(config["vault"]["passphrase_file"]).read_text().strip()
    assert made in shown
    assert fresh.run("doctor").returncode == 0


def test_ctrl_c_leaves_nothing_behind(fresh: Install):
    with fresh.terminal("init") as screen:
        screen.expect("Time zone")
        screen.type("")
        screen.expect("Directory")
        screen.interrupt()
        assert screen.finish() == 130
    assert files(fresh.folder) == set()


def test_other_providers_are_asked_for_last_each_with_what_it_needs(
    fresh: Install, openrouter: OpenRouter, slack: Slack, tmp_path: Path
):
    more = ["anthropic", "", "", "google", "", TABLE, "", "focus", "clouds", str(tmp_path), ""]
    typed = [*answers(fresh, openrouter, slack), *more]
    done = fresh.run("init", stdin="\n".join(typed) + "\n")
    assert done.returncode == 0, done.stderr
    assert tomllib.loads(fresh.config.read_text())["account"][1:] == [
        {"name": "main", "provider": "anthropic"},
        {"name": "main", "provider": "google", "table": TABLE},
        {"name": "clouds", "provider": "focus", "folder": str(tmp_path)},
    ]
    assert fresh.run("check-config").returncode == 0


@pytest.mark.parametrize(
    ("more", "words"),
    [(["antropic"], "there is no provider 'antropic'"),
     (["xai", "", "no/team"], "must be like"),
     (["anthropic", "", "sk-or-v1-0"], "this is a key of OpenRouter, not of Anthropic")],
)  # fmt: skip
def test_what_cannot_be_another_provider_leaves_nothing_behind(
    fresh: Install, openrouter: OpenRouter, slack: Slack, more: list[str], words: str
):
    before = files(fresh.folder)
    typed = [*answers(fresh, openrouter, slack), *more]
    done = fresh.run("init", stdin="\n".join(typed) + "\n")
    assert done.returncode in {2, 77}
    assert words in done.stderr
    assert files(fresh.folder) == before
