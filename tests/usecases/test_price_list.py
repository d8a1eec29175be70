"""The price list is read once a day beside a refresh, and what changes in it is kept."""

from datetime import timedelta

from refresh_world import MORNING, steady

from bot.sandbox.faults import status
from costcompass_core.storage.catalogue import catalogue, list_changes

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
