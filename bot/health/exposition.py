"""The text that Prometheus reads, made anew at every scrape; nothing is kept between two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from bot.health.facts import Facts
from bot.health.figures import figures
from bot.health.running import running

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4


def families(facts: Facts) -> Iterator[Metric]:
    """Yield every metric family of ours, in the order of docs/metrics.md."""
    if facts.measures is not None:
        yield from figures(facts.measures, facts.accounts)
    yield from running(facts)


class _Snapshot(Collector):
    """What the client library asks at every scrape."""

    def __init__(self, look: Callable[[], Facts]) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        return families(self._look())

    def describe(self) -> Iterator[Metric]:
        """Say nothing beforehand: at start nobody has been asked anything yet."""
        return iter(())


class Exposition:
    """Metrics of facts and, on Linux, of the process; in a registry of its own."""

    def __init__(self, look: Callable[[], Facts]) -> None:
        """`look` gathers the facts of this moment."""
        self._registry = CollectorRegistry()
        self._registry.register(_Snapshot(look))
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """Return everything in the text format."""
        return generate_latest(self._registry)
