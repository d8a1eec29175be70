"""What counts as unusual spend, whatever its scale."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from costcompass_core.domain.money import Usd
from costcompass_core.domain.past import Past, Used
from costcompass_core.domain.reports import Amounts
from costcompass_core.domain.rules.drift import fallback_routing
from costcompass_core.domain.rules.unusual import spend_level, spend_spike, stands_out
from costcompass_core.domain.rules.views import AccountView, Limits, PartState

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAYS = st.lists(st.integers(0, 4000), min_size=39, max_size=39)


def view(cents, *, scale=1, read=True):
    days = tuple(Usd(Decimal(one).scaleb(-2) * scale) for one in cents)
    past = Past(date(2026, 11, 22), days, read, date(2026, 1, 1))
    parts = {"activity": PartState(NOW, NOW, 0, None, None)}
    return AccountView("main", NOW, NOW, parts=parts, past=past)


def limits(scale=1):
    return Limits(spike_above=Usd.of(scale), level_above=Usd.of(5 * scale))


def verdicts(cents, scale=1):
    found = [rule(view(cents, scale=scale), limits(scale)) for rule in (spend_spike, spend_level)]
    return [one and (one.level, one.holds) for one in found]


@settings(max_examples=60, deadline=None)
@given(DAYS, st.sampled_from([2, 10, 1000]))
def test_dollars_and_floors_of_another_scale_give_the_same_verdict(cents, scale):
    assert verdicts(cents) == verdicts(cents, scale)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**9))
def test_a_constant_spend_never_alarms(cents):
    assert verdicts([cents] * 39) == [(0, 0), (0, 0)]


@settings(max_examples=60, deadline=None)
@given(DAYS, st.randoms())
def test_whether_a_day_stands_out_does_not_depend_on_the_order_of_the_days_before(cents, chance):
    newest, *before = (Usd.of(one) for one in cents[:29])
    shuffled = [*before]
    chance.shuffle(shuffled)
    # Not of the rule: it tells a spike of the two days before as well, and knows a lasting rise.
    assert stands_out(newest, before, Usd.of(100)) == stands_out(newest, shuffled, Usd.of(100))


def test_ten_mean_days_on_top_pass_the_floor_and_five_do_not():
    assert verdicts([1100] + [100] * 38)[0] == (1, 1)
    assert verdicts([600] + [100] * 38)[0] == (0, 0)
    assert verdicts([2900] + [100] * 38)[0] == (2, 2)


def test_without_a_fortnight_a_known_newest_day_or_fresh_usage_nothing_is_judged():
    assert spend_spike(view([9000] + [100] * 13), limits()) is None
    assert spend_spike(view([9000] + [100] * 14), limits()).level == 2
    assert spend_spike(replace(view([9000] + [100] * 38), parts={}), limits()) is None
    assert spend_level(replace(view([300] * 38), parts={}), limits()) is None
    assert spend_level(view([300] * 7 + [100] * 13), limits()) is None
    assert spend_level(view([300] * 7 + [100] * 14), limits()).level == 1
    assert spend_level(view([300] * 7 + [100] * 14, read=False), limits()) is None


def without(cents, *ages):
    found = view(cents)
    days = [None if age in ages else one for age, one in enumerate(found.past.days)]
    return replace(found, past=replace(found.past, days=tuple(days)))


def test_days_that_stay_unknown_are_tolerated_in_the_base_but_not_among_those_judged():
    spike, level = [9000] + [100] * 38, [300] * 7 + [100] * 32
    assert spend_spike(without(spike, 9, 10), limits()).level == 2
    assert spend_spike(without(spike, 9, 10, 11), limits()) is None
    assert spend_spike(without(spike[:15], 9), limits()) is None, "too few are left"
    assert spend_level(without(level, 9, 10), limits()).level == 1
    assert spend_level(without(level, 3), limits()) is None
    assert spend_spike(without([100] * 39, 1), limits()) is None, "it may have been one"
    assert spend_spike(without([100] * 39, 3), limits()).holds == 0


def routed(usual, dear, cost=5):
    """Return the move of a model from one host, on 28 days, to another, on the last 7."""

    def used(band, host, usd, prompt, completion):
        amounts = Amounts("m", Decimal(usd), Decimal(0), None, prompt, completion, None, None)
        return Used(band, host, amounts)

    rows = [used(2, "usual", 28, *usual), used(0, "dear", 7 * cost, *dear)]
    found = fallback_routing(replace(view([100] * 39), used=rows), limits())
    return found.level


def test_longer_answers_are_no_dearer_host_and_neither_is_a_price_of_next_to_nothing():
    assert routed((28_000, 2800), (7000, 700)) == 1
    assert routed((28_000, 2800), (4000, 3700)) == 0, "answers may cost all of it"
    assert routed((28_000, 2800), (6500, 1200)) == 1, "twice the answers, five times the price"
    assert routed((28_000, 0), (7000, 700)) == 0, "what answers cost is not known"
    assert routed((280, 28), (70_000, 7000), cost=5000) == 0
