"""`forecast accuracy` from the store to what people read."""

from datetime import UTC

import pytest
from refresh_world import MORNING, ago, steady

from bot.slack.accuracy_message import accuracy_message
from bot.terminal.accuracy import accuracy_shape, accuracy_text
from bot.terminal.paint import Paint
from costcompass_core.domain.errors import UsageError

PLAIN = Paint(on=False)


def test_a_month_of_history_judges_forecasts_of_a_week(world):
    world = world(main=steady("2"))
    world.accounts["main"].spend(7, ago(1))
    world.refresh()
    report = world.questions.accuracy("", world.now)
    shape = accuracy_shape(report)
    week, month = shape["horizons"]
    assert shape["known_days"] == 30
    assert (week["forecasts"], week["first"], week["last"]) == (10, "2026-11-06", "2026-11-15")
    assert (week["actual_usd"], week["forecast"]["off_usd"]) == ("14.7", "0.7")
    assert (week["forecast"]["bias_usd"], week["plain_rule"]["share"]) == ("-0.7", "0.0476")
    assert (month["forecasts"], month["forecast"], month["needed_days"]) == (0, None, 44)
    text = accuracy_text(report, MORNING, UTC, PLAIN)
    assert text.startswith(
        "Forecasts of a week were off by $0.70 on average (4.8% of $14.70), as much"
    )
    assert "judged from 44 days of history on; there are 30" in " ".join(text.split())
    assert max(map(len, text.split("\n"))) <= 80
    assert accuracy_message(report, MORNING).text.startswith(
        "Forecasts of a week were off by $0.70"
    )


def test_without_history_it_says_what_is_needed(world):
    world = world(main=steady())
    report = world.questions.accuracy("", world.now)
    assert "needs 21 days of history, and there are 0" in accuracy_text(
        report, MORNING, UTC, PLAIN
    ).replace("\n", " ")
    with pytest.raises(UsageError, match="knows no `often`"):
        world.questions.accuracy("often", world.now)
