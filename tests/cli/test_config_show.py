"""`config show`: every key, its value and where that is from, what was changed in Slack included."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime

from install import Install

from bot.config_keys import TOP
from costcompass_core.storage.settings import change_settings
from costcompass_core.storage.store import open_store

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
MORE = """
[alerts]
balance_below = [25.50, 10]
webhook_url = "https://hooks.example/T0/hunter2secret"
[[budget]]
name = "all models"
amount = 300
"""


def shown(install: Install) -> dict[str, tuple[str, str]]:
    done = install.run("config", "show", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["path"] == str(install.config)
    return {one["key"]: (one["value"], one["source"]) for one in told["keys"]}


def test_each_key_is_shown_with_its_source_before_anything_is_stored(install: Install):
    install.configure(more=MORE)
    install.environ["COSTCOMPASS_DIGEST__TIME"] = "08:15"
    keys = shown(install)
    assert keys["alerts.balance_below"] == ("[25.50, 10]", "file")
    assert keys["digest.time"] == ('"08:15"', "environment variable COSTCOMPASS_DIGEST__TIME")
    assert keys["alerts.repeat_every"] == ('"1d"', "default")
    assert keys["budget[0].amount"] == ("300", "file")
    assert keys["timezone"] == ('"Europe/Berlin"', "file")
    assert keys["alerts.webhook_url"] == ('"https://hooks.example/…"', "file")
    for table in ("refresh", "slack", "digest", "alerts", "http"):
        assert {f"{table}.{name}" for name in TOP.tables[table].keys} <= set(keys)
    text = install.run("config", "show").stdout
    assert "hunter2" not in text
    assert 'alerts.repeat_every = "1d"   # default' in text
    assert max(map(len, text.splitlines()[1:])) <= 80


def test_what_was_changed_in_slack_says_by_whom_and_when_and_what_no_longer_fits_says_so(
    install: Install,
):
    install.configure(more=MORE)
    install.state.mkdir(mode=0o700)
    with closing(open_store(install.state)) as store, store.writing() as tx:
        kept = {"digest.time": "07:30", "alerts.balance_below": "[50]", "alerts.quiet_hours": "?"}
        change_settings(tx, kept, "U0SANDBOX01", AT)
    keys = shown(install)
    assert keys["digest.time"] == ('"07:30"', "Slack")
    assert keys["alerts.balance_below"] == ("[50]", "Slack")
    assert "does not fit any more" in keys["alerts.quiet_hours"][1]
    text = install.run("config", "show").stdout
    assert "changed in Slack by U0SANDBOX01 on 23 Nov 10:00" in " ".join(text.split())
    assert "digest.time: as in the file → 07:30, by U0SANDBOX01" in " ".join(text.split())
    told = json.loads(install.run("config", "show", "--json").stdout)
    assert [one["key"] for one in told["changes"]] == [
        "alerts.quiet_hours", "alerts.balance_below", "digest.time",
    ]  # fmt: skip
    assert told["changes"][1]["after"] == "[50]"
