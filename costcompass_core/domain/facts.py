"""Typed facts that a rule found and a message tells later: amounts, numbers, moments, no words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from costcompass_core.domain.money import Usd

Fact = Usd | Decimal | int | str | date | datetime | tuple[Usd, ...] | tuple[Decimal, ...]
"""`Usd` is money, `Decimal` a number of days or per cent, a moment is timezone-aware UTC."""

Facts = Mapping[str, Fact]
"""By name; what is not known is left out, so that no message can mistake it for zero."""
