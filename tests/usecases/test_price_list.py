"""The price list is read once a day beside a refresh, and what changes in it is kept."""

from datetime import UTC, date, time, timedelta

import pytest
from refresh_world import MORNING, steady

from bot.digest_words.prices import news_line
from bot.sandbox.faults import status
from bot.slack.digest_messages import digest_message
from bot.terminal.digest import digest_text
from bot.terminal.digest_shape import digest_shape
from bot.terminal.paint import Paint
from costcompass_core.domain.errors import UsageError
from costcompass_core.storage.catalogue import catalogue, list_changes
from costcompass_core.usecases.digest import Reporter
from costcompass_core.usecases.publish import Calendar, publish
from costcompass_core.usecases.watch import Watch

MODEL = "openai/gpt-4.1"


def noticed(world):
    with world.store.reading() as tx:
        return [(one.model, one.what) for one in list_changes(tx, MORNING, world.now)]


def stored(world):
    with world.store.reading() as tx:
        return catalogue(tx, "openrouter")


def test_it_is_read_once_a_day_and_the_first_list_is_no_change(world):
    made = world(main=steady())
    made.server.quirks.models_page = 5
    made.refresh()
    asked = [one for one in made.asked() if one.startswith("/models")]
    assert asked[:2] == ["/models output_modalities=all", "/models output_modalities=all offset=5"]
    assert stored(made).models[MODEL].prices["completion"].text() == "0.000008"
    made.at(MORNING + timedelta(hours=3)).refresh()
    assert not [one for one in made.asked() if one.startswith("/models")]
    assert noticed(made) == []


def test_prices_ends_removals_and_returns_are_noticed(world):
    made = world(main=steady())
    days = [MORNING + timedelta(days=count) for count in range(4)]
    made.server.shelf.price(MODEL, days[1], completion="0.000010")
    made.server.shelf.expire(MODEL, "2026-12-03", days[1])
    made.server.shelf.remove("z-ai/glm-4.6", days[2], until=days[3])
    seen = []
    for day in days:
        made.at(day).refresh()
        seen.append(noticed(made)[sum(map(len, seen)) :])
    assert seen == [
        [], [(MODEL, "price"), (MODEL, "expiry")], [("z-ai/glm-4.6", "removed")],
        [("z-ai/glm-4.6", "returned")],
    ]  # fmt: skip


def test_a_list_that_fails_or_is_too_short_changes_nothing_and_fails_nothing(world):
    made = world(main=steady())
    made.refresh()
    known = stored(made)
    made.server.faults.add("/models", status(403))
    later = made.at(MORNING + timedelta(days=1))
    assert any("price list was not read" in note for note in later.refresh().notes)
    for model in list(known.models)[1:]:
        made.server.shelf.remove(model)
    assert any("not believed" in note for note in later.refresh().notes)
    assert (stored(made), noticed(made)) == (known, [])


def test_a_model_whose_entry_is_odd_for_a_day_has_not_left(world):
    made = world(main=steady())
    made.refresh()
    known = stored(made).models[MODEL]
    made.server.shelf.price(MODEL, MORNING + timedelta(days=1), prompt="soon")
    made.server.shelf.price(MODEL, MORNING + timedelta(days=2), prompt="-1")
    notes = made.at(MORNING + timedelta(days=1)).refresh().notes
    assert any("left out of the price list" in note for note in notes)
    assert (stored(made).models[MODEL], noticed(made)) == (known, [])
    made.at(MORNING + timedelta(days=2)).refresh()
    assert noticed(made) == [(MODEL, "price")]
    [line] = lines(made)
    assert line == (
        f"{MODEL}: input price $2 per M tokens → varies, which can't be weighted with what you use."
    )


def lines(world, at=None):
    at = at or world.now
    report = Reporter(world.store).digest(at.date(), at)
    assert not report.is_empty
    shape = digest_shape(report)["prices"]
    assert len(shape) == len(report.prices)
    told = [news_line(one, report.day) for one in report.prices]
    for line in told:
        assert line.split()[0] in digest_text(report, at, UTC, Paint(on=False))
        assert line.split()[0].rstrip(":") in str(digest_message(report, at, UTC))
    return told


