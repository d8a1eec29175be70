"""`init`, its last question: which other providers join the total, each with what it needs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from bot.cli.base import has_terminal
from costcompass_core.domain.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from costcompass_core.providers.base import Option, Provider


Valid = Callable[[str, str, Callable[[str], object]], str]
"""`(prompt, default, read)`: asks until `read` takes the answer, and returns it."""


class More(NamedTuple):
    """One more account: its table for the configuration, the vault entry and what to ask for it.

    `prompt` is empty where the provider takes no key.
    """

    table: str
    secret_name: str
    prompt: str
    from_file: bool


def more_accounts(valid: Valid) -> Iterator[More]:
    """Yield the accounts that people want beside OpenRouter's, until they want no more."""
    from costcompass_core.providers.registry import PROVIDERS  # noqa: PLC0415 - a moment

    others = {name: one for name, one in PROVIDERS.items() if name != "openrouter"}
    click.echo(
        "\nOther providers can join the same total: docs/providers.md says what each needs.",
        err=True,
    )
    while name := _next_provider(list(others)):
        yield _account(others[name], valid)


def _next_provider(names: list[str]) -> str:
    """Ask for a provider; nothing, or the end of standard input, means no more."""
    prompt = f"Another provider ({', '.join(names)}), empty for none"
    while True:
        if has_terminal():
            typed = click.prompt(prompt, default="", show_default=False, err=True)
        else:
            typed = sys.stdin.readline()
        answer = str(typed).strip().lower()
        if not answer or answer in names:
            return answer
        what = f"there is no provider {answer[:40]!r}"
        if not has_terminal():
            raise UsageError(what, f"one of {', '.join(names)}, or an empty line")
        click.echo(f"  {what}", err=True)


def _account(provider: Provider, valid: Valid) -> More:
    from bot.config_keys import TOP  # noqa: PLC0415 - as above
    from costcompass_core.providers.base import FOLDER  # noqa: PLC0415

    name = valid("Its account's name", "main", TOP.tables["account"].keys["name"].kind.read)
    lines = [f"name = {json.dumps(name)}", f'provider = "{provider.name}"']
    for option in provider.options:
        optional = "" if option.required else ", empty for none"
        prompt = f"`{option.name}`: {option.what}, like {option.example}{optional}"

        answer = valid(prompt, "", _form_of(option))
        if answer and option is FOLDER:  # the daemon may be started elsewhere
            answer = str(Path(answer).expanduser().absolute())
        if answer:
            lines.append(f"{option.name} = {json.dumps(answer)}")
    table = "\n[[account]]\n" + "\n".join(lines) + "\n"
    prompt = f"{provider.title}: {provider.key_words}" if provider.key_words else ""
    return More(table, f"{provider.name}/{name}", prompt, provider.sign_in is not None)


def _form_of(option: Option) -> Callable[[str], object]:
    """Return what takes only answers of an option's form."""

    def read(answer: str) -> None:
        if not (re.fullmatch(option.pattern, answer) or (not answer and not option.required)):
            raise ValueError(f"must be like {option.example}")

    return read


def read_key_file(path: str) -> str:
    """Return what a key file holds. Raises `ConfigError`; what it holds is never shown."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        # What was typed is not repeated: it may be the key itself.
        raise ConfigError(
            f"that file cannot be read ({why})", "give the path of its JSON key"
        ) from None
