"""One TOML file and the environment become valid values, or every mistake is told at once."""

from __future__ import annotations

import os
import re
import string
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import Backup, Config, find_config, load_config, parse_config
from bot.config_keys import TOP
from bot.config_tables import Table
from costcompass_core.domain.errors import ConfigError
from costcompass_core.domain.money import Usd

EXAMPLE = Path(__file__).resolve().parents[2] / "config.example.toml"


def mistakes(tree: dict[str, Any], environ: dict[str, str] | None = None) -> list[str]:
    """The lines about `tree`, without the place that each begins with."""
    with pytest.raises(ConfigError) as caught:
        parse_config(tree, environ or {})
    assert caught.value.exit_code == 78
    return [line.removeprefix("configuration: ") for line in caught.value.lines]


def loaded(folder: Path, text: str) -> Config:
    path = folder / "config.toml"
    path.write_text(text)
    return load_config(path, {"HOME": str(folder)})


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    return str(caught.value)


def test_the_example_file_loads_and_shows_every_key_there_is():
    config = load_config(EXAMPLE, {})
    assert config.timezone.key == "Europe/Berlin"
    assert str(config.state_dir) == "/var/lib/costcompass"
    [account] = config.accounts
    assert account.secret_name == "openrouter/main"
    assert account.base_url == "https://openrouter.ai/api/v1"
    assert config.slack.allowed_users == {"U0123456789"}
    assert config.balance_every == timedelta(minutes=5)
    [subscription] = config.subscriptions
    assert subscription.amount == Usd.of(20)

    text = EXAMPLE.read_text().replace("\n# ", "\n")  # what is optional stands there commented out
    for name in names(TOP):
        assert (
            f"\n{name} " in text
            or f"[{name}]" in text
            or f".{name}]" in text
            or f"`{name}`" in text
            or (f"{name} =" in text)
        ), f"{name} is missing"


def test_what_the_example_has_commented_out_is_valid_too(tmp_path):
    text = re.sub(r"(?m)^# (?=\[\[|[a-z_]+ *= )", "", EXAMPLE.read_text())
    config = loaded(tmp_path, text)
    assert [one.provider for one in config.accounts] == [
        "openrouter", "anthropic", "openai", "deepseek", "google", "xai", "together", "vercel",
        "focus", "google-csv",
    ]  # fmt: skip
    assert config.accounts[-2].name == "focus/clouds"
    assert config.money.rates[0].currency == "CNY"
    [subscription] = config.subscriptions
    assert subscription.changes[0].amount.text() == "25.00"
    [budget] = config.alerts.budgets
    assert (budget.account, budget.model) == ("main", "anthropic/*")
    [route] = config.alerts.desk.routes
    assert (route.to, route.rule) == ("C0987654321", "budget_spent")


def names(table: Table) -> list[str]:
    below = [name for inner in table.tables.values() for name in names(inner)]
    return [*table.keys, *table.tables, *below]


def test_an_empty_file_is_a_whole_configuration():
    config = parse_config({}, {"HOME": "/home/somebody"})
    assert str(config.state_dir) == "/home/somebody/.local/state/costcompass"
    assert (config.balance_every, config.activity_every) == (
        timedelta(minutes=5),
        timedelta(hours=1),
    )
    assert config.slack.allowed_users == frozenset(), "empty means nobody"
    state = parse_config({}, {"HOME": "/home/somebody", "XDG_STATE_HOME": "/state"}).state_dir
    assert str(state) == "/state/costcompass"


