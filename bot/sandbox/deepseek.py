"""The loopback DeepSeek: a prepaid balance in one or two currencies, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from bot.sandbox.biller import Asked, Biller, KeyKind
from bot.sandbox.wire import Answer, answered, json_text

_ZERO = Decimal(0)


class DeepSeek(Biller):
    """A stand-in whose balance people use up, top up, and are granted parts of.

    What `spend` says of a UTC day that is over by the clock is gone; of the current day, too.
    """

    RIGHT: ClassVar[str] = "sk-5b1f3c0de5b1f3c0de5b1f3c0de5b1f3c"

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.granted: dict[str, Decimal] = {"USD": _ZERO}
        self.topped_up: dict[str, Decimal] = {"USD": Decimal("1000.00")}
        super().__init__(now)

    def spend(self, day: date, usd: str) -> None:
        """Let a UTC day have cost `usd`, taken from the balance when it has begun."""
        super().spend(day, usd)

    def use(self, currency: str, amount: str) -> None:
        """Spend now: what was granted goes first."""
        wanted = Decimal(amount)
        grant = min(self.granted.get(currency, _ZERO), wanted)
        self.granted[currency] = self.granted.get(currency, _ZERO) - grant
        self.topped_up[currency] = self.topped_up.get(currency, _ZERO) - (wanted - grant)

    def top_up(self, currency: str, amount: str) -> None:
        """Pay in."""
        self.topped_up[currency] = self.topped_up.get(currency, _ZERO) + Decimal(amount)

    def grant(self, currency: str, amount: str) -> None:
        """Give a part that may expire."""
        self.granted[currency] = self.granted.get(currency, _ZERO) + Decimal(amount)

    def expire(self, currency: str) -> None:
        """Take back what is left of what was granted."""
        self.granted[currency] = _ZERO

    def answer(self, asked: Asked) -> Answer:
        """Tell the balance."""
        if (asked.method, asked.path) != ("GET", "/user/balance"):
            return _refused(404, "Not Found")
        infos = [self._info(currency) for currency in {**self.topped_up, **self.granted}]
        left = any(Decimal(str(one["total_balance"])) > 0 for one in infos)
        return answered({"is_available": left, "balance_infos": infos})

    def _info(self, currency: str) -> dict[str, str]:
        granted, paid = self.granted.get(currency, _ZERO), self.topped_up.get(currency, _ZERO)
        if currency == "USD":
            paid -= sum((one for day, one in self.spent.items() if day <= self.now().date()), _ZERO)
        return {
            "currency": currency,
            "total_balance": f"{granted + paid:f}",
            "granted_balance": f"{granted:f}",
            "topped_up_balance": f"{paid:f}",
        }

    def refuse(self, kind: KeyKind) -> Answer:
        """Turn a key down as was seen live."""
        if kind == "none":
            return _refused(401, "Authentication Fails (no such user)")
        return _refused(401, "Authentication Fails, Your api key: ****0000 is invalid")


def _refused(status: int, message: str) -> Answer:
    error = {
        "message": message,
        "type": "authentication_error",
        "param": None,
        "code": "invalid_request_error",
    }
    return Answer(status, json_text({"error": error}).encode())
