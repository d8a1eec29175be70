"""Which model a label of analytics stands for: by what was stored, then by the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from costcompass_core.domain.errors import CostCompassError
from costcompass_core.domain.usage import Usage
from costcompass_core.providers.base import Analytics, Client

_FREE: Final = ":free"


class Labels:
    """Maps labels to models; asks for the catalogue at most once, when one is unknown.

    A label that nobody knows, or whose catalogue cannot be read, stands for itself.
    """

    def __init__(self, known: Mapping[str, str], analytics: Analytics, client: Client) -> None:
        """`known` are the dated names (permaslugs) of stored rows and their models."""
        self._known = {**known, **{model: model for model in known.values()}}
        self._stored = frozenset(slug for slug in known if not slug.endswith(_FREE))
        self._analytics, self._client = analytics, client
        self._asked = False

    def named(self, rows: Iterable[Usage]) -> tuple[Usage, ...]:
        """Return `rows` under the models that their labels stand for; labels stay as permaslugs."""
        rows = tuple(rows)
        if not self._asked and any(row.permaslug not in self._known for row in rows):
            self._asked = True
            try:
                listed = self._analytics.read_labels(self._client)
            except CostCompassError:
                listed = {}  # figures matter more than names
            self._known = {**listed, **self._known}
        return tuple(row._replace(model=self._model(row)) for row in rows)

    def _model(self, row: Usage) -> str:
        """Return the model of a row; one that cost something is not the free variant of its label."""
        found = self._known.get(row.permaslug, row.model)
        if row.cost and row.permaslug in self._stored:
            return found.removesuffix(_FREE)
        return found
