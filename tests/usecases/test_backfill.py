"""Old days from analytics and today's usage: both sources together, and never twice."""

import signal
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refresh_world import MORNING, TODAY, World, ago
from watch_world import Watcher

from bot.refreshing import filled_line
from bot.sandbox import faults
from bot.sandbox.openrouter_account import StandInAccount, StandInKey
from bot.summary import spend_headline, spend_notes, spend_source
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.days import each_day
from costcompass_core.domain.errors import KeyRejected, Unavailable
from costcompass_core.domain.money import Usd
from costcompass_core.domain.rules.views import Limits
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.http import Http
from costcompass_core.providers.openrouter import PROVIDER
from costcompass_core.storage.spend import read_days
from costcompass_core.storage.store import open_store
from costcompass_core.storage.views import account_views
from costcompass_core.usecases.backfill import CHUNK_DAYS, backfill, chunks
from costcompass_core.usecases.source import Source

MODEL, SLUG = "anthropic/claude-sonnet-4.5", "anthropic/claude-4.5-sonnet-20250929"
DOUBLE = "0.12345678901234567891"


def yearly(days=100):
    account = StandInAccount()
    for age in range(1, days + 1):
        account.spend(DOUBLE, ago(age), MODEL, permaslug=SLUG)
    return account


def fill(world, days=365, key=None):
    account = Account("main", PROVIDER.name, world.server.base_url)
    secret = Secret((key or world.accounts["main"].management_key).secret)
    with Http(account.base_url, PROVIDER.authorize(secret), wait=lambda _: False) as client:
        return backfill(Source(account, PROVIDER, client), world.store, lambda: world.now, days)


def exactly(days):
    return format(Decimal(DOUBLE) * days, "f")


@pytest.mark.parametrize("titles", [False, True])
def test_a_year_is_filled_in_to_the_last_digit_and_the_next_run_asks_nothing(world, titles):
    world = world(main=yearly())
    world.server.quirks.analytics_titles = titles
    world.server.quirks.analytics_day_key = "created_at__day"
    world.server.quirks.analytics_day_suffix = "T00:00:00.000Z"
    world.refresh()
    filled = fill(world)
    assert filled.error is None
    assert (filled.days, filled.rows, filled.cost.text()) == (335, 70, exactly(70))
    assert (filled.first, filled.last) == (ago(365), ago(31))
    assert world.rows("all") == {MODEL: exactly(100)}
    assert world.spend("all").query.period.start == ago(100), (
        "no year of zeros before the first row"
    )
    assert world.rows("all by host") == {"OpenAI": exactly(30), "(host not reported)": exactly(70)}
    assert set(world.rows("all by key")) == {"default", "(no key known)"}
    world.asked()
    assert fill(world).days == 0
    assert world.asked(queries=True) == []


def test_what_a_stop_leaves_is_stored_and_the_next_run_does_the_rest(world):
    world = world(main=yearly())
    world.server.faults.add("/analytics/query", faults.status(400), where={}, times=None)
    assert isinstance(fill(world, 91).error, Unavailable)
    world.server.faults.clear()
    world.server.quirks.analytics_per_minute = 1
    world.now += timedelta(minutes=2)
    stopped = fill(world, 91)
    assert isinstance(stopped.error, Unavailable)
    assert stopped.days == CHUNK_DAYS
    world.server.quirks.analytics_per_minute = 64
    rest = fill(world, 91)
    assert (rest.known, rest.days) == (CHUNK_DAYS, 61 - CHUNK_DAYS)
    assert world.total("all") == exactly(61)


def test_a_cut_off_answer_is_asked_for_in_halves_and_a_cut_off_day_is_not_stored(world):
    world = world(main=yearly())
    world.server.quirks.analytics_most_rows = 7
    assert fill(world, 60).cost.text() == exactly(30)
    account = world.accounts["main"]
    account.spend("1", ago(61), "other/model")
    account.spend("1", ago(61), MODEL, permaslug=SLUG)
    world.server.quirks.analytics_most_rows = 1
    refused = fill(world, 61)
    assert "was cut off within" in str(refused.error)
    assert refused.days == 0


def test_a_key_of_the_wrong_type_fills_nothing(world):
    world = world(main=yearly())
    assert isinstance(fill(world, key=world.accounts["main"].inference_keys[0]).error, KeyRejected)
    assert world.asked(queries=True) == ["/key"]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(["feed", "fill", "later", "balance"]), min_size=1, max_size=6))
