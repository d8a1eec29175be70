"""The quick bound of what moved traffic cost, against the exact split."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import example, given, settings
from hypothesis import strategies as st

from costcompass_core.domain.mixbound import mix_at_most
from costcompass_core.domain.past import BASE, Used, compare_hosts, compare_week
from costcompass_core.domain.reports import Amounts

TOKENS = st.none() | st.integers(0, 10**9)
COSTS = st.decimals("-1", 10**6, places=6) | st.sampled_from([Decimal("1E-30"), Decimal(1) / 3])
USED = st.builds(
    lambda band, host, model, cost, prompt, completion: Used(
        band, host, Amounts(model, cost, Decimal(0), 1, prompt, completion, 0, None)
    ),
    st.integers(0, 3), st.sampled_from("xyz"), st.sampled_from("abcd"), COSTS, TOKENS, TOKENS,
)  # fmt: skip
MOVED = [
    Used(band, host, Amounts("a", Decimal(cost), Decimal(0), 1, tokens, 0, 0, None))
    for band, host, cost, tokens in ((2, "x", 4, 400), (0, "x", 1, 100), (0, "y", 5, 100))
]


@settings(max_examples=200, deadline=None)
@given(st.lists(USED, max_size=12))
@example(MOVED)
def test_the_exact_mix_never_exceeds_the_bound(used):
    for compared, bound in (
        (compare_week(used, BASE), mix_at_most(used)),
        (compare_hosts(used, BASE), mix_at_most(used, by_host=True)),
    ):
        exact = (compared.found.total.mix - compared.found.untold).ratio() / compared.days
        assert exact <= bound


def test_the_bound_is_close():
    assert Fraction(0) <= mix_at_most(MOVED, by_host=True) - 4 < Fraction(1, 10**6)
