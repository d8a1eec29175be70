"""Write what a version of CostCompass leaves behind: its database, its vault, and what it answers.

    ./run fixture NAME              this checkout, for a release: NAME is its version
    ./run fixture NAME --of FOLDER  another checkout, an older one for one

The program and the stand-ins are those of the checkout, every command is a process of its own, and
clock and random numbers are ours: the same checkout gives the same files. See README.md beside this.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

HERE = Path(__file__).resolve().parent
FIXTURES = HERE / "fixtures"
PASSPHRASE = "correct horse battery staple five"
MOMENTS = [datetime(2026, 11, day, 8, tzinfo=UTC) for day in (19, 20, 21)]
"""When everything is read."""
ASKED = datetime(2026, 11, 21, 9, tzinfo=UTC)
"""When the questions are asked."""
QUESTIONS = (
    "spend all",
    "spend mtd",
    "spend last month by day",
    "spend 7d by host",
    "spend 30d by key",
    "spend by account",
    "forecast",
)
"""With `--json`; a version that does not know one yet has no answer to it."""
AS_OF = """
import os, random, sys
os.urandom = random._urandom = random.Random(' '.join(sys.argv[1:])).randbytes
from freezegun import freeze_time
import bot.cli
with freeze_time(sys.argv[1]):
    sys.exit(bot.cli.run(sys.argv[2:]))
"""
IN_SLACK = """
import sys
from datetime import datetime
from pathlib import Path
from costcompass_core.storage.settings import change_settings
from costcompass_core.storage.store import open_store
store, at = open_store(Path(sys.argv[1])), datetime.fromisoformat(sys.argv[2])
with store.writing() as tx:
    change_settings(tx, {"alerts.balance_below": "[40, 10]", "digest.time": "08:30"}, "U0A1", at)
store.close()
"""
CONFIG = """state_dir = "state"
timezone = "Europe/Berlin"
[vault]
passphrase_file = "passphrase"
{accounts}[slack]
channel = "C0123456789"
[[subscription]]
name = "ChatGPT Plus"
amount = 20.00
per = "month"
"""


@dataclass
class Checkout:
    """A program in a folder, its installation in another, and stand-ins whose clock is `now`."""

    root: Path
    folder: Path
    now: datetime = MOMENTS[0]

    def run(self, *words: str, typed: str = "") -> str | None:
        """Run one command; what it printed, or `None` where it fails."""
        done = self.python(AS_OF, self.now.isoformat(), *words, typed=typed)
        if done.returncode:
            sys.stderr.write(f"{' '.join(words)}: {done.returncode}: {done.stderr}")
        return None if done.returncode else done.stdout

    def python(self, code: str, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run `code` with the checkout's modules."""
        return subprocess.run(
            [sys.executable, "-P", "-c", code, *words],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "PYTHONPATH": str(self.root),
                "COSTCOMPASS_CONFIG": str(self.folder / "config.toml"),
            },
            cwd=self.folder,
            input=typed,
            capture_output=True,
            check=False,
            text=True,
            timeout=120,
        )


def main(words: list[str]) -> None:
    """Make one fixture."""
    asked = argparse.ArgumentParser(description="Write a fixture.")
    asked.add_argument("name")
    asked.add_argument("--of", type=Path, default=HERE.parents[1])
    options = asked.parse_args(words)
    sys.path.insert(0, str(options.of.resolve()))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        checkout = Checkout(options.of.resolve(), Path(folder))
        live(checkout, stack)
        keep(checkout, FIXTURES / options.name)


def live(checkout: Checkout, stack: ExitStack) -> None:
    """Let three days pass: read, spend, top up, restate a day, change settings, declare a cost."""
    openrouter = import_module("bot.sandbox.openrouter_account").StandInAccount(total_credits=100)
    spend_days(openrouter, date(2026, 10, 22), date(2026, 11, 18))
    running = import_module("bot.sandbox.openrouter").OpenRouter(lambda: checkout.now, [openrouter])
    secrets = {"openrouter": openrouter.management_key.secret}
    tables = account("openrouter", stack.enter_context(running).base_url)
    beside = others(checkout, stack)
    for one in beside:
        secrets[one.provider] = one.biller.RIGHT
        tables += account(one.provider, one.biller.base_url)
    configure(checkout, tables, secrets)
    for moment in MOMENTS:
        checkout.now = moment
        for name in ("main", *(f"{one.provider}/main" for one in beside)):  # always in this order
            assert checkout.run("refresh", "--account", name) is not None
        a_day_later(openrouter, beside, moment.date())
    checkout.now = ASKED
    if (checkout.root / "costcompass_core/storage/settings.py").exists():
        changed = checkout.python(IN_SLACK, str(checkout.folder / "state"), ASKED.isoformat())
        assert not changed.returncode, changed.stderr
    if (checkout.root / "bot/cli/cost.py").exists():
        declare = ("cost", "add", "Server", "4.51", "--currency", "EUR", "--per", "month")
        assert checkout.run(*declare, "--from", "2026-11-01") is not None
        assert checkout.run("cost", "add", "Domain", "12.50", "--on", "2026-11-18") is not None