def test_no_order_of_reading_counts_a_day_twice(tmp_path_factory, steps):
    store = open_store(tmp_path_factory.mktemp("any"))
    world = World(store, main=yearly())
    with world.server:
        for step in steps:
            if step == "later":
                world.now += timedelta(days=1)
            elif step == "fill":
                assert fill(world, 120).error is None
            else:
                world.refresh(parts=["activity"] if step == "feed" else ["balance"])
        with store.reading() as tx:
            doubled = tx.execute(
                "SELECT day FROM usage GROUP BY account, day HAVING count(*) > 1"
            ).fetchall()
        assert doubled == []
        fill(world, 120)
        world.refresh()
        assert world.total("all") == exactly(100)
    store.close()


def test_the_feed_replaces_a_day_of_analytics_whole_and_without_a_word(world):
    world = world(main=yearly(40))
    fill(world, 40)
    world.at(MORNING - timedelta(days=10))
    outcome = world.refresh(parts=["activity"])
    assert outcome.restated == []
    assert world.at(MORNING).rows(f"{ago(40)}..{ago(31)} by host") == {"OpenAI": exactly(10)}


def test_today_is_ranked_by_model_beside_what_the_balance_lost(world):
    world = world(main=yearly())
    world.at(MORNING.replace(hour=0, minute=1)).refresh()
    account = world.accounts["main"]
    account.spend("0.75", TODAY, MODEL, permaslug=SLUG)
    account.spend("0.25", TODAY, "openai/gpt-4.1", host="Azure")
    world.at(MORNING).refresh(parts=["balance"])
    account.spend("0.5", TODAY, "openai/gpt-4.1")
    world.at(MORNING + timedelta(minutes=5)).refresh(parts=["balance"])
    report = world.spend("today")
    assert world.rows("today") == {MODEL: "0.75", "openai/gpt-4.1": "0.25"}
    assert world.rows("today by host") == {"OpenAI": "0.75", "Azure": "0.25"}
    assert world.rows("today gpt") == {"openai/gpt-4.1": "0.25"}
    assert world.rows("today by day") == {str(TODAY): "1.00"}
    assert (report.total.amount, report.unattributed.amount) == (1, Decimal("0.5"))
    assert spend_headline(report) == (
        f"Today: $1.00 reported so far, as of 09:00 UTC, most on {MODEL} (75.0%)."
    )
    [note] = spend_notes(report, world.now)
    assert note == (
        "By the balance, all models took $1.50 since 00:01 UTC, as of 09:05 UTC;"
        " the rows are from 09:00 UTC."
    )
    world.at(MORNING + timedelta(days=1))
    assert world.spend("today").rows == (), "a day that is over is not today"


def test_a_key_that_may_not_use_analytics_is_told_once_and_asked_once_an_hour(world):
    world = world(main=yearly())
    world.server.quirks.no_analytics = True
    [note] = world.refresh().notes
    assert "today's usage by model was not read" in note
    world.now += timedelta(minutes=20)
    assert world.refresh().notes == []
    world.now += timedelta(minutes=50)
    assert world.refresh().notes == []
    assert world.asked(queries=True).count("/analytics/query") == 2


@given(st.sets(st.dates(ago(365), ago(31)), max_size=200))
def test_chunks_cover_each_day_once_newest_first(days):
    runs = list(chunks(days))
    covered = [day for first, last in runs for day in each_day(first, last)]
    assert sorted(covered) == sorted(days)
    assert all((last - first).days < CHUNK_DAYS for first, last in runs)
    assert runs == sorted(runs, reverse=True)


def test_a_year_that_reaches_back_to_the_minute_lacks_its_oldest_day(world):
    world = world(main=yearly(400))
    world.server.quirks.analytics_to_the_minute = True
    world.refresh()
    filled = fill(world)
    assert (filled.error, filled.first, filled.days) == (None, ago(364), 334)
    assert world.total("all") == exactly(364)
    again = fill(world)
    assert (again.error, again.first, again.days) == (None, None, 0)
    for one in (filled, again):
        assert f"; {ago(365)} is not on offer any more" in filled_line(one)


@pytest.mark.parametrize("code", [401, 429, 500])
def test_only_a_question_that_was_declined_is_asked_for_less(world, code):
    world = world(main=yearly(400))
    assert fill(world, 364).error is None
    again = {"Retry-After": "3000"}  # longer than anybody waits, so the call ends here
    world.server.faults.add("/analytics/query", faults.status(code, headers=again), times=None)
    world.asked()
    assert fill(world).error is not None
    assert world.asked(queries=True) == ["/key", "/analytics/query"]


