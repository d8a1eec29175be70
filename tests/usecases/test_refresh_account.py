"""A refresh, from real sockets into a real ledger: what it asks, believes, keeps, and never stores."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from refresh_world import MORNING, TODAY, ago, steady

from bot.sandbox import faults
from bot.sandbox.openrouter_account import StandInAccount, StandInKey
from bot.sandbox.openrouter_rows import activity_row
from bot.sandbox.scenario import demo_account
from costcompass_core.domain.errors import CostCompassError, KeyRejected, WrongKeyType
from costcompass_core.domain.money import Usd
from costcompass_core.usecases.spend import NO_KEY

MODEL = "openai/gpt-4.1"


def day_rows(day, usd="0.1", **fields):
    return [activity_row(day, MODEL, usd, **fields)]


# -- what is asked ------------------------------------------------------------------------------


def test_the_first_refresh_reads_everything_once_and_the_next_only_the_last_three_days(world):
    account = steady()
    world = world(main=account)
    key = account.inference_keys[0].hash
    outcome = world.refresh()
    assert world.asked() == [
        "/key",
        "/activity",
        "/credits",
        "/keys include_disabled=true offset=0",
        f"/activity api_key_hash={key}",
        "/models output_modalities=all",
    ]
    assert (outcome.new_days, outcome.rows, outcome.notes) == (30, 30, [])
    assert outcome.balance.left == Usd.of(96)
    assert (world.total(), world.total("all")) == ("2.2", "3.0")

    outcome = world.refresh()
    last_three = [f"/activity date={ago(age)}" for age in (3, 2, 1)]
    assert world.asked() == ["/key", *last_three, "/credits"]
    assert (outcome.new_days, outcome.restated, outcome.notes) == (0, [], [])


def test_later_refreshes_ask_for_new_days_too_and_split_only_those_by_key(world):
    account = steady()
    world = world(main=account)
    world.refresh()
    for age in (0, -1, -2, -3):
        account.set_day(ago(age), day_rows(ago(age)))
    world.asked()
    world.at(MORNING + timedelta(days=1)).refresh()
    asked = world.asked()
    assert [one[-10:] for one in asked if one.startswith("/activity date=")] == [
        "2026-11-21",
        "2026-11-22",
        "2026-11-23",
    ]
    assert [one[-15:] for one in asked if "api_key_hash" in one] == ["date=2026-11-23"]
    assert world.at(MORNING + timedelta(days=4)).refresh().new_days == 3
    assert world.days_asked() == ["2026-11-24", "2026-11-25", "2026-11-26"]


def test_a_part_is_read_alone(world):
    world = world(main=steady())
    world.refresh(parts=["balance"])
    assert world.asked() == ["/key", "/credits"]
    assert world.missing("yesterday") == ["2026-11-22"]
    world.refresh(parts=["activity"])
    assert "/credits" not in world.asked()
    assert world.missing("yesterday") == []


def test_a_day_that_was_never_read_is_unknown_and_asked_for_again_while_it_is_on_offer(world):
    account = steady()
    world = world(main=account)
    account.hide_day(ago(1), MORNING)
    world.at(MORNING.replace(hour=5)).refresh()
    world.asked()
    for age in range(-4, 1):
        account.set_day(ago(age), day_rows(ago(age)))
    assert world.at(MORNING + timedelta(days=5)).missing("7d") == [
        str(ago(n)) for n in range(1, -5, -1)
    ]
    world.refresh()
    assert world.days_asked() == [str(ago(age)) for age in range(1, -5, -1)]
    assert world.missing("7d") == []
    assert world.at(MORNING + timedelta(days=40)).refresh().new_days == 30
    assert world.missing("60d") == [str(ago(-n)) for n in range(5, 10)]
    assert world.missing("2026-10") == [str(date(2026, 10, day)) for day in range(1, 24)]


# -- what is believed ---------------------------------------------------------------------------


def test_a_correction_replaces_the_day_and_leaves_what_it_said_before(world):
    account = steady()
    world = world(main=account)
    world.refresh()
    account.correct(ago(2), MODEL, usage=Decimal("0.35"), prompt_tokens=7)
    account.correct(ago(4), MODEL, usage=Decimal(9))  # too old to be asked for again
    [restated] = world.refresh().restated
    assert (restated.day, restated.before.text(), restated.after.text()) == (ago(2), "0.1", "0.35")
    assert world.total("7d") == "0.95"
    [(_, name, day, at, before, after, rows, _settled)] = world.everything()["usage_change"]
    assert (name, day, at[:16]) == ("main", "2026-11-21", "2026-11-23T09:00")
    assert (before, after) == ("0.1", "0.35")
    [old] = json.loads(rows)
    assert old[0] == MODEL
    assert old[4:] == [1, 1000, 100, 0, 0, "0.1", "0", None, "USD"]
    assert world.refresh().restated == []
    assert len(world.everything()["usage_change"]) == 1


def test_a_day_that_comes_back_empty_is_kept_once_and_believed_the_second_time(world):
    account = steady()
    world = world(main=account)
    world.refresh()
    account.hide_day(ago(2))
    first = world.refresh()
    assert first.notes == ["2026-11-21 came back without its rows; kept until it does so again"]
    assert (first.restated, world.total("7d")) == ([], "0.7")
    account.show_day(ago(2))
    assert world.refresh().notes == []
    account.hide_day(ago(2))
    assert world.refresh().restated == []
    assert world.total("7d by key") == "0.7"
    [restated] = world.refresh().restated
    assert (restated.day, restated.after.text()) == (ago(2), "0")
    assert (world.total("7d"), world.missing("7d")) == ("0.6", [])
    assert world.rows("7d by key") == {"default": "0.6"}
    assert len(world.everything()["usage_change"]) == 1
    assert (world.refresh().restated, world.refresh().notes) == ([], [])


def test_an_empty_newest_day_is_unknown_for_six_hours_then_zero_then_corrected(world):
    account = steady()
    account.hide_day(ago(1))
    world = world(main=account)
    midnight = MORNING.replace(hour=0)
    for moment in (midnight, midnight + timedelta(hours=6, seconds=-1)):
        outcome = world.at(moment).refresh()
        assert outcome.notes == ["2026-11-22 has no rows yet; it stays unknown until it settles"]
        assert world.missing() == ["2026-11-22"]
        assert str(world.spend().data_through) == "2026-11-21"
        assert world.forecast().next_month.burn.end == ago(2)
    outcome = world.at(midnight + timedelta(hours=6)).refresh()
    assert (outcome.new_days, world.missing(), world.total()) == (1, [], "2.1")
    assert world.forecast().next_month.burn.spent.text() == "0.6"
    account.show_day(ago(1))
    [restated] = world.refresh().restated
    assert (restated.before.text(), restated.after.text(), world.total()) == ("0", "0.1", "2.2")


def test_an_account_without_usage_is_believed_when_it_says_so_twice(world):
    world = world(main=StandInAccount())
    world.refresh()
    assert world.asked()[:4] == ["/key", "/activity", "/activity", "/credits"]
    assert (world.total("30d"), world.missing("30d"), world.rows("30d")) == ("0", [], {})
    forecast = world.forecast()
    assert (forecast.next_month.usage.text(), forecast.runway) == ("0", None)


def test_rows_of_today_are_set_aside(world):
    account = steady()
    world = world(main=account)
    late = faults.edited(lambda text: text.replace("2026-11-22", "2026-11-23"))
    world.server.faults.add("/activity", late)
    outcome = world.refresh()
    assert outcome.notes == ["set aside 1 row(s) of 2026-11-23, which is not over yet"]
    stored = {row[1] for row in world.everything()["cost"]}
    assert max(stored) == "2026-11-21"


def test_every_quirk_seen_live_gives_the_same_figures(world):
    account = demo_account(TODAY)
    world = world(main=account, odd=account)
    world.refresh()
    quirks = world.server.quirks
    for quirk in ("date_suffix", "byok_requests", "unknown_fields", "integer_zero", "exponents"):
        setattr(quirks, quirk, True)
    quirks.excess_reasoning = quirks.duplicate_row = quirks.shuffled = quirks.old_key_shape = True
    quirks.cached_tokens = False
    assert world.refresh("odd").notes == ["kept one of each of 1 identical row(s)"]
    told = {row.name: row for row in world.spend("30d by account").rows}
    assert told["odd"].cost == told["main"].cost
    assert told["odd"].counts.prompt_tokens == told["main"].counts.prompt_tokens
    assert told["odd"].counts.cached_tokens is None


# -- what is refused ----------------------------------------------------------------------------


def edited(old, new):
    return faults.edited(lambda text: text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("path", "fault", "words"),
    [
        ("/activity", faults.html(200), "not JSON (HTML)"),
        ("/activity", faults.html(502), "(502)"),
        ("/activity", faults.error_in_ok(), "Provider returned error"),
        ("/activity", faults.rate_limited("1000000000"), "(429"),
        ("/activity", faults.truncated, "broke off"),
        ("/activity", faults.truncated_unframed, "broken or cut short"),
        ("/activity", faults.hang_up, "broke off"),
        ("/activity", faults.huge_body(2 << 20), "more than 1048576 bytes"),
        ("/activity", faults.compressed(), "compressed"),
        ("/activity", faults.raw(b'{"data":NaN}'), "NaN"),
        ("/activity", faults.raw(b'{"data":null}'), "no data of the documented shape"),
        ("/activity", edited('"usage":0.1', '"usage":null'), "row 1: usage is not"),
        ("/activity", edited('"usage":0.1', '"usage":1e400'), "row 1: usage is out of range"),
        ("/activity", edited('"requests":1,', ""), "no requests in row 1"),
        ("/activity", edited('"requests":1,', '"requests":1000000000000000,'), "row 1: requests"),
        ("/activity", edited('"date":"2026-11-20"', '"date":"2026-11-24"'), "yet to come"),
        ("/activity", edited('"date":"2026-11-20"', '"date":"2026-11-23"'), "was not asked for"),
        ("/credits", edited("100", "null"), "total_credits is not"),
        ("/credits", faults.redirect("http://127.0.0.1:1/"), "redirect"),
        ("/key", faults.raw(b'{"data":{}}'), "does not say whether"),
        ("/key", faults.status(401), "rejected the key"),
        ("/credits", faults.status(403, "Only management keys can perform this"), "type of key"),
    ],
)
def test_a_bad_answer_leaves_all_as_it_was_and_is_noted_in_its_own_words(world, path, fault, words):
    account = steady()
    world = world(main=account)
    world.refresh()
    before = world.everything()
    account.correct(ago(1), MODEL, usage=Decimal(5))
    world.server.faults.add(path, fault, times=3)
    with pytest.raises(CostCompassError) as caught:
        world.refresh()
    assert words in str(caught.value)
    assert world.everything() == before
    assert (world.total("yesterday"), world.total()) == ("0.1", "2.2")
    [health] = world.spend().health
    assert (health.error, health.failed_at) == (str(caught.value), MORNING)
    for part in world.tries().values():
        assert (part.failures, part.error) == (1, str(caught.value))
        assert part.permanent == isinstance(caught.value, KeyRejected)
        assert part.succeeded_at == MORNING
    world.server.faults.clear()
    world.refresh()
    assert world.spend().health[0].error is None
    assert world.total("yesterday") == "5"


@pytest.mark.parametrize("zeros", [True, False])
def test_a_key_that_cannot_read_spend_stores_nothing_whatever_it_is_told(world, zeros):
    account = steady()
    world = world(main=account)
    world.server.quirks.zero_credits = zeros
    with pytest.raises(WrongKeyType, match="Management key \\(formerly Provisioning key\\)"):
        world.refresh(key=account.inference_keys[0])
    assert world.asked() == ["/key"]
    stored = world.everything()
    assert (stored["balance"], stored["usage_day"]) == ([], [])
    assert world.tries()["balance"].permanent
    assert world.forecast().balances == ()


def test_a_revoked_key_is_rejected(world):
    account = StandInAccount([StandInKey("gone", management=True, revoked=True)])
    world = world(main=account)
    with pytest.raises(KeyRejected, match="rejected the key"):
        world.refresh()
    assert world.everything()["balance"] == []


# -- usage by key -------------------------------------------------------------------------------


def test_the_split_by_key_adds_up(world):
    world = world(main=demo_account(TODAY))
    world.refresh()
    by_key, by_model = world.spend("30d by key"), world.spend("30d")
    assert {row.name for row in by_key.rows} == {"backend", "ci-evals", "laptop"}
    assert (by_key.total, by_key.byok) == (by_model.total, by_model.byok)
    assert sum(r.counts.requests for r in by_key.rows) == sum(
        r.counts.requests for r in by_model.rows
    )
    assert world.total("30d by key claude") == world.total("30d claude")


def test_what_no_listed_key_used_is_told_as_such(world):
    keys = [StandInKey("m", management=True), StandInKey("a"), StandInKey("old", revoked=True)]
    account = StandInAccount([*keys, StandInKey("a", seed="another")])
    for name, usd in (("a", "0.25"), ("old", "0.5")):
        account.set_day(ago(1), day_rows(ago(1), usd), key=name)
    world = world(main=account)
    world.refresh()
    assert world.rows("7d by key") == {NO_KEY: "0.50", "a": "0.25"}


def test_a_split_that_cannot_be_read_is_a_remark_and_read_the_next_time(world):
    world = world(main=steady())
    world.server.faults.add("/keys", faults.status(500), times=3)
    outcome = world.refresh()
    assert [note[:27] for note in outcome.notes] == ["usage by key was not read: "]
    assert world.tries()["activity"].failures == 0
    assert world.rows("7d by key") == {NO_KEY: "0.7"}
    world.refresh()
    assert world.rows("7d by key") == {"default": "0.7"}


# -- several accounts ---------------------------------------------------------------------------


def test_accounts_do_not_hurt_each_other(world):
    world = world(main=steady(), side=steady(usd="0.02", seed="side"))
    world.refresh()
    with pytest.raises(WrongKeyType):
        world.refresh("side", key=world.accounts["side"].inference_keys[0])
    assert world.total("7d") == "0.7"
    assert world.missing("7d") == [str(ago(age)) for age in range(7, 0, -1)]
    assert [bool(one.error) for one in world.spend().health] == [False, True]
    world.refresh("side")
    assert world.rows("7d by account") == {"main": "0.7", "side": "0.14"}
    assert world.missing("7d") == []
    balances = {one.account: one.left for one in world.forecast().balances}
    assert balances == {"main": Usd.of(96), "side": Usd.of("99.2")}
    assert world.forecast().runway.account == "main"


def test_nothing_of_a_key_reaches_the_ledger(world, tmp_path):
    account = steady()
    world = world(main=account)
    world.refresh()
    secrets = [key.secret.encode() for key in account.keys]
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        assert not any(secret in content for secret in secrets)
