"""Checks that run side by side, so that a host that never answers holds up nobody but itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from threading import Thread

from bot.doctor.finding import Finding, Told, bad
from costcompass_core.domain.errors import CostCompassError


@dataclass(frozen=True, slots=True)
class Errand:
    """One check, which may take its time; `late` is the line for one that never comes back."""

    check: str
    work: Callable[[], Iterable[Told]]
    late: Finding
    brought: list[Told] = field(default_factory=list)
    """What it has found so far: also of one that never comes back."""

    def run(self) -> None:
        """Work, one line after the other; whatever goes wrong becomes a line too."""
        try:
            for one in self.work():
                self.brought.append(one)
        except CostCompassError as error:
            self.brought.append(bad(self.check, error))
        except Exception as error:  # noqa: BLE001 - one check that fails must not hide the others
            what = f"the check itself failed ({type(error).__name__})"
            mend = "please report it as a fault of CostCompass"
            self.brought.append(Finding(self.check, "bad", what, mend, 1))


def side_by_side(errands: Sequence[Errand], patience: float) -> Iterator[Told]:
    """Run all at once and yield what they bring, in their order, within `patience` seconds.

    Whoever is not back by then is left behind in a thread that no exit waits for.
    """
    ends = [_started(one) for one in errands]
    wait(ends, patience)
    for errand, end in zip(errands, ends, strict=True):
        done = end.done()
        yield from tuple(errand.brought)
        if not done:
            yield errand.late


def _started(errand: Errand) -> Future[None]:
    end: Future[None] = Future()

    def run() -> None:
        errand.run()
        end.set_result(None)

    Thread(target=run, name=f"doctor {errand.check}", daemon=True).start()
    return end