def test_a_month_that_comes_without_its_rows_once_is_not_believed(world):
    world = world(main=yearly())
    gone = faults.raw(b'{"data":{"data":[],"metadata":{"truncated":false}}}')
    world.server.faults.add("/analytics/query", gone, times=1)
    assert fill(world, 60).cost.text() == exactly(30)


@pytest.mark.parametrize("days", [3, 13, 20, 30])
def test_days_before_the_first_usage_change_no_figure(world, days):
    account = yearly(0)
    for age in range(1, days + 1):
        account.spend(age % 5 + 1, ago(age), MODEL if age > 2 else "new/model")
    world = world(main=account)
    watcher = Watcher(world, Limits(notice_above=Usd.of(1)), unusual=True)
    watcher.refresh()

    def told():
        ask = world.questions
        reports = (world.spend("all"), world.spend("ytd").rows, world.forecast())
        asked = ask.accuracy("", world.now), ask.advice("", world.now), ask.why("", world.now)
        with world.store.reading() as tx:
            return *reports, *asked, account_views(tx, ["main"], world.now, world.now, "main")

    before = told()
    assert fill(world).days == 335
    assert told() == before
    assert watcher.refresh(after=timedelta(hours=1)) == []


def test_rows_of_today_that_are_old_or_not_of_all_accounts_say_so(world):
    keys = [StandInKey("manager", management=True, seed="other"), StandInKey("a", seed="other")]
    other = StandInAccount(keys)
    world = world(main=yearly(), other=other)
    for account in world.accounts.values():
        account.spend("1", TODAY, MODEL, permaslug=SLUG)
    world.refresh()
    world.server.quirks.no_analytics = True
    world.refresh("other")
    world.at(MORNING + timedelta(hours=2, minutes=10)).refresh()
    report = world.spend("today")
    assert world.rows("today by account") == {"main": "1"}
    assert spend_notes(report, world.now)[-2:] == [
        "The rows were reported 2 hours ago: what was used since is not among them.",
        "Not in the rows: 1 account whose usage of today is not reported: other.",
    ]
    assert spend_source(report, world.now) == (
        "Source: openrouter analytics of today (UTC), 2 hours ago"
    )


def test_a_label_that_nobody_knows_is_asked_about_once_a_day(world):
    world = world(main=yearly())
    world.accounts["main"].spend("1", TODAY, "strange/label", permaslug="strange/label")
    world.refresh()
    world.asked()
    for _ in range(4):
        world.now += timedelta(minutes=15)
        world.refresh(parts=["balance"])
    assert world.asked(queries=True) == ["/key", "/credits", "/analytics/query"] * 4
    assert world.rows("today") == {"strange/label": "1"}


KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.http import Http
from costcompass_core.providers.openrouter import PROVIDER
from costcompass_core.storage import usage
from costcompass_core.storage.spend import read_days
from costcompass_core.storage.store import open_store
from costcompass_core.usecases.backfill import backfill
from costcompass_core.usecases.source import Source

folder, url, key, now, calls = sys.argv[1:]
rebuild, left = usage._rebuild_month, int(calls)

def dying(tx, account, month):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    rebuild(tx, account, month)

usage._rebuild_month = dying
account = Account("main", PROVIDER.name, url)
with Http(url, PROVIDER.authorize(Secret(key)), wait=lambda _: False) as client:
    store, clock = open_store(Path(folder)), lambda: datetime.fromisoformat(now)
    backfill(Source(account, PROVIDER, client), store, clock, 365)
"""


def test_a_kill_within_the_storing_of_a_piece_leaves_whole_pieces_and_the_next_run_the_rest(
    world, tmp_path
):
    world = world(main=yearly(300))
    world.refresh()
    given = [world.server.base_url, world.accounts["main"].management_key.secret]
    for calls in (1, 2, 5):  # months that are written before the kill, in two to a piece
        words = [str(tmp_path), *given, world.now.isoformat(), str(calls)]
        died = subprocess.run([sys.executable, "-c", KILLED, *words], check=False, timeout=60)
        assert died.returncode == -signal.SIGKILL
        with world.store.reading() as tx:
            days = read_days(tx, "main", ago(365), ago(31))
        assert len(days) % CHUNK_DAYS == 0
        assert world.total("all") == exactly(30 + len(days)), "days and months say the same"
        assert world.total("all by day") == exactly(30 + len(days))
    rest = fill(world)
    assert (rest.error, rest.known, rest.days) == (None, len(days), 335 - len(days))
    assert world.total("all") == world.total("all by day") == exactly(300)