def others(checkout: Checkout, stack: ExitStack) -> list[SimpleNamespace]:
    """Start stand-ins of a slow provider and a prepaid one, where the program knows them."""
    found = []
    for module, name in (("anthropic", "Anthropic"), ("deepseek", "DeepSeek")):
        if (checkout.root / f"costcompass_core/providers/{module}.py").exists():
            stand_in = getattr(import_module(f"bot.sandbox.{module}"), name)
            biller = stack.enter_context(stand_in(lambda: checkout.now))
            found.append(SimpleNamespace(provider=module, biller=biller))
            for back in range(2, 20):
                biller.spend(date(2026, 11, 19) - timedelta(days=back), f"{back}.000123")
    return found


def spend_days(openrouter: Any, first: date, last: date) -> None:
    """Let three models have days of amounts that no float would hold."""
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        cost = Decimal("0.71234567890123456789") + Decimal(number % 7) / 8
        counts = {"prompt_tokens": 40_000 + number, "completion_tokens": 900, "cached_tokens": 7}
        openrouter.spend(cost, day, "anthropic/claude-sonnet-4.5", host="Anthropic", **counts)
        openrouter.spend("0.00000000000000000000000001", day, "openai/gpt-4.1", requests=3)
        if number % 3 == 0:
            openrouter.spend("0", day, "openai/gpt-5-mini", byok="0.125", reasoning_tokens=50)


def a_day_later(openrouter: Any, beside: list[SimpleNamespace], today: date) -> None:
    """Spend what the next reading is to find, and restate the day before."""
    openrouter.correct(
        today - timedelta(days=1), "anthropic/claude-sonnet-4.5", usage=Decimal("3.3")
    )
    spend_days(openrouter, today, today)
    openrouter.spend("33.125", today, "openai/gpt-4.1", host="Azure")
    if today == MOMENTS[1].date():
        openrouter.top_up(25)
    for one in beside:
        one.biller.spend(today - timedelta(days=1), "1.750001")


def account(provider: str, base_url: str) -> str:
    """Return the lines of an account."""
    return f'[[account]]\nname = "main"\nprovider = "{provider}"\nbase_url = "{base_url}"\n'


def configure(checkout: Checkout, tables: str, secrets: dict[str, str]) -> None:
    """Write configuration and passphrase, make the vault and put the keys into it."""
    (checkout.folder / "passphrase").touch(mode=0o600)
    (checkout.folder / "passphrase").write_text(PASSPHRASE)
    (checkout.folder / "config.toml").write_text(CONFIG.format(accounts=tables))
    assert checkout.run("vault", "create") is not None
    for provider, secret in secrets.items():
        assert checkout.run("vault", "add", f"{provider}/main", typed=secret) is not None
    entry = checkout.run("vault", "add", "slack/bot-token", typed="xoxb-1-not-a-real-token")
    assert entry is not None


def keep(checkout: Checkout, folder: Path) -> None:
    """Copy what was left behind, and what the program says of it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    answers = {one: checkout.run(*one.split(), "--json") for one in QUESTIONS}
    rows = (checkout.run("export", "--format", "jsonl") or "").splitlines()
    told = {
        "version": (checkout.run("--version") or "").strip(),
        "asked_at": ASKED.isoformat(),
        "answers": {one: json.loads(said) for one, said in answers.items() if said},
        "export": [json.loads(row) for row in rows],
    }
    database = (checkout.folder / "state" / "costcompass.db").read_bytes()
    (folder / "costcompass.db.gz").write_bytes(gzip.compress(database, mtime=0))
    (folder / "told.json.gz").write_bytes(gzip.compress(json.dumps(told).encode(), mtime=0))
    shutil.copy(checkout.folder / "state" / "vault", folder / "vault")
    config = (checkout.folder / "config.toml").read_text().splitlines(keepends=True)
    (folder / "config.toml").write_text("".join(x for x in config if "base_url" not in x))
    size = sum(one.stat().st_size for one in folder.iterdir())
    sys.stdout.write(f"{folder.name}: {size} bytes, {len(rows)} rows\n")


if __name__ == "__main__":
    main(sys.argv[1:])
