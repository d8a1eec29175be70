"""How the daemon itself is, as metric families: refreshes, Slack, the outbox, what is wrong. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from prometheus_client.core import Metric

from bot.health.facts import Facts
from bot.health.gauge import counter, gauge, histogram
from bot.meters import OK, Reading
from costcompass_core.domain.rules import RULE_NAMES
from costcompass_core.storage.refreshes import REASONS
from costcompass_core.usecases.measures import Measures


def running(facts: Facts) -> Iterator[Metric]:
    """Yield what the daemon counts, and how it is."""
    process, known = facts.process, facts.measures
    if known is not None:
        yield from _telling(known, facts)
    yield from _counted(process.reading, facts.accounts)
    yield gauge(
        "slack_connected",
        "Whether people in Slack are heard; absent where no Slack is configured.",
        (),
        [((), None if process.slack is None else int(process.slack))],
    )
    yield gauge(
        "vault_locked",
        "Whether the daemon waits for the vault's passphrase.",
        (),
        [((), int(not process.vault_open))],
    )
    yield gauge(
        "ready",
        "Whether a check of /readyz is passed.",
        ("check", "account"),
        [((one.check, one.account), int(one.ok)) for one in facts.checks],
    )
    yield gauge(
        "tick_timestamp_seconds",
        "When the clock last ticked, which it does every 15 s or oftener.",
        (),
        [((), facts.now - process.silent)],
    )
    yield gauge(
        "account_info",
        "The configured accounts and those found in files, with their providers.",
        ("account", "provider"),
        [(one, 1) for one in _providers(facts).items()],
    )
    yield gauge(
        "build_info",
        "What runs.",
        tuple(facts.versions),
        [(tuple(facts.versions.values()), 1)],
    )


def _providers(facts: Facts) -> Mapping[str, str]:
    found = facts.measures.sold_by if facts.measures is not None else {}
    return dict(sorted({**found, **facts.accounts}.items()))


def _telling(known: Measures, facts: Facts) -> Iterator[Metric]:
    waiting = known.conditions.waiting
    oldest = waiting.oldest
    yield gauge(
        "open_incidents",
        "Alerts that are not resolved.",
        ("rule",),
        [
            ((rule,), known.incidents.get(rule, 0))
            for rule in sorted({*RULE_NAMES, *known.incidents})
        ],
    )
    yield gauge(
        "outbox_letters", "Messages that are not delivered yet.", (), [((), waiting.letters)]
    )
    yield gauge(
        "outbox_parked_letters",
        "Those of them that were refused and wait for somebody to change the set-up.",
        (),
        [((), len(waiting.parked))],
    )
    yield gauge(
        "outbox_oldest_letter_age_seconds",
        "How long the oldest of them has been waiting, quiet hours included; 0 where there is none.",
        (),
        [((), timedelta(0) if oldest is None else max(facts.now - oldest, timedelta(0)))],
    )


def _counted(reading: Reading, accounts: Mapping[str, str]) -> Iterator[Metric]:
    # Every result has a series from the start: a rate needs to see the step from 0 to 1.
    begin = {(account, result): 0 for account in accounts for result in (OK, *REASONS)}
    yield counter(
        "refreshes",
        "Refreshes of an account by their result.",
        ("account", "result"),
        {**begin, **reading.refreshes},
    )
    yield histogram(
        "refresh_duration_seconds",
        "How long a refresh took.",
        "provider",
        reading.refresh_durations,
    )
    yield histogram(
        "slack_acknowledgement_duration_seconds",
        "From reading what Slack sent to having acknowledged it; after 3 s people see a timeout.",
        "kind",
        reading.acknowledgements,
    )
