"""`vault …` without a terminal and on one: what is asked, stored, refused, and never shown."""

from __future__ import annotations

import stat

import pytest
from install import PASSPHRASE, Install

from bot.sandbox import faults
from bot.sandbox.openrouter import OpenRouter
from costcompass_core.domain.secret import Secret
from costcompass_core.vault.file import unlock

OTHER = "another passphrase of five words"


def kept(install: Install, passphrase: str = PASSPHRASE) -> dict[str, str]:
    """What the vault holds, opened by the library."""
    vault = unlock(install.vault, Secret(passphrase))
    return {name: vault.reveal(name).expose() for name in vault.names()}


@pytest.fixture
def ready(install: Install, openrouter: OpenRouter) -> Install:
    """A configured installation with an empty vault."""
    install.configure(openrouter)
    install.keep()
    return install


def test_a_vault_from_nothing_without_a_terminal(install: Install, openrouter: OpenRouter):
    install.configure(openrouter)
    key = openrouter.accounts[0].management_key.secret
    created = install.run("vault", "create")
    assert (created.returncode, created.stdout) == (0, f"created {install.vault}\n")
    assert stat.S_IMODE(install.state.stat().st_mode) == 0o700
    assert stat.S_IMODE(install.vault.stat().st_mode) == 0o600

    again = install.run("vault", "create")
    assert again.returncode == 1
    assert "already is a vault" in again.stderr

    added = install.run("vault", "add", "openrouter/main", stdin=f"\r\n  {key}\r\n\n")
    assert (added.returncode, added.stderr) == (0, "")
    assert added.stdout == "stored openrouter/main (management key)\n"
    install.run("vault", "add", "slack/bot-token", stdin="xoxb-made-up-token\n")
    listed = install.run("vault", "list")
    assert listed.stdout.splitlines() == ["openrouter/main", "slack/bot-token"]
    assert key not in listed.stdout + listed.stderr

    removed = install.run("vault", "remove", "slack/bot-token")
    assert (removed.returncode, removed.stdout) == (0, "removed slack/bot-token\n")
    assert kept(install) == {"openrouter/main": key}
    gone = install.run("vault", "remove", "slack/bot-token")
    assert gone.returncode == 1
    assert "no entry slack/bot-token" in gone.stderr


def test_an_inference_key_is_named_with_the_mend_and_not_stored(
    ready: Install, openrouter: OpenRouter
):
    key = openrouter.accounts[0].inference_keys[0].secret
    done = ready.run("vault", "add", "openrouter/main", stdin=key)
    assert done.returncode == 77
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert "can run models but not read spend" in line
    assert "make a Management key (formerly Provisioning key) at https://openrouter.ai/" in line
    assert key not in line
    assert kept(ready) == {}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("openrouter/main", f"sk-or-v1-{'0' * 64}", "rejected the key"),
        ("openrouter/main", "sk-ant-api03-abcdefghijklmnop", "a key of Anthropic"),
        ("slack/bot-token", "xapp-1-A0-made-up", "begins with xoxb-"),
        ("slack/app-token", "xoxb-made-up-token", "begins with xapp-"),
    ],
)
def test_what_can_never_work_is_refused(ready: Install, openrouter: OpenRouter, name, value, told):
    done = ready.run("vault", "add", name, stdin=value)
    assert done.returncode == 77
    assert told in done.stderr
    assert value not in done.stderr
    looks_right = value.startswith("sk-or-")
    assert len(openrouter.requests) == looks_right, "another vendor's key is sent nowhere"
    assert kept(ready) == {}


@pytest.mark.parametrize("value", ["sk-or-v1-abc\nsk-or-v1-def", "sk-or-v1-\x00\x1b[31mabc"])
def test_a_value_that_no_header_could_carry_is_refused_unechoed(
    ready: Install, openrouter: OpenRouter, value
):
    done = ready.run("vault", "add", "openrouter/main", stdin=value)
    assert done.returncode == 2
    assert "sk-or-v1-" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert openrouter.requests == ()


def test_an_unknown_form_and_an_unknown_type_are_stored_and_said_so(
    ready: Install, openrouter: OpenRouter
):
    openrouter.accounts[0].management_key.secret = "a-form-of-its-own"
    odd = ready.run("vault", "add", "openrouter/main", stdin="a-form-of-its-own")
    assert odd.stdout == "stored openrouter/main (management key, unknown form)\n"

    openrouter.faults.add("/key", faults.html(200))
    unchecked = ready.run("vault", "add", "openrouter/main", stdin=f"sk-or-v1-{'1' * 64}")
    assert unchecked.returncode == 0
    assert unchecked.stdout.startswith("stored openrouter/main (type not checked: 127.0.0.1")


def test_a_slip_in_a_name_is_pointed_out(ready: Install):
    done = ready.run("vault", "add", "slack/bot_token", stdin="xoxb-made-up")
    assert done.returncode == 0
    assert "nothing uses slack/bot_token yet" in done.stderr
    assert "slack/bot-token" in done.stderr


def test_change_passphrase_takes_the_new_one_twice_on_standard_input(ready: Install):
    differing = ready.run("vault", "change-passphrase", stdin=f"{OTHER}\n{OTHER}!\n")
    assert differing.returncode == 2
    short = ready.run("vault", "change-passphrase", stdin="short\nshort\n")
    assert short.returncode == 1
    assert "at least 12 characters" in short.stderr
    assert kept(ready) == {}, "the old one still opens it"

    done = ready.run("vault", "change-passphrase", stdin=f"{OTHER}\n{OTHER}\n")
    assert done.returncode == 0
    assert OTHER not in done.stdout + done.stderr
    assert kept(ready, OTHER) == {}
    assert ready.run("vault", "list").returncode == 77, "the file still has the old one"