def test_every_mistake_is_told_at_once_with_its_path_and_the_nearest_name(tmp_path):
    text = """
timezone = "Europe/Berln"
statedir = "x"

[[account]]
name = "main"
provider = "openruter"
base_url = "http://openrouter.ai/api/v1"

[[account]]
provider = "openrouter"
nam = "second"

[refresh]
balance = 300

[slak]

[slack]
channel = "#spend"
allowed_users = ["U0123456789", "@anna", "bert"]

[digest]
time = "9:00"
weekdays = ["mon", "tues"]

[[subscription]]
name = "ChatGPT"
amount = "20"
per = "months"
from = "2026-01-01"

[http]
listen = "9464"
"""
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    lines = [line.removeprefix(f"{path}: ") for line in caught.value.lines]
    told = {line.partition(" ")[0]: line for line in lines}
    assert len(told) == len(lines) == 17
    assert "did you mean `state_dir`?" in told["statedir"]
    assert "did you mean 'Europe/Berlin'?" in told["timezone"]
    assert "did you mean 'openrouter'?" in told["account[0].provider"]
    assert "unencrypted" in told["account[0].base_url"]
    assert "did you mean `name`?" in told["account[1].nam"]
    assert "is missing" in told["account[1].name"]
    assert "'5m'" in told["refresh.balance"]
    assert "did you mean `slack`?" in told["slak"]
    assert "not its name" in told["slack.channel"]
    assert {"slack.allowed_users[1]", "slack.allowed_users[2]"} < told.keys()
    assert "'09:00'" in told["digest.time"]
    assert "did you mean 'tue'?" in told["digest.weekdays[1]"]
    assert "must be a number" in told["subscription[0].amount"]
    assert "did you mean 'month'?" in told["subscription[0].per"]
    assert "without quotes" in told["subscription[0].from"]
    assert "127.0.0.1:9464" in told["http.listen"]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "0", "true", '"25"', "1e400"])
@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("alerts.balance_below[1]", "[alerts]\nbalance_below = [25, {}]"),
        ("alerts.runway_below_days[0]", "[alerts]\nrunway_below_days = [{}]"),
        ("subscription[0].amount", '[[subscription]]\nname = "x"\namount = {}'),
        ("budget[0].alert_at_percent[0]", '[[budget]]\nname="x"\namount=1\nalert_at_percent=[{}]'),
    ],
)
def test_what_toml_takes_for_a_number_need_not_be_an_amount(tmp_path, where, text, value):
    told = refusal(tmp_path, text.format(value))
    assert where in told
    assert "number" in told or "more than 0" in told or "out of range" in told


def test_amounts_keep_every_digit(tmp_path):
    config = loaded(tmp_path, '[[subscription]]\nname = "x"\namount = 19.990000000000000000001')
    assert config.subscriptions[0].amount.text() == "19.990000000000000000001"


@pytest.mark.parametrize("zone", ["", "Europe", "../etc/passwd", "/etc/passwd", 1, [], "a\0b", "zone.tab"])  # fmt: skip
def test_a_bad_time_zone_is_refused(zone):
    [line] = mistakes({"timezone": zone})
    assert line.startswith("timezone is not a time zone")


@pytest.mark.parametrize("text", ["1s", "90s", "5m", "1h", "7d"])
def test_durations(text):
    assert parse_config({"refresh": {"balance": text}}, {}).balance_every >= timedelta(seconds=1)


@pytest.mark.parametrize("bad", ["0s", "5 m", "-5m", "5M", "5", "m", "1.5h", "99999999d", "", 5])
def test_no_durations(bad):
    assert mistakes({"refresh": {"activity": bad}})[0].startswith("refresh.activity must be")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://example.com/v1", "unencrypted"),
        ("https://me:hunter22@example.com/v1", "name or password"),
        ("https://example.com/v1?key=x", "?"),
        ("ftp://127.0.0.1/", "unencrypted"),
        ("openrouter.ai", "not an address"),
    ],
)
def test_a_key_is_sent_nowhere_unsafe(address, why):
    [line] = mistakes({"slack": {"api_url": address}})
    assert why in line
    assert "hunter22" not in line


def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path):
    told = refusal(tmp_path, '[vault]\npassphrase = "correct horse"\n[slack]\nbot_token = "xoxb-1"')
    assert "vault.passphrase" in told
    assert "slack.bot_token" in told
    assert "correct horse" not in told
    assert "xoxb-1" not in told


def test_names_must_differ_and_a_subscription_must_not_end_before_it_begins():
    account = {"name": "main", "provider": "openrouter"}
    span = {"name": "x", "amount": 5, "from": date(2026, 2, 1), "until": date(2026, 1, 31)}
    lines = mistakes({"account": [account, account], "subscription": [span]})
    assert lines == [
        "account has two of the name 'main': rename one of them",
        "subscription[0].until is before `from`: swap them",
    ]


def test_a_route_that_could_never_take_anything_is_a_mistake():
    account = {"name": "main", "provider": "openrouter"}
    route = {"to": "C0123456789"}
    never = [{"kind": "digest", "rule": "balance_low"}, {"kind": "monthly", "account": "main"}]
    assert mistakes({"account": [account], "route": [route | one for one in never]}) == [
        f"route[{i}] of kind {kind!r} takes nothing: such reports have neither a rule nor an"
        " account: leave out `rule` and `account`"
        for i, kind in enumerate(("digest", "monthly"))
    ]
    good = [{"kind": "digest"}, {"rule": "database_unwritable"}, {"account": "main"}]
    routes = [route | one for one in good]
    assert len(parse_config({"account": [account], "route": routes}, {}).alerts.desk.routes) == 3


