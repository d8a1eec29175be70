"""Settings laid over the configuration: whatever is stored, each counts or is left out with a line."""

from __future__ import annotations

import tomllib
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.config import parse_config
from bot.config_settings import KEYS, fitting, texts, with_good_settings, with_settings

CONFIG = parse_config(
    tomllib.loads(
        '[digest]\ntime = "09:00"\n[alerts]\nbalance_below = [25.5]\n', parse_float=Decimal
    ),
    {},
)
GOOD = {
    "digest.time": "07:30",
    "digest.weekdays": '["mon", "fri"]',
    "alerts.balance_below": "[50, 5.25]",
    "alerts.runway_below_days": "[]",
    "alerts.repeat_every": "36h",
    "alerts.quiet_hours": "22:00-07:00",
}
values = st.one_of(
    st.sampled_from([*GOOD.values(), "", "[]", "[1e999]", "25:00", "[" * 500]), st.text(max_size=40)
)


@given(st.dictionaries(st.sampled_from((*KEYS, "slack.channel", "no.such.key")), values))
def test_whatever_is_stored_each_value_counts_or_is_left_out_with_a_line(stored):
    good, wrong = fitting(CONFIG, stored)
    config, told = with_good_settings(CONFIG, stored)

    assert told == wrong
    assert config.slack == CONFIG.slack, "nothing but what may be changed is"
    for key in set(stored) & set(KEYS):
        left_out = any(one.path.startswith(key) for one in wrong)
        assert (key not in good) == left_out
        if left_out:
            assert texts(config)[key] == texts(CONFIG)[key]


def test_good_settings_hold_and_read_as_they_were_typed():
    config = with_settings(CONFIG, GOOD)
    assert texts(config) == GOOD | {"alerts.repeat_every": "36h"}
    assert [one.text() for one in config.alerts.limits.balance_below] == ["50", "5.25"]
    assert with_settings(CONFIG, texts(CONFIG)).alerts.limits == CONFIG.alerts.limits
