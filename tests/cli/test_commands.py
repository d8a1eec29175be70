"""What every command has in common: help, errors in one line, exit codes, pipes, no terminal needed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from install import ROOT, Install

from bot.slack.manifest import SCOPES

COMMANDS = (
    "demo", "init", "check-config", "config", "manifest", "completion", "vault", "doctor", "refresh",
    "spend", "forecast", "export", "cost", "run", "status", "unlock", "help",
)  # fmt: skip


def test_the_version_is_told_without_loading_anything_heavy(install: Install):
    code = (
        "import sys; from bot.cli import run; code = run(['--version'])\n"
        "heavy = {'slack_bolt', 'slack_sdk', 'httpx', 'apscheduler', 'sqlite_utils',"
        " 'cryptography', 'asyncio'}\n"
        "print(code, sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=install.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    version, loaded = done.stdout.splitlines()
    assert re.fullmatch(r"costcompass \d+\.\d+\.\d+\S* \(Python 3\.\S+, SQLite 3\.\S+\)", version)
    assert loaded == "0 []"


def test_help_names_every_command_within_80_columns(install: Install):
    help_ = install.run("--help")
    assert help_.returncode == 0
    assert all(f"\n  {command} " in help_.stdout for command in COMMANDS)
    assert max(map(len, help_.stdout.splitlines())) <= 80
    assert install.run("help").stdout == help_.stdout


def test_without_a_command_there_is_help_and_exit_2(install: Install):
    for words in ((), ("vault",)):
        done = install.run(*words)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith("Usage: costcompass")
        assert "\nCommands:\n" in done.stderr


@pytest.mark.parametrize("command", [("spend",), ("vault", "add"), ("export",)])
def test_each_command_explains_itself(install: Install, command):
    done = install.run("help", *command)
    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: costcompass {' '.join(command)} ")
    assert done.stdout == install.run(*command, "--help").stdout


@pytest.mark.parametrize(
    "words",
    [
        ("spned",),
        ("help", "spned"),
        ("vault", "ad"),
        ("vault", "add"),
        ("spend", "--jsn"),
        ("export",),
        ("export", "--format", "xml"),
        ("export", "--format", "csv", "--from", "yesterday"),
        ("--log-level", "loud", "status"),
        ("run", "--passphrase-fd", "three"),
    ],
)
def test_words_that_make_no_sense_get_one_line_and_exit_2(install: Install, words):
    install.configure()
    done = install.run(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("costcompass: ")


def test_a_key_typed_in_the_wrong_place_is_not_repeated(install: Install):
    install.configure()
    key = f"sk-or-v1-{'5' * 64}"
    for words in (("vault", key), ("vault", "add", key), (key,), ("spend", f"--{key}")):
        done = install.run(*words)
        assert done.returncode == 2
        assert "5555" not in done.stderr + done.stdout


def test_check_config(install: Install):
    install.configure(accounts=("main", "second"))
    good = install.run("check-config")
    assert good.returncode == 0
    assert good.stdout == f"{install.config}: good, 2 accounts, state in {install.state}\n"

    install.config.write_text('statedir = "x"\n[refresh]\nbalance = "5"\n')
    bad = install.run("check-config")
    assert bad.returncode == 78
    assert bad.stdout == ""
    unknown, duration = bad.stderr.splitlines()
    where = f"costcompass: {install.config}:"
    assert unknown == f"{where} statedir is not a known key: did you mean `state_dir`?"
    assert duration.startswith(f"{where} refresh.balance must be a duration such as '30s'")
    assert not install.state.exists(), "checking changes nothing"


@pytest.mark.parametrize("command", ["spend", "run", "refresh", "status", "doctor"])
def test_without_a_configuration_every_command_ends_with_78(install: Install, command):
    environ = {"COSTCOMPASS_CONFIG": str(install.folder / "nowhere.toml")}
    done = install.run(command, environ=environ)
    assert done.returncode == 78
    assert "nowhere.toml cannot be read (No such file or directory)" in done.stdout + done.stderr


def test_a_traceback_appears_only_at_log_level_debug(install: Install):
    install.configure()
    install.state.mkdir()
    (install.state / "costcompass.db").mkdir()
    quiet = install.run("spend", "debug")
    assert quiet.returncode == 1
    assert len(quiet.stderr.splitlines()) == 1
    assert "Traceback" not in quiet.stderr
    loud = install.run("--log-level", "debug", "spend")
    assert loud.stderr.startswith(quiet.stderr)
    assert "Traceback" in loud.stderr


def test_manifest_in_both_forms(install: Install):
    yaml, json_form = install.run("manifest"), install.run("manifest", "--format", "json")
    manifest = json.loads(json_form.stdout)
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == set(SCOPES)
    assert {one["command"] for one in manifest["features"]["slash_commands"]} == {
        "/spend",
        "/forecast",
    }
    assert yaml.stdout.startswith(("display_information:", "_metadata:"))
    for name in manifest:
        assert f"\n{name}:" in f"\n{yaml.stdout}"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_call_back_what_completes(install: Install, shell):
    script = install.run("completion", shell)
    assert script.returncode == 0
    assert f"_COSTCOMPASS_COMPLETE={shell}_complete" in script.stdout
    environ = {
        "_COSTCOMPASS_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "costcompass fore",
        "COMP_CWORD": "fore" if shell == "fish" else "1",
    }
    assert "forecast" in install.run(environ=environ).stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_completion_script_is_good_bash(install: Install):
    script = install.run("completion", "bash").stdout
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_surprise(install: Install, closed):
    command = f'exec "$0" -P -m bot spend help {closed}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable], env=install.environ, capture_output=True, check=False
    )
    assert done.returncode == 0
    assert done.stderr == b""


def test_output_is_utf_8_whatever_the_locale_says(install: Install):
    done = install.run("spend", "help", environ={"PYTHONIOENCODING": "latin-1"})
    assert done.returncode == 0
    assert "[MODEL…]" in done.stdout


def test_the_package_offers_the_command():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"costcompass": "bot.__main__:main"}


def test_a_stranger_called_bot_in_the_working_directory_is_not_run(install: Install):
    (install.folder / "bot.py").write_text("raise SystemExit('the stranger ran')")
    assert "costcompass" in install.run("--version").stdout


def test_a_full_disk_under_the_output_is_one_line_with_the_mend(install: Install):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "bot", "help"],
            env=install.environ,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            text=True,
        )
    told = "costcompass: standard output cannot be written (No space left on device): make room, or send it elsewhere\n"
    assert (done.returncode, done.stderr) == (1, told)
