# noqa: INP001 - a script, not a package
"""docs/configuration.md from the tables of `bot.config_keys`: `./run docs` writes it, a test compares."""

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill

from bot.config import usual_places, variable_for
from bot.config_keys import TOP
from bot.config_settings import KEYS, written
from bot.config_tables import Key, Table

PAGE = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"
PLACES = ", ".join(f"`{one}`" for one in usual_places({"XDG_CONFIG_HOME": "$XDG_CONFIG_HOME"}))
INTRODUCTION = f"""<!-- Written by ./run docs from bot/config_keys.py: change it there. -->

# Configuration

One TOML file, the first that is there of `--config PATH`, `$COSTCOMPASS_CONFIG`,
{PLACES}.
[config.example.toml](../config.example.toml) is one with every table in it.

- `costcompass check-config` names every mistake at once: unknown keys with the nearest known name, wrong
  types, bad values. It exits with 0, or 78.
- `costcompass config show` says what holds, and whether the file, a variable or somebody in Slack set it.
- Any key can be set by the environment variable at the end of its lines; that wins over the file. The
  `0` in a name is a table's place in its list. Lists and numbers are written as in the file:
  `COSTCOMPASS_ALERTS__BALANCE_BELOW='[50, 20]'`.
- Keys with a ◆ can be changed in the app's Home in Slack as well; what was set there wins over both.
- No secret is a configuration key: keys and tokens lie in the vault ([vault-format.md](vault-format.md)).
- Durations are 1s or more in `s`, `m`, `h` or `d`. Amounts are exact decimals. Days stand without quotes.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([INTRODUCTION, *_sections(TOP, "", "")])


def _sections(table: Table, path: str, variable: str) -> Iterator[str]:
    """Yield the section of `table`, then those below it; `variable` has places for lists."""
    brackets = f"[[{path}]]" if table.many else f"[{path}]"
    yield f"## `{brackets}`\n" if path else "## Above all tables\n"
    often = " Any number of times." if table.many else " Optional." if table.optional else ""
    yield _wrapped(f"{table.says}{often}") + "\n"
    for name, key in table.keys.items():
        yield _entry(name, key, f"{path}.{name}", variable_for(f"{variable}{name}"))
    yield ""
    for name, below in table.tables.items():
        where = f"{path}.{name}" if path else name
        yield from _sections(below, where, f"{variable}{name}{'[0]' if below.many else ''}.")


def _entry(name: str, key: Key, path: str, variable: str) -> str:
    """Return a key: what it means, then its kind, default and variable."""
    value = f"{key.kind.expects[:1].upper()}{key.kind.expects[1:]}"
    told = [f"**`{name}`**{' ◆' if path in KEYS else ''}: {key.says}", f"{value};", _default(key)]
    return _wrapped(f"{' '.join(told)} `{variable}`", "- ", "  ")


def _default(key: Key) -> str:
    if key.required:
        return "must be there."
    return "left out by default." if key.default is None else f"default `{written(key.default)}`."


def _wrapped(text: str, first: str = "", rest: str = "") -> str:
    return fill(
        text,
        110,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


if __name__ == "__main__":
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE.relative_to(PAGE.parent.parent)} is as the code has it.\n")
