"""Fixtures of the use cases' tests."""

from contextlib import ExitStack

import pytest
from refresh_world import World

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
