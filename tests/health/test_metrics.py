"""What Prometheus reads of a real daemon, and what is written about it elsewhere."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from install import PASSPHRASE, eventually
from watched import MODELS, Watched

from bot.health.costs import MOST_MODELS
from bot.sandbox.deepseek import DeepSeek
from bot.sandbox.slack_people import USER

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "monitoring"
PAGE = ROOT / "docs" / "metrics.md"
SUFFIXES = ("_bucket", "_count", "_sum", "_total")
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)"
)


def test_costs_add_up_to_what_spend_says(watched: Watched):
    told = json.loads(watched.install.run("spend", "--json").stdout)
    family = watched.metrics()["costcompass_month_to_date_cost_usd"]
    shown = math.fsum(one.value for one in family.samples)
    assert shown == pytest.approx(float(Decimal(told["total_usd"])), abs=1e-9)
    day = json.loads(watched.install.run("spend", "yesterday", "--json").stdout)
    family = watched.metrics()["costcompass_newest_day_cost_usd"]
    main = [one for one in family.samples if one.labels["account"] == "main"]
    assert math.fsum(one.value for one in main) == pytest.approx(float(day["total_usd"]), abs=1e-9)
    assert len(main) == MOST_MODELS + 1
    assert MODELS > MOST_MODELS
    [other] = [one.value for one in main if one.labels["model"] == "other"]
    assert other > 0


def test_a_hostile_name_stays_a_label(watched: Watched):
    family = watched.metrics()["costcompass_newest_day_cost_usd"]
    names = {one.labels["model"] for one in family.samples}
    assert 'evil"}\ufffd1 2 3\\' in names


def test_yuan_are_in_no_dollar_figure(watched: Watched):
    found = watched.metrics()
    newest = found["costcompass_newest_day_foreign_cost"].samples
    assert {(one.labels["account"], one.labels["currency"]) for one in newest} == {
        ("deepseek/main", "CNY")
    }
    assert sum(one.value for one in newest) == 5
    month = found["costcompass_month_to_date_foreign_cost"].samples
    told = json.loads(watched.install.run("spend", "--json").stdout)["currencies"]
    totals = {one["currency"]: float(one["total"]) for one in told}
    assert sum(one.value for one in month) == totals.get("CNY", 0)
    [left] = found["costcompass_foreign_balance"].samples
    assert (left.labels["currency"], left.value) == ("CNY", 100)
    for name in ("balance_usd", "newest_day_cost_usd"):
        dear = {one.labels["account"]: one.value for one in found[f"costcompass_{name}"].samples}
        assert not dear.get("deepseek/main")


def test_forecast_and_balance_are_those_of_the_command(watched: Watched):
    told = json.loads(watched.install.run("forecast", "--json").stdout)
    assert watched.value("costcompass_next_month_forecast_usd") == pytest.approx(
        float(told["next_month"]["total_usd"])
    )
    assert watched.value("costcompass_balance_usd", account="main") == pytest.approx(
        float(told["balance"]["usd"])
    )
    assert watched.value("costcompass_runway_seconds", account="main") == pytest.approx(
        float(told["runway"]["days"]) * 86_400
    )
    assert watched.value("costcompass_budget_limit_usd", budget="all models") == 300


def test_what_happens_is_counted(watched: Watched):
    acks = "costcompass_slack_acknowledgement_duration_seconds_count"
    before = watched.value(acks, kind="/spend") or 0
    watched.slack.user.command("/spend", "7d")
    assert eventually(lambda: watched.value(acks, kind="/spend") == before + 1)
    refreshes = "costcompass_refreshes_total"
    good = watched.value(refreshes, account="main", result="ok")
    assert good
    assert watched.value(refreshes, account="main", result="key_rejected") == 0
    assert eventually(lambda: watched.value(refreshes, account="main", result="ok") > good)
    assert watched.value("costcompass_refresh_duration_seconds_count", provider="openrouter") > good


def test_no_secret_no_key_and_no_person_is_shown(watched: Watched):
    account = watched.openrouter.accounts[0]
    pages = [watched.get(path) for path in ("/healthz", "/readyz", "/metrics", "/else")]
    shown = "\n".join(f"{one.headers} {one.body}" for one in pages)
    keys = account.management_key
    hidden = {PASSPHRASE, keys.secret, DeepSeek.RIGHT, watched.slack.bot_token, USER}
    assert [one for one in hidden if one in shown] == []
    assert {one.name for one in account.keys} & set(re.findall(r'"([^"]*)"', shown)) == set()


def test_the_page_lists_every_metric_and_its_labels(watched: Watched):
    lines = [one for one in PAGE.read_text().splitlines() if re.match(r"\| `(costcomp|proc)", one)]
    rows = [[cell.strip() for cell in one.split("|")[1:-1]] for one in lines]
    written = {
        name.strip("`"): (kind, set(re.findall(r"\w+", labels)))
        for name, kind, _, labels, _ in rows
    }
    families = watched.metrics().values()
    shown = {
        f"{one.name}_total" if one.type == "counter" else one.name: (
            one.type,
            {label for sample in one.samples for label in sample.labels} - {"le"},
        )
        for one in families
    }
    assert written == shown


def exported(watched: Watched) -> set[str]:
    """Every name that has a sample now."""
    return {one.name for family in watched.metrics().values() for one in family.samples}


def expressions() -> list[str]:
    """Every expression of the dashboard and of the rules."""
    dashboard = json.loads((MONITORING / "grafana-dashboard.json").read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    rules = (MONITORING / "alerts.yml").read_text()
    return found + re.findall(r"expr: (?:>-\n)?(.*?)\n\s+for:", rules, re.DOTALL)


def test_the_dashboard_and_the_rules_ask_for_nothing_that_is_not_there(watched: Watched):
    asked = {
        name for one in expressions() for name in re.findall(r"\b(?:costcompass|process)_\w+", one)
    }
    assert asked - exported(watched) == set()
    ours = {name for name in exported(watched) if name.startswith("costcompass_")}
    told = {re.sub(f"({'|'.join(SUFFIXES)})$", "", name) for name in asked}
    unused = {re.sub(f"({'|'.join(SUFFIXES)})$", "", name) for name in ours} - told
    assert unused == {"costcompass_account_info"}, "the dashboard shows all that there is"


def test_labels_that_are_asked_for_are_there(watched: Watched):
    labels = {
        sample.name: set(sample.labels)
        for family in watched.metrics().values()
        for sample in family.samples
    }
    for one in expressions():
        for name, inside in re.findall(r"\b(costcompass_\w+)\{([^}]*)\}", one):
            wanted = set(re.findall(r"(\w+)=", inside)) - {"job"}
            assert wanted <= labels[name], one
    checks = {one.labels["check"] for one in watched.metrics()["costcompass_ready"].samples}
    asked = {check for one in expressions() for check in re.findall(r'check="(\w+)"', one)}
    assert asked <= checks


def test_the_dashboard_is_portable():
    dashboard = json.loads((MONITORING / "grafana-dashboard.json").read_text())
    sources = {
        str(one.get("uid"))
        for panel in dashboard["panels"]
        for one in (
            panel.get("datasource") or {},
            *(t["datasource"] for t in panel.get("targets", ())),
        )
        if one
    }
    assert sources == {"${datasource}"}
    assert {one["name"] for one in dashboard["templating"]["list"]} == {"datasource", "job"}
    idents = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(idents)) == len(idents)


@needs_promtool
def test_promtool_finds_nothing_wrong(watched: Watched, tmp_path: Path):
    def promtool(*words: object, given: str = "") -> subprocess.CompletedProcess[str]:
        command = ["promtool", *map(str, words)]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=False)

    linted = promtool("check", "metrics", given=watched.get("/metrics").body)
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")
    asked = [one.replace("$__rate_interval", "5m") for one in expressions()]
    rules = [{"record": f"dashboard:{n}", "expr": one} for n, one in enumerate(asked)]
    panels = tmp_path / "panels.yml"
    panels.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    for words in (
        ["check", "rules", panels],
        ["check", "rules", MONITORING / "alerts.yml"],
        ["test", "rules", MONITORING / "alerts_test.yml"],
    ):
        done = promtool(*words)
        assert done.returncode == 0, done.stdout + done.stderr
