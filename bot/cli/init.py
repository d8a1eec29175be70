"""`init`: from nothing to a checked configuration and vault, by questions."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import click

from bot.cli.base import Context, ask_hidden, has_terminal, now, read_line
from bot.cli.init_accounts import More, more_accounts, read_key_file
from bot.config import load_config, state_dir_from, usual_places
from bot.config_keys import TOP
from costcompass_core.domain.errors import (
    ConfigError,
    KeyRejected,
    Unavailable,
    UsageError,
    VaultError,
    WrongKeyType,
)
from costcompass_core.domain.secret import Secret

_TEMPLATE = """# Written by `costcompass init`; config.example.toml explains every key.
timezone = {timezone}
state_dir = {state_dir}
{vault}
[[account]]
name = "main"
provider = "openrouter"

[slack]
channel = {channel}
allowed_users = {users}
"""
_SLACK_STEP = """
Slack app: paste the output of `costcompass manifest` at https://api.slack.com/apps
(Create New App, From a manifest) and install it to your workspace. Its bot token
(xoxb-…) is under OAuth & Permissions; make the app-level token (xapp-…, scope
connections:write) under Basic Information. Then invite the bot to the channel.
"""


@click.command("init")
@click.pass_obj
def init_command(context: Context) -> None:
    """Ask for what is needed, write configuration and vault, check the keys."""
    from bot.keys import kind_of  # noqa: PLC0415 - loads the providers
    from bot.process import harden  # noqa: PLC0415
    from costcompass_core.vault.file import create  # noqa: PLC0415

    harden()
    path = context.config_path or _default_place()
    if path.exists():
        raise ConfigError(f"{path} is already there", "edit it, or give another --config PATH")
    answers = _ask_settings()
    if (there := Path(answers["state_dir"], "vault")).exists():
        raise VaultError(f"there already is a vault at {there}", "name another directory")
    passphrase, keep = _ask_passphrase(Path(answers["state_dir"]))
    draft = path.with_name(f"{path.name}.new")
    _write_draft(draft, _config_text(answers, keep))
    try:
        config = load_config(draft)
        vault_path = config.state_dir / "vault"
        secrets = _ask_secrets(lambda name, value: kind_of(name, value, config, now))
        for more in more_accounts(_valid):
            _write_draft(draft, more.table, "a")
            secret = _ask_more(
                more, lambda name, value: kind_of(name, value, load_config(draft), now)
            )
            secrets |= {more.secret_name: secret} if secret is not None else {}
        load_config(draft)  # a name given twice is told before anything is made
        create(vault_path, passphrase, secrets)
        if keep is not None:
            _keep_private(keep, passphrase, vault_path)
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"\nWrote {path} and {vault_path}.")
    click.echo("Next: `costcompass doctor` checks everything, `costcompass run` starts it.")


def _write_draft(draft: Path, text: str, mode: Literal["w", "a"] = "w") -> None:
    try:
        draft.parent.mkdir(parents=True, exist_ok=True)
        with draft.open(mode, encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise ConfigError(
            f"{draft.parent} cannot be written ({error.strerror})", "give another --config PATH"
        ) from None


def _default_place() -> Path:
    named = os.environ.get("COSTCOMPASS_CONFIG")
    return Path(named) if named else usual_places(os.environ)[1]


def _ask(prompt: str, default: str = "") -> str:
    """Ask on a terminal, or take the next line of standard input."""
    if has_terminal():
        answer: str = click.prompt(prompt, default=default, show_default=bool(default), err=True)
        return answer.strip()
    return read_line(prompt).strip() or default


def _ask_secret(prompt: str) -> str:
    if has_terminal():
        answer: str = click.prompt(
            prompt, default="", hide_input=True, show_default=False, err=True
        )
        return answer
    return read_line(prompt)


def _ask_settings() -> dict[str, str]:
    """Ask for the settings until each is one that the configuration accepts."""
    state_dir = state_dir_from(os.environ.get("COSTCOMPASS_STATE_DIR", ""), os.environ)
    slack = TOP.tables["slack"].keys
    return {
        "timezone": _valid("Time zone", "UTC", TOP.keys["timezone"].kind.read),
        "state_dir": str(
            Path(_ask("Directory for database and vault", str(state_dir))).expanduser().absolute()
        ),
        "channel": _valid(
            "Slack channel ID for digests and alerts (C…, empty for none)",
            "",
            slack["channel"].kind.read,
        ),
        "users": json.dumps(
            _valid(
                "Slack member IDs that may use the bot (U…, separated by spaces)",
                "",
                lambda text: slack["allowed_users"].kind.read(text.replace(",", " ").split()),
            )
            .replace(",", " ")
            .split()
        ),
    }


def _valid(prompt: str, default: str, read: Callable[[str], object]) -> str:
    while True:
        answer = _ask(prompt, default)
        try:
            read(answer)
        except ValueError as error:
            if not has_terminal():
                raise UsageError(f"{prompt}: {error}", "give another answer") from None
            click.echo(f"  {error}", err=True)
            continue
        return answer


def _ask_passphrase(state_dir: Path) -> tuple[Secret, Path | None]:
    """Return the vault's passphrase, and the file to keep it in where the user wants that."""
    from costcompass_core.vault.unlock import (  # noqa: PLC0415
        check_new_passphrase,
        generate_passphrase,
    )

    typed = _ask_secret("Passphrase for the vault (empty: make one)")
    passphrase = Secret(typed) if typed else generate_passphrase()
    check_new_passphrase(passphrase)
    if not typed:
        click.echo(f"\n  {passphrase.expose()}\n\nWrite it down; nothing can restore it.", err=True)
    elif has_terminal() and ask_hidden("Once more") != typed:
        raise UsageError("the two passphrases differ", "begin again")
    click.echo(
        "With the passphrase in a file of mode 0600 the daemon starts by itself; without it,"
        " run `costcompass unlock` after each start.",
        err=True,
    )
    keep = _ask("Keep the passphrase in a file? (yes/no)", "yes").lower() in {"y", "yes"}
    return passphrase, state_dir / "passphrase" if keep else None


