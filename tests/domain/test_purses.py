"""What two readings of a prepaid balance tell of spend: never more than there was, nothing guessed."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.money import exact_sum
from costcompass_core.domain.purses import (
    AT_LEAST,
    DIFFERENCE,
    UNATTRIBUTED,
    Flow,
    Sample,
    day_rows,
    flows,
)
from costcompass_core.domain.usage import Purse

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
DAY = date(2026, 11, 22)


class Wallet:
    """What truly happens: spending takes what was granted first, then what was paid."""

    def __init__(self, granted, paid):
        self.granted, self.paid, self.now = granted, paid, START
        self.samples = [self.sample()]
        self.since = self.nothing()
        self.truth = []

    def nothing(self):
        return dict.fromkeys(("spent", "came_in", "expired", "paid_after", "granted_after"), 0)

    def sample(self):
        granted, paid = (Decimal(one).scaleb(-2) for one in (self.granted, self.paid))
        return Sample(self.now, Purse("USD", granted + paid, granted, paid))

    def spend(self, amount):
        granted = min(self.granted, amount)
        self.granted -= granted
        self.paid -= amount - granted
        self.since["spent"] += amount
        if self.since["expired"]:
            self.since["paid_after"] += amount - granted

    def top_up(self, amount):
        self.paid += amount
        self.since["came_in"] += amount

    def grant(self, amount):
        self.granted += amount
        self.since["came_in"] += amount
        if self.since["expired"]:
            self.since["granted_after"] += amount

    def expire(self, _):
        self.since["expired"] += self.granted
        self.granted = 0

    def read(self, minutes):
        self.now += timedelta(minutes=minutes)
        self.samples.append(self.sample())
        self.truth.append(self.since)
        self.since = self.nothing()


AMOUNTS = st.integers(1, 5000)
EVENTS = st.lists(
    st.tuples(st.sampled_from(["spend", "spend", "top_up", "grant", "expire"]), AMOUNTS)
    | st.tuples(st.just("read"), st.integers(1, 4000)),
    max_size=25,
)


def lived(granted, paid, events):
    wallet = Wallet(granted, paid)
    for what, amount in [*events, ("read", 5)]:
        getattr(wallet, what)(amount)
    return wallet, list(zip(flows(wallet.samples), wallet.truth, strict=True))


def cents(amount):
    return Decimal(amount).scaleb(-2)


@given(AMOUNTS | st.just(0), AMOUNTS | st.just(0), EVENTS)
def test_no_flow_tells_more_spend_than_there_was(granted, paid, events):
    for flow, truth in lived(granted, paid, events)[1]:
        # Once a grant ran out of time and paid money was used in its place, or a new one came,
        # before anybody looked, it cannot be told from one that was used up.
        unseen = truth["expired"] if truth["paid_after"] or truth["granted_after"] else 0
        assert flow.spent <= cents(truth["spent"] + unseen)
        assert flow.spent >= 0


@given(AMOUNTS | st.just(0), AMOUNTS | st.just(0), EVENTS)
def test_no_money_appears_or_is_lost(granted, paid, events):
    wallet, told = lived(granted, paid, events)
    before, after = wallet.samples[0].purse.total, wallet.samples[-1].purse.total
    gone = exact_sum(flow.spent + flow.expired - flow.came_in for flow, _ in told)
    assert gone == before - after


@given(AMOUNTS | st.just(0), AMOUNTS | st.just(0), EVENTS)
def test_where_nothing_came_in_and_nothing_expired_it_is_all_of_it(granted, paid, events):
    wallet, told = lived(granted, paid, events)
    for (flow, truth), before, after in zip(told, wallet.samples, wallet.samples[1:], strict=False):
        if truth["came_in"] or truth["expired"]:
            continue
        assert not flow.hidden
        used_up = before.purse.granted and not after.purse.granted
        if used_up and after.purse.topped_up == before.purse.topped_up:
            # To the last cent of a grant and no further: that is what an expiry looks like.
            assert (flow.spent, flow.expired) == (0, cents(truth["spent"]))
        else:
            assert (flow.spent, flow.expired) == (cents(truth["spent"]), 0)


@given(AMOUNTS, AMOUNTS | st.just(0), AMOUNTS)
def test_a_top_up_and_a_lapsed_grant_are_told_apart(granted, paid, amount):
    [(topped, _)] = lived(granted, paid, [("top_up", amount)])[1]
    assert (topped.spent, topped.came_in, topped.expired) == (0, cents(amount), 0)
    [(lapsed, _)] = lived(granted, paid, [("expire", 0)])[1]
    assert (lapsed.spent, lapsed.came_in, lapsed.expired) == (0, 0, cents(granted))
    [(both, _)] = lived(granted, paid, [("expire", 0), ("top_up", amount)])[1]
    assert (both.spent, both.came_in, both.expired) == (0, cents(amount), cents(granted))


@given(st.lists(st.tuples(AMOUNTS, st.integers(1, 5000)), max_size=30))
def test_every_flow_counts_on_the_utc_day_of_its_later_reading(spent):
    wallet = Wallet(0, 10**6)
    for amount, minutes in spent:
        wallet.spend(amount)
        wallet.read(minutes)
    found = flows(wallet.samples)
    days = {
        flow.day: day_rows(
            flow.day, "DeepSeek", [("USD", one) for one in found if one.day == flow.day]
        )
        for flow in found
    }
    for day, rows in days.items():
        own = [(f, f.until.date() - f.since.date()) for f in found if f.until.date() == day]
        usual = exact_sum(f.spent for f, over in own if over <= timedelta(days=1))
        unseen = exact_sum(f.spent for f, over in own if over > timedelta(days=1))
        assert {row.endpoint: row.cost for row in rows} == {
            line: cost for line, cost in ((DIFFERENCE, usual), (UNATTRIBUTED, unseen)) if cost
        }
        assert all(row.once == (row.endpoint == UNATTRIBUTED) for row in rows)
        assert {(row.day, row.basis, row.currency, row.requests) for row in rows} == {
            (day, "derived", "USD", None)
        }
    assert exact_sum(row.cost for rows in days.values() for row in rows) == cents(
        sum(amount for amount, _ in spent)
    )


def flow(spent, came_in="0", *, hours=(1, 2), days=0):
    begin = datetime(2026, 11, 22, tzinfo=UTC)
    since, until = (begin + timedelta(hours=hour) for hour in hours)
    return Flow(since - timedelta(days=days), until, Decimal(spent), Decimal(came_in), Decimal(0))


def told(*found):
    return [(row.currency, row.endpoint, str(row.cost)) for row in day_rows(DAY, "x", found)]


def test_money_that_came_in_makes_the_whole_day_of_that_currency_a_least():
    usual, hidden = ("USD", flow("1")), ("USD", flow("0.50", "20"))
    assert told(usual, hidden, ("CNY", flow("7"))) == [
        ("USD", AT_LEAST, "1.50"),
        ("CNY", DIFFERENCE, "7"),
    ]
    assert told(hidden, usual) == [("USD", AT_LEAST, "1.50")]
    assert told(usual, ("USD", flow("0", "20"))) == [("USD", AT_LEAST, "1")]
    assert told(("USD", flow("0", "20"))) == []


def test_what_went_over_a_whole_unread_day_is_one_row_beside_the_others():
    long, longer = ("USD", flow("4", days=2)), ("USD", flow("8", "1", days=3))
    assert told(("USD", flow("1")), long) == [("USD", DIFFERENCE, "1"), ("USD", UNATTRIBUTED, "4")]
    assert told(long, longer) == [("USD", UNATTRIBUTED, "12")]
    assert told(("USD", flow("1")), longer) == [
        ("USD", DIFFERENCE, "1"),
        ("USD", UNATTRIBUTED, "8"),
    ]
    # over one midnight, however long before, no whole day went unread
    assert told(("USD", flow("4", hours=(-24, 23)))) == [("USD", DIFFERENCE, "4")]
    assert told(("USD", flow("4", hours=(-25, 1)))) == [("USD", UNATTRIBUTED, "4")]
