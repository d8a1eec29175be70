"""The provider's price list: what each model costs, and what changed in it from day to day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Final, Literal

from costcompass_core.domain.errors import UsageError
from costcompass_core.domain.money import Usd

What = Literal["price", "expiry", "removed", "returned"]
_SHORT: Final = 2
"""A list with less than one part in this many of the known models is not believed."""
_ASKED_BACK: Final = 3
"""Names that an ambiguous word is answered with."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One model of the price list.

    `prices` are USD per token, or per request, image and so on, by the provider's name of the kind.
    A price that varies is left out. `expires` is the UTC day after which the model may be removed.
    `conditional` says that other prices apply to long prompts or at some hours. `context` is how many
    tokens a request may have, and `writes` says that text alone comes out; both are as announced.
    """

    ident: str
    slug: str
    name: str
    prices: Mapping[str, Usd]
    expires: date | None = None
    conditional: bool = False
    context: int | None = None
    writes: bool = True

    @property
    def varies(self) -> bool:
        """Whether the price of a token is not fixed."""
        return "prompt" not in self.prices or "completion" not in self.prices

    @property
    def free(self) -> bool:
        """Whether every price is fixed and nothing."""
        return not self.varies and not any(self.prices.values())


@dataclass(frozen=True, slots=True)
class PriceList:
    """An answer of the provider, with remarks about models that could not be read.

    `unread` names those of them that have a name: they are on the list all the same.
    """

    models: tuple[Listed, ...]
    notes: tuple[str, ...] = ()
    unread: frozenset[str] = frozenset()

    def with_known(self, known: Mapping[str, Listed]) -> tuple[Listed, ...]:
        """Return the models, those that could not be read as they were `known`."""
        return (*self.models, *(known[one] for one in sorted(self.unread) if one in known))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is stored of a provider's list; `read_at` is when it was last read (UTC)."""

    models: Mapping[str, Listed]
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed about a model, between the list before and the one read at `at` (UTC)."""

    model: str
    at: datetime
    what: What
    before: Listed | None
    after: Listed | None


def too_short(known: Mapping[str, Listed], fresh: Iterable[Listed]) -> bool:
    """Return whether a list lacks so many known models that it is rather broken than new."""
    return bool(known) and len(list(fresh)) * _SHORT < len(known)


def changes(
    known: Mapping[str, Listed], gone: Mapping[str, Listed], fresh: Iterable[Listed], at: datetime
) -> list[Changed]:
    """Return what changed against the `known` list; `gone` are models that left it earlier.

    A model that was never listed before is no change. One that returns is compared with what it
    was when it left.
    """
    found: list[Changed] = []
    now = {one.ident: one for one in fresh}
    for ident, after in sorted(now.items()):
        if ident in gone:
            found.append(Changed(ident, at, "returned", gone[ident], after))
        before = known.get(ident) or gone.get(ident)
        if before is None:
            continue
        if before.prices != after.prices:
            found.append(Changed(ident, at, "price", before, after))
        if before.expires != after.expires:
            found.append(Changed(ident, at, "expiry", before, after))
    found += [
        Changed(ident, at, "removed", before, None)
        for ident, before in sorted(known.items())
        if ident not in now
    ]
    return found


def named(word: str, names: Iterable[str], where: str) -> str:
    """Return the one of `names` that `word` stands for.

    That is itself, or the only one that is named so after its author, or that contains it.

    Raises `UsageError` with the nearest names; `where` says what they are, for that message.
    """
    known = sorted(names)
    wanted = word.lower()
    if exact := [one for one in known if one.lower() == wanted]:
        return exact[0]
    if len(plain := [one for one in known if one.lower().partition("/")[2] == wanted]) == 1:
        return plain[0]
    found = [one for one in known if wanted in one.lower()]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"`{word}` is {len(found)} models", f"which one: {_some(found)}")
    near = get_close_matches(wanted, known, n=_ASKED_BACK, cutoff=0.4)
    hint = f"did you mean {_some(near)}?" if near else "write its whole name"
    raise UsageError(f"`{word}` is not among {where}", hint)


def _some(names: list[str]) -> str:
    """Return the shortest names first, for those are the plain models and not their variants."""
    shown = sorted(names, key=len)[:_ASKED_BACK]
    return ", ".join(shown) + (", …" if len(names) > len(shown) else "")