def _ask_secrets(kind_of: Callable[[str, Secret], str]) -> dict[str, Secret]:
    """Ask for the key and the two tokens and check each at once; empty ones can come later."""
    prompts = {
        "openrouter/main": "OpenRouter Management key",
        "slack/bot-token": "Slack bot token (xoxb-…)",
        "slack/app-token": "Slack app-level token (xapp-…)",
    }
    found: dict[str, Secret] = {}
    for name, prompt in prompts.items():
        if name == "slack/bot-token":
            click.echo(_SLACK_STEP, err=True)
        if (secret := _ask_one(name, prompt, kind_of)) is not None:
            found[name] = secret
    return found


def _ask_more(more: More, kind_of: Callable[[str, Secret], str]) -> Secret | None:
    """Ask for the key of one more account, by the path of its file where it is a whole file."""
    if not more.prompt:
        return None
    if not more.from_file:
        return _ask_one(more.secret_name, more.prompt, kind_of)
    return _ask_one(
        more.secret_name, f"{more.prompt}; the path of that file", kind_of, typed_by=_ask_file
    )


def _ask_file(prompt: str) -> str:
    path = _ask(prompt)
    return read_key_file(path) if path else ""


def _ask_one(
    name: str,
    prompt: str,
    kind_of: Callable[[str, Secret], str],
    *,
    typed_by: Callable[[str], str] | None = None,
) -> Secret | None:
    from bot.logs import hide  # noqa: PLC0415
    from costcompass_core.vault.entry import clean_value  # noqa: PLC0415

    while True:
        typed = (typed_by or _ask_secret)(f"{prompt}, empty to add it later")
        if not typed.strip():
            return None
        secret = hide(clean_value(typed))
        try:
            click.echo(f"  {kind_of(name, secret)}", err=True)
        except Unavailable as error:
            click.echo(f"  not checked: {error}", err=True)
        except (WrongKeyType, KeyRejected) as error:
            if not has_terminal():
                raise
            click.echo(f"  {error}", err=True)
            continue
        return secret


def _config_text(answers: Mapping[str, str], keep: Path | None) -> str:
    vault = f"\n[vault]\npassphrase_file = {_quoted(str(keep))}\n" if keep else ""
    return _TEMPLATE.format(
        timezone=_quoted(answers["timezone"]),
        state_dir=_quoted(answers["state_dir"]),
        vault=vault,
        channel=_quoted(answers["channel"]),
        users=answers["users"],
    )


def _quoted(text: str) -> str:
    """Return a TOML basic string; JSON's escapes are a subset of TOML's."""
    return json.dumps(text, ensure_ascii=False)


def _keep_private(path: Path, passphrase: Secret, vault_path: Path) -> None:
    """Write the passphrase beside the vault, which is made already. Raises `VaultError`."""
    try:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(f"{passphrase.expose()}\n")
    except OSError as error:
        raise VaultError(
            f"{path} cannot be written ({error.strerror})",
            f"mend that, remove {vault_path} and begin again",
        ) from None
