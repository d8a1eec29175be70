"""What other currencies are worth: rates from the configuration, or from the ECB's file beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

from bot.config import Money
from costcompass_core.domain.errors import ConfigError
from costcompass_core.domain.rates import EcbTable, parse_ecb, rates_to
from costcompass_core.domain.stack import Exchange

_LARGEST: Final = 32 * 1024 * 1024
"""Bytes of the ECB's whole history are about 6 MB as CSV."""
_log: Final = logging.getLogger(__name__)


def exchange_of(money: Money) -> Callable[[date], Exchange]:
    """Return what gives the home currency and its rates of a UTC day.

    A file that cannot be read gives no rates, with a line in the log: figures go on without the one
    converted total. Rates of the configuration win over those of the file.
    """

    def on(day: date) -> Exchange:
        rates = {}
        if money.ecb_file:
            try:
                rates = rates_to(money.home, read_ecb(money.ecb_file).newest(day))
            except ConfigError as error:
                _log.warning("nothing is converted by the ECB's rates: %s", error)
        rates |= {one.currency: one for one in money.rates}
        return Exchange(money.home, rates or None)

    return on


def read_ecb(path: str) -> EcbTable:
    """Read the ECB's file of reference rates, again only when it changed. Raises `ConfigError`."""
    place = Path(path).expanduser()
    try:
        facts = place.stat()
        if facts.st_size > _LARGEST:
            raise ConfigError(f"{place} is larger than any file of rates", "check ecb_file")
        return _parsed(place, facts.st_mtime_ns, facts.st_size)
    except OSError as error:
        raise ConfigError(
            f"{place} cannot be read ({error.strerror})", "check [currency] ecb_file"
        ) from None


@lru_cache(maxsize=1)
def _parsed(place: Path, _changed: int, _size: int) -> EcbTable:
    try:
        return parse_ecb(place.read_bytes().decode("utf-8-sig"))
    except ValueError as error:
        raise ConfigError(
            f"{place} is no file of the ECB's reference rates ({error})",
            "get eurofxref.csv, eurofxref-hist.csv or eurofxref-daily.xml anew",
        ) from None
