"""What the daemon's own HTTP endpoints say, where the soak's configuration turns them on."""

from __future__ import annotations

import http.client
import tomllib
from collections import Counter
from typing import Final

_PATHS: Final = ("/healthz", "/readyz", "/metrics")
_PATIENCE: Final = 10.0
"""Seconds for one answer."""


class Health:
    """Asks every endpoint now and then, and counts how each has answered."""

    def __init__(self, more: str) -> None:
        """`more` is the TOML that may hold `[http] listen`."""
        self._listen = str(tomllib.loads(more).get("http", {}).get("listen", ""))
        self.answers: Counter[str] = Counter()

    def look(self) -> None:
        """Ask once; no answer is one as well."""
        for path in _PATHS if self._listen else ():
            self.answers[f"{path} {self._ask(path)}"] += 1

    def _ask(self, path: str) -> str:
        asking = http.client.HTTPConnection(self._listen, timeout=_PATIENCE)
        try:
            asking.request("GET", path)
            return str(asking.getresponse().status)
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            asking.close()
