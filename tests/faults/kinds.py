"""What can go wrong with a request, and how it is brought about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.simulator import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

RATES: Final = (0.01, 0.05, 0.2)


@dataclass(frozen=True)
class Kind:
    """A fault of the matrix.

    Attributes:
        name: Its name in the table.
        replies: Faults of the simulator that take turns, by chance.
        resolver: What `child.Resolver` does to connections, where there is no reply at all.
        of_files: What takes the place of `replies` where a reply is a file.
    """

    name: str
    replies: tuple[str, ...] = ()
    resolver: str | None = None
    of_files: tuple[str, ...] = ()

    def faults(
        self, endpoints: Iterable[str], rate: float, lot: int, *, files: bool = False
    ) -> list[Fault]:
        """Return faults that strike so many of the requests to endpoints in all."""
        kinds = (self.of_files if files else ()) or self.replies
        found = []
        for endpoint in endpoints:
            # The later ones get what the earlier ones left.
            share, left = rate / max(len(kinds), 1), 1.0
            for number, kind in enumerate(kinds):
                more: dict[str, Any] = {"slow": {"delay": 0.05, "drops": 10**6}}.get(kind, {})
                fault = Fault(
                    kind, endpoint, times=None, rate=share / left, lot=lot + number, **more
                )
                found.append(fault)
                left -= share
        return found


KINDS: Final = (
    Kind("429", ("429",)),
    Kind("500", ("500",)),
    Kind("503", ("503",)),
    Kind("reset", ("reset",)),
    Kind("truncated", ("truncate",)),
    # In place of a file: an error page that says 200.
    Kind("bad JSON", ("bad_json",), of_files=("page",)),
    Kind("hang", ("hang",)),
    Kind("slow drip", ("drip", "slow")),
    Kind("wrong Content-Length", ("wrong_length", "overrun")),
    Kind("401 now and then", ("401",)),
    Kind("connection refused", resolver="refused"),
    Kind("DNS failure", resolver="dns"),
)