def test_the_digest_tells_a_changed_price_on_its_day_and_an_end_in_its_last_week(world):
    made = world(main=steady())
    made.refresh()
    shelf, next_day = made.server.shelf, MORNING + timedelta(days=1)
    shelf.price(MODEL, next_day, completion="0.000100")
    shelf.price("z-ai/glm-4.6", next_day, completion="1")  # nobody here uses it
    made.at(next_day).refresh()
    used = Reporter(made.store).digest(made.now.date(), made.now).prices[0]
    assert used.effect is not None
    [line] = lines(made)
    assert line.startswith(f"{MODEL}: output price $8 → $100 per M tokens, about +$")
    shelf.expire(MODEL, "2026-12-03", next_day + timedelta(days=1))
    told = []
    for count in range(2, 11):
        made.at(MORNING + timedelta(days=count)).refresh()
        told.append(lines(made))
    assert told[0][0].startswith(f"{MODEL} will be removed on 3 Dec (in 8 days): it cost $")
    assert [len(one) for one in told] == [1] * 9
    assert "(today)" in told[8][0]
    assert lines(made, at=next_day) == [line], "a past digest tells what it told"
    assert lines(made, at=MORNING + timedelta(days=3))[0].count("in 7 days")


def test_what_changed_on_days_without_a_digest_is_told_in_the_next_and_once(world):
    made = world(main=steady())
    made.refresh()  # on a Monday
    reporter, watch = Reporter(made.store), Watch(("main",), MORNING)
    weekdays = Calendar(time(9), frozenset(range(5)), UTC)
    made.server.shelf.price(MODEL, MORNING + timedelta(days=5), completion="0.000100")
    told = {}
    for count in range(9):
        made.at(MORNING + timedelta(days=count, minutes=count)).refresh()
        publish(made.store, reporter, weekdays, watch, made.now)
        told[made.now.date()] = reporter.digest(made.now.date(), made.now).prices
    shown = [day for day, prices in told.items() if prices and day.weekday() < 5]
    assert shown == [date(2026, 11, 30)]
    nominal = MORNING + timedelta(days=7)  # it came some minutes late
    assert reporter.digest(shown[0], nominal).prices == told[shown[0]]


def test_a_model_that_leaves_returns_and_is_to_end_after_all_not(world):
    made = world(main=steady())
    days = [MORNING + timedelta(days=count) for count in range(6)]
    made.server.shelf.remove(MODEL, days[1], until=days[2])
    made.server.shelf.expire(MODEL, "2026-11-20", days[3])
    made.server.shelf.expire(MODEL, None, days[4])
    told = {}
    for day in days:
        made.at(day).refresh()
        told[day] = lines(made)
    starts = [line.partition(":")[0].removeprefix(MODEL) for day in days for line in told[day]]
    assert starts == [
        " is no longer on the price list", " is back on the price list",
        " may have been removed since 20 Nov", " stays on the price list after all",
    ]  # fmt: skip
    assert [lines(made, at=day) for day in days] == list(told.values())


def test_forecast_if_over_what_was_read(world):
    made = world(main=steady())
    with pytest.raises(UsageError, match="no price list"):
        made.questions.forecast_if("gpt to glm", made.now)
    made.refresh()
    report = made.questions.forecast_if("gpt to glm-4.6 50%", made.now)
    assert (report.model, report.other.ident, report.now.text()) == (MODEL, "z-ai/glm-4.6", "1.55")
    assert report.plan == made.forecast().next_month
    assert report.total == report.plan.total + report.difference
    for words, why in [
        ("grok to glm-4.6", "not among the models used"),
        (f"gpt to {MODEL}", "both are"),
        ("gpt to claude", "which one"),
    ]:
        with pytest.raises(UsageError, match=why):
            made.questions.forecast_if(words, made.now)