def test_the_old_passphrase_and_the_new_one_may_come_down_one_pipe(install: Install):
    install.configure(passphrase_file=False)
    install.keep()
    words = ("vault", "change-passphrase", "--passphrase-fd", "0")
    done = install.run(*words, stdin=f"{PASSPHRASE}\n{OTHER}\n{OTHER}\n")
    assert done.returncode == 0, done.stderr
    assert kept(install, OTHER) == {}


def test_a_wrong_passphrase_is_exit_77_and_one_line(ready: Install):
    ready.passphrase.write_text("not the passphrase\n")
    done = ready.run("vault", "list")
    assert done.returncode == 77
    assert done.stderr == (
        "costcompass: the vault does not open: the passphrase is wrong, or the file was changed:"
        " try again; vault.bak beside it is the vault before its last change\n"
    )


@pytest.mark.parametrize("which", ["vault", "passphrase"])
def test_a_file_that_others_can_read_is_refused(ready: Install, which):
    path = getattr(ready, which)
    path.chmod(0o644)
    done = ready.run("vault", "list")
    assert done.returncode == 1
    assert f"others can use {path} (mode 0644): chmod 600 {path}" in done.stderr


def test_no_vault_and_no_passphrase(install: Install):
    install.configure(passphrase_file=False)
    nothing = install.run("vault", "list")
    assert nothing.returncode == 1
    assert "costcompass vault create" in nothing.stderr
    assert install.run("vault", "create").returncode == 77
    install.keep()
    locked = install.run("vault", "list")
    assert locked.returncode == 77
    assert "--passphrase-fd N or [vault] passphrase_file" in locked.stderr


def test_the_sources_are_asked_in_the_contracts_order(install: Install):
    """Take away one source after the other; each time the next one is the right passphrase."""
    install.configure(passphrase_file=True)
    install.keep()
    wrong = install.folder / "wrong"
    right = install.folder / "right"
    for path, text in ((wrong, "not the passphrase"), (right, PASSPHRASE)):
        path.touch(mode=0o600)
        path.write_text(text)
    systemd = install.folder / "credentials"
    systemd.mkdir()

    def listing(*options: str, **environ: str) -> int:
        everything = {
            "COSTCOMPASS_VAULT_PASSPHRASE_FILE": str(wrong),
            "COSTCOMPASS_VAULT_PASSPHRASE": "not it either",
            "CREDENTIALS_DIRECTORY": str(systemd),
        }
        return install.run("vault", "list", *options, environ=everything | environ).returncode

    credential = systemd / "vault-passphrase"
    credential.touch(mode=0o400)
    credential.chmod(0o600)
    credential.write_text(PASSPHRASE)
    install.passphrase.write_text("not the passphrase")
    assert listing("--passphrase-fd", "0") == 0, "systemd's before the descriptor"
    credential.unlink()
    done = install.run("vault", "list", "--passphrase-fd", "0", stdin=f"{PASSPHRASE}\n")
    assert done.returncode == 0, "the descriptor before the file"
    assert listing() == 77, "the file of the configuration before the rest"
    install.configure(passphrase_file=False)
    assert listing(COSTCOMPASS_VAULT_PASSPHRASE_FILE=str(right)) == 0, "a file before the variable"

    warned = install.run("vault", "list", environ={"COSTCOMPASS_VAULT_PASSPHRASE": PASSPHRASE})
    assert warned.returncode == 0
    [line] = warned.stderr.splitlines()
    assert line.startswith("costcompass: warning: the passphrase came from $COSTCOMPASS_VAULT_")
    assert PASSPHRASE not in line


def test_on_a_terminal_nothing_secret_is_echoed(install: Install, openrouter: OpenRouter):
    install.configure(openrouter, passphrase_file=False)
    key = openrouter.accounts[0].management_key.secret
    with install.terminal("vault", "create") as screen:
        screen.expect("New passphrase")
        screen.type(PASSPHRASE)
        screen.expect("epeat")
        screen.type(PASSPHRASE)
        assert screen.finish() == 0
        assert PASSPHRASE not in screen.screen
        assert f"created {install.vault}" in screen.screen
    with install.terminal("vault", "add", "openrouter/main") as screen:
        screen.expect("Vault passphrase")
        screen.type(PASSPHRASE)
        screen.expect("Value of openrouter/main")
        screen.type(f"  {key} ")
        assert screen.finish() == 0
        assert "stored openrouter/main (management key)" in screen.screen
        assert key not in screen.screen
        assert PASSPHRASE not in screen.screen
    with install.terminal("vault", "change-passphrase") as screen:
        screen.expect("Vault passphrase")
        screen.type(PASSPHRASE)
        screen.expect("New passphrase")
        screen.type(OTHER)
        screen.expect("epeat")
        screen.type(OTHER)
        assert screen.finish() == 0
        assert OTHER not in screen.screen
    assert kept(install, OTHER) == {"openrouter/main": key}


def test_a_vault_made_on_a_terminal_opens_with_the_file_that_is_configured(install: Install):
    install.configure()
    with install.terminal("vault", "create") as screen:
        assert screen.finish() == 0
        assert "New passphrase" not in screen.screen
    assert kept(install) == {}


def test_ctrl_c_at_a_prompt_stores_nothing(install: Install):
    install.configure(passphrase_file=False)
    with install.terminal("vault", "create") as screen:
        screen.expect("New passphrase")
        screen.interrupt()
        assert screen.finish() == 130
        assert "Traceback" not in screen.screen
        assert "costcompass: interrupted" in screen.screen
    assert not install.vault.exists()
