"""What runs the daemon for people: systemd's unit, the image, and the container that is made of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot import cli
from bot.config import parse_config, usual_places
from costcompass_core.domain.errors import AlreadyRunning, ConfigError, UsageError, VaultLocked
from costcompass_core.vault.unlock import find_passphrase

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "packaging" / "costcompass.service"
WRAPPER = (ROOT / "packaging" / "as-service").read_text()
COMPOSE = ROOT / "packaging" / "compose.yaml"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROGRAM = "/opt/costcompass/bin/costcompass"
ANSWERING = 10
"""Seconds in which Docker kills what was asked to stop, where nothing else is said."""


def settings(unit: str) -> dict[str, list[str]]:
    """The unit's settings; one that comes several times has several values."""
    found = defaultdict(list)
    for line in unit.splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found[name].append(value)
    return dict(found)


SERVICE = settings(UNIT.read_text())


def parsed(lines: list[str]) -> Any:
    """Reads the YAML that is needed: block mappings, block lists of strings, and JSON values."""
    if lines[0].startswith("- "):
        return [json.loads(line.removeprefix("- ")) for line in lines]
    starts = [i for i, line in enumerate(lines) if not line.startswith(" ")] + [len(lines)]
    made = {}
    for a, b in pairwise(starts):
        key, _, rest = lines[a].partition(":")
        inner = [line[2:] for line in lines[a + 1 : b]]
        assert key not in made, f"{key} comes twice"
        made[key] = parsed(inner) if inner else scalar(rest.strip())
    return made


def scalar(text: str) -> Any:
    return json.loads(text) if text[0] in '["{' or text in {"true", "false"} else text


def composed() -> dict[str, Any]:
    lines = [line.rstrip() for line in COMPOSE.read_text().splitlines()]
    return parsed([line for line in lines if line and not line.lstrip().startswith("#")])


CONTAINER = composed()["services"]["costcompass"]


def understood(words: list[str]) -> bool:
    """Whether the command line has such a command with such options; it is not carried out."""
    return cli.run([*words, "--help"]) == 0