def test_a_mistake_is_one_line_whatever_the_key_holds(tmp_path):
    told = refusal(tmp_path, '"a\\nFORGED \\u001b[31m" = 1')
    assert "\n" not in told
    assert "\x1b" not in told


@pytest.mark.parametrize(
    "text",
    ["timezone = ", "a = 1\na = 2", "x = " + "[" * 5000, "x = " + "9" * 5000, "x = 1979-13-01"],
)
def test_what_is_no_toml_is_refused_with_its_place(tmp_path, text):
    told = refusal(tmp_path, text)
    assert told.startswith(f"{tmp_path}/config.toml is not TOML (")
    assert "\n" not in told


def test_a_file_that_cannot_be_read_or_is_no_text(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "nowhere.toml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path, {})
    (tmp_path / "latin").write_bytes(b'timezone = "Espa\xf1a"')
    with pytest.raises(ConfigError, match="not TOML"):
        load_config(tmp_path / "latin", {})


def test_the_places_are_looked_at_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named, user = tmp_path / "named.toml", tmp_path / "xdg" / "costcompass" / "config.toml"
    environ = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    if not Path("/etc/costcompass/config.toml").exists():
        assert find_config(None, environ) is None
        with pytest.raises(ConfigError, match="costcompass init"):
            load_config(None, environ)
    user.parent.mkdir(parents=True)
    user.touch()
    assert find_config(None, environ) == user
    Path("config.toml").touch()
    assert find_config(None, environ) == Path("config.toml")
    environ["COSTCOMPASS_CONFIG"] = str(named)
    assert find_config(None, environ) == named, "a named file is meant, even one that is missing"
    assert find_config(Path("option.toml"), environ) == Path("option.toml")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_is_closed_to_us_is_passed_over(tmp_path):
    closed = tmp_path / "xdg"
    (closed / "costcompass").mkdir(parents=True)
    closed.chmod(0o700)
    code = (
        "import os, sys; from bot.config import find_config\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "print(find_config(None, {'XDG_CONFIG_HOME': sys.argv[1]}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, closed],
        cwd=EXAMPLE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() in {"None", "/etc/costcompass/config.toml"}, done.stderr


def test_the_environment_overrides_any_key():
    environ = {
        "COSTCOMPASS_TIMEZONE": "America/New_York",
        "COSTCOMPASS_STATE_DIR": "/data",
        "COSTCOMPASS_ACCOUNT__0__BASE_URL": "http://127.0.0.1:8080/api/v1",
        "COSTCOMPASS_ACCOUNT__1__NAME": "second",
        "COSTCOMPASS_ACCOUNT__1__PROVIDER": "openrouter",
        "COSTCOMPASS_SLACK__ALLOWED_USERS": '["U1234", "W5678"]',
        "COSTCOMPASS_ALERTS__BALANCE_BELOW": "[0.1, 2]",
        "COSTCOMPASS_SUBSCRIPTION__0__NAME": "Pro",
        "COSTCOMPASS_SUBSCRIPTION__0__AMOUNT": "19.99",
        "COSTCOMPASS_SUBSCRIPTION__0__FROM": "2026-02-03",
        "COSTCOMPASS_BUDGET__0__NAME": "all",
        "COSTCOMPASS_BUDGET__0__AMOUNT": "300",
        "COSTCOMPASS_BUDGET__0__MATCH__MODEL": "anthropic/*",
        "COSTCOMPASS_CONFIG": "not a key",
        "COSTCOMPASS_VAULT_PASSPHRASE": "not a key",
        "COSTCOMPASS_VAULT_PASSPHRASE_FILE": "not a key",
        "OTHER": "not ours",
    }
    tree = {"timezone": "UTC", "account": [{"name": "main", "provider": "openrouter"}]}
    config = parse_config(tree, environ)
    assert config.timezone.key == "America/New_York"
    assert config.state_dir == Path("/data")
    assert [one.name for one in config.accounts] == ["main", "second"]
    assert config.accounts[0].base_url == "http://127.0.0.1:8080/api/v1"
    assert config.slack.allowed_users == {"U1234", "W5678"}
    assert [one.text() for one in config.alerts.limits.balance_below] == ["0.1", "2"]
    assert config.subscriptions[0].amount == Usd(Decimal("19.99"))
    assert config.alerts.budgets[0].model == "anthropic/*"
    assert tree == {"timezone": "UTC", "account": [{"name": "main", "provider": "openrouter"}]}


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("COSTCOMPASS_SLACK__CHANEL", "C1234", "did you mean `channel`?"),
        ("COSTCOMPASS_SLAK__CHANNEL", "C1234", "did you mean `slack`?"),
        ("COSTCOMPASS_TIME_ZONE", "UTC", "did you mean `timezone`?"),
        ("COSTCOMPASS_SLACK", "C1234", "known here: channel, allowed_users, share_in, api_url"),
        ("COSTCOMPASS_ACCOUNT__MAIN__NAME", "x", "known here: name, provider, base_url"),
        ("COSTCOMPASS_ACCOUNT__²__NAME", "x", "known here: name, provider, base_url"),
        ("COSTCOMPASS_ACCOUNT__1__NAME", "x", "skips a position: count from 0"),
        ("COSTCOMPASS_ALERTS__BALANCE_BELOW", "ten", "must be a list"),
        ("COSTCOMPASS_ALERTS__BALANCE_BELOW", "[" * 5000, "must be a list"),
        ("COSTCOMPASS_SUBSCRIPTION__0__FROM", "May", "must be a day"),
        ("COSTCOMPASS_VAULT__PASSPHRASE", "hunter22", "did you mean `passphrase_file`?"),
    ],
)
def test_a_variable_that_makes_no_sense_is_a_mistake(variable, value, told):
    lines = "\n".join(mistakes({}, {variable: value}))
    assert told in lines
    assert "hunter22" not in lines


_NAMES = st.sampled_from(sorted({*names(TOP), "0", "x", "a\nb", ""}))
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.text(max_size=12),
    st.sampled_from(["UTC", "5m", "main", "openrouter", "C0123456789", "09:00", "127.0.0.1:1"]),
)
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=20,
)
_STEPS = st.sampled_from([*(name.upper() for name in names(TOP)), "0", "1", "X", "²", ""])
_ENVIRONS = st.dictionaries(
    st.lists(_STEPS, min_size=1, max_size=4).map(lambda steps: "COSTCOMPASS_" + "__".join(steps)),
    st.text(string.printable, max_size=12),
    max_size=3,
)


