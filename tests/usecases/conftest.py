"""Fixtures of the use cases' tests."""

from contextlib import ExitStack, closing

import pytest
from refresh_world import World
from stack_world import FINAL, Ledger, ago, usage

from costcompass_core.domain.days import each_day
from costcompass_core.storage.store import open_store


@pytest.fixture
def world(tmp_path):
    """Make a world of the accounts it is called with; closing it fails if a key was in a URL."""
    with ExitStack() as stack:

        def make(**accounts):
            store = open_store(tmp_path)
            stack.callback(store.close)
            made = World(store, **accounts)
            stack.enter_context(made.server)
            return made

        yield make


@pytest.fixture
def ledger(tmp_path):
    with closing(open_store(tmp_path)) as store:
        yield Ledger(store)


@pytest.fixture
def two(ledger):
    """OpenRouter at 2 USD a day up to yesterday; Anthropic at 3, final three days ago, then less."""
    ledger.steady("main", "2", ago(30), ago(1), model="anthropic/claude-sonnet-4.5")
    days = {day: [usage(day, "claude-sonnet-4-5", "3")] for day in each_day(ago(30), FINAL)}
    days |= {day: [usage(day, "claude-sonnet-4-5", "1")] for day in (ago(2), ago(1))}
    ledger.put("anthropic/main", days, slow=True, final=FINAL)
    return ledger