def seconds(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(|s|min)", text).groups()  # type: ignore[union-attr]
    return int(number) * (60 if unit == "min" else 1)


def test_the_unit_starts_a_command_that_there_is_with_a_configuration_where_it_is_looked_for() -> (
    None
):
    [start] = SERVICE["ExecStart"]
    program, *words = start.split()
    assert program == PROGRAM
    assert words[-1] == "run"
    assert understood(words)
    assert Path(words[1]) in usual_places({})
    assert not understood([*words, "--no-such-option"])


def test_the_unit_tries_again_what_may_mend_itself_and_nothing_else() -> None:
    [text] = SERVICE["RestartPreventExitStatus"]
    final = {int(one) for one in text.split()}
    assert final == {UsageError.exit_code, VaultLocked.exit_code, ConfigError.exit_code}
    assert AlreadyRunning.exit_code not in final
    assert SERVICE["Restart"] == ["on-failure"]
    assert seconds(SERVICE["TimeoutStopSec"][0]) > ANSWERING


def test_the_unit_s_credential_is_the_one_that_the_vault_looks_for(tmp_path: Path) -> None:
    [name] = SERVICE["LoadCredentialEncrypted"]
    (tmp_path / name).write_text("a passphrase from systemd\n")
    (tmp_path / name).chmod(0o440)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    found = find_passphrase(environ, fd=None, config_file="", ask=None)
    assert found is not None
    assert found.passphrase.expose() == "a passphrase from systemd"


def test_the_unit_gives_the_daemon_nothing_that_it_does_not_need() -> None:
    on = """DynamicUser LockPersonality MemoryDenyWriteExecute NoNewPrivileges PrivateDevices PrivateIPC
    PrivateMounts PrivateTmp PrivateUsers ProtectClock ProtectControlGroups ProtectHome ProtectHostname
    ProtectKernelLogs ProtectKernelModules ProtectKernelTunables RemoveIPC RestrictNamespaces
    RestrictRealtime RestrictSUIDSGID"""
    assert {name for name in on.split() if SERVICE.get(name) != ["yes"]} == set()
    assert SERVICE["ProtectSystem"] == ["strict"]
    assert SERVICE["CapabilityBoundingSet"] == [""]
    assert SERVICE["SystemCallFilter"] == ["@system-service", "~@privileged @resources"]
    assert SERVICE["RestrictAddressFamilies"] == ["AF_UNIX AF_INET AF_INET6"]
    assert (SERVICE["UMask"], SERVICE["StateDirectoryMode"]) == (["0077"], ["0700"])
    assert SERVICE["LimitCORE"] == ["0"]


def test_other_commands_run_with_the_unit_s_user_state_and_passphrase() -> None:
    given = re.findall(r"--property=(\w+)=(\S+)", WRAPPER)
    assert {"User", "StateDirectory", "LoadCredentialEncrypted"} <= {name for name, _ in given}
    assert [one for one in given if one[1] not in SERVICE[one[0]]] == []
    environ = set(" ".join(SERVICE["Environment"]).split())
    assert set(re.findall(r"--setenv=(\S+)", WRAPPER)) <= environ
    assert f'{SERVICE["ExecStart"][0].removesuffix(" run")} "$@"' in WRAPPER


def test_slack_s_libraries_load_for_a_user_who_has_no_home() -> None:
    """Such as systemd's dynamic ones: nothing names a folder, neither a variable nor a table."""
    no_table = "import sys; sys.modules['pwd'] = None; from bot.slack.service import load_libraries"
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"{no_table}; load_libraries()"],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here"
)
def test_systemd_has_no_complaint_about_the_unit_and_calls_it_safe() -> None:
    told = subprocess.run([ROOT / ".ci" / "unit"], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert " OK " in told.stdout


def test_the_page_s_commands_are_there_and_so_are_the_files_that_it_installs() -> None:
    page = (ROOT / "docs" / "install.md").read_text()
    lines = [
        line
        for block in re.findall(r"```\n(.*?)```", page, re.DOTALL)
        for line in block.splitlines()
    ]
    commands = {
        line.rpartition("costcompass ")[2]
        for line in lines
        if re.search(r"(?:sudo|run --rm|exec costcompass) costcompass ", line)
    }
    commands |= {line.removeprefix("./run ") for line in lines if line.startswith("./run ")}
    assert {"check-config", "vault create", "doctor", "status", "init", "run"} <= commands
    assert [one for one in commands if not understood(one.split())] == []
    files = re.findall(r"(?:packaging|requirements|config)[/.][\w./-]+", "\n".join(lines))
    assert "packaging/costcompass.service" in files
    assert [one for one in files if not (ROOT / one).exists() and one != "config.toml"] == []


def test_every_variable_of_ours_stands_for_something() -> None:
    texts = [UNIT.read_text(), WRAPPER, DOCKERFILE, COMPOSE.read_text()]
    names = {name for text in texts for name in re.findall(r"\bCOSTCOMPASS_[A-Z_]+", text)}
    assert {"COSTCOMPASS_STATE_DIR", "COSTCOMPASS_VAULT_PASSPHRASE_FILE"} <= names
    tree = {"account": [{"name": "main", "provider": "openrouter"}]}
    parse_config(tree, dict.fromkeys(names, "/somewhere"))


def image(word: str) -> str:
    """What the Dockerfile says last about something, over several lines or not."""
    return re.findall(rf"^{word} (.*(?:\\\n.*)*)$", DOCKERFILE, re.MULTILINE)[-1]


def test_the_image_starts_stops_and_examines_itself_by_commands_that_there_are() -> None:
    assert json.loads(image("ENTRYPOINT")) == ["costcompass"]
    assert understood(json.loads(image("CMD")))
    _, _, check = image("HEALTHCHECK").partition(" CMD ")
    program, *words = json.loads(check)
    assert program == "costcompass"
    assert understood(words)


def test_the_container_is_the_image_s_and_may_do_nothing_but_its_work() -> None:
    assert CONTAINER["user"] == image("USER")
    assert understood(CONTAINER["command"])
    assert CONTAINER["read_only"] is True
    assert CONTAINER["cap_drop"] == ["ALL"]
    assert CONTAINER["security_opt"] == ["no-new-privileges:true"]
    assert CONTAINER["restart"] == "unless-stopped"
    assert CONTAINER["pull_policy"] == "never", "an image of this name elsewhere is not ours"
    assert seconds(CONTAINER["stop_grace_period"]) > ANSWERING
    assert {"privileged", "network_mode", "cap_add", "ports"}.isdisjoint(CONTAINER)


def test_the_container_s_health_is_the_image_s() -> None:
    options, _, check = image("HEALTHCHECK").partition(" CMD ")
    expected = {
        name.replace("-", "_"): value for name, value in re.findall(r"--([a-z-]+)=(\S+)", options)
    }
    assert CONTAINER["healthcheck"] == {"test": ["CMD", *json.loads(check)], **expected}


def test_the_container_keeps_its_state_and_finds_configuration_and_passphrase() -> None:
    mounts = dict(one.split(":", 1) for one in CONTAINER["volumes"])
    assert mounts.pop("state") == image("VOLUME")
    assert f"COSTCOMPASS_STATE_DIR={image('VOLUME')}" in DOCKERFILE
    [(source, target)] = mounts.items()
    assert source.startswith("./")
    place, _, mode = target.partition(":")
    assert (Path(place), mode) == (usual_places({})[-1], "ro")

    [secret] = CONTAINER["secrets"]
    whole = composed()
    assert whole["secrets"] == {secret: {"file": f"./{secret}"}}
    assert whole["volumes"] == {"state": {}}
    assert CONTAINER["environment"] == {
        "COSTCOMPASS_VAULT_PASSPHRASE_FILE": f"/run/secrets/{secret}"
    }


def test_the_commented_port_is_the_one_that_the_example_listens_on() -> None:
    """Nothing is open unless somebody wants it; then `[http] listen` is what the comment says."""
    [listen] = re.findall(r'\[http\] listen = ("[^"]+")', COMPOSE.read_text())
    [ports] = re.findall(r"# ports: (\[.*\])", COMPOSE.read_text())
    tree = {
        "account": [{"name": "main", "provider": "openrouter"}],
        "http": {"listen": json.loads(listen)},
    }
    parse_config(tree, {})
    assert json.loads(ports) == ["127.0.0.1:{0}:{0}".format(json.loads(listen).rpartition(":")[2])]