@given(st.dictionaries(_NAMES, _TREES, max_size=5), _ENVIRONS)
def test_no_configuration_whatever_does_anything_but_load_or_tell(tree, environ):
    told = told_by(lambda: parse_config(tree, environ))
    assert all(line.isprintable() for line in told)


@given(
    st.text(max_size=60) | st.lists(st.sampled_from("[]{}=\"'\n.0x-a"), max_size=40).map("".join)
)
def test_no_file_whatever_does_anything_but_load_or_tell(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(text.encode(errors="replace"))
    told = told_by(lambda: load_config(path, {"HOME": "/nowhere"}))
    assert all(line.isprintable() for line in told)


def told_by(load: Callable[[], Config]) -> list[str]:
    """What is wrong with a configuration, nothing for a good one."""
    try:
        load()
    except ConfigError as error:
        return getattr(error, "lines", [str(error)])
    return []


@pytest.mark.parametrize("keep", [-1, 1001, Decimal("1.5"), Decimal("NaN"), True, "x"])
def test_the_number_of_backups_is_a_small_whole_number(keep: object) -> None:
    account = {"account": [{"name": "main", "provider": "openrouter"}]}
    with pytest.raises(ConfigError, match=r"backup\.keep must be a whole number up to 1000, or 0"):
        parse_config(account | {"backup": {"keep": keep}}, {})


def test_backups_lie_in_the_state_directory_unless_told_otherwise() -> None:
    account = {"account": [{"name": "main", "provider": "openrouter"}], "state_dir": "/srv/state"}
    environ = {"HOME": "/home/one", "COSTCOMPASS_BACKUP__KEEP": "3"}
    assert parse_config(account, environ).backup == Backup(3, Path("/srv/state/backups"))
    for folder, place in (("~/kept", "/home/one/kept"), ("/mnt/kept", "/mnt/kept")):
        config = parse_config(account | {"backup": {"folder": folder}}, environ)
        assert config.backup.folder == Path(place)
