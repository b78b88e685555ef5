"""In which ways a pipeline is broken off."""

from __future__ import annotations

import re
import resource
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.kills.processes import ROLES, Role, limited, sent

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS_STOPPED: Final = 0.5
"""So long a target reads nothing before it is killed: the pipes before it fill."""


@dataclass(frozen=True)
class Way:
    """A way to break off a pipeline.

    Attributes:
        name: What it is called in the table.
        victims: To whom it happens.
        act: What happens to each of them.
        is_deadly: Whether the tap must end at once. One that lacks disk or files goes on for as
            long as it can do without.
    """

    name: str
    victims: tuple[Role, ...]
    act: Callable[[int], None]
    is_deadly: bool = True

    @property
    def kind(self) -> str:
        """What the name begins with, whoever it happens to."""
        return re.split("[:,]", self.name)[0]


_ENDED: Final = (
    Way("SIGKILL, all", ROLES, sent(signal.SIGKILL)),
    Way("SIGKILL, tap", ("tap",), sent(signal.SIGKILL)),
    Way("SIGKILL, runner", ("runner",), sent(signal.SIGKILL)),
    Way("SIGTERM, all", ROLES, sent(signal.SIGTERM)),
    Way("SIGTERM, tap", ("tap",), sent(signal.SIGTERM)),
    Way("SIGTERM, runner", ("runner",), sent(signal.SIGTERM)),
    Way("SIGINT, all", ROLES, sent(signal.SIGINT)),
    Way("SIGINT, tap", ("tap",), sent(signal.SIGINT)),
    Way("broken pipe: SIGKILL, target", ("target",), sent(signal.SIGKILL)),
    Way(
        "broken pipe: SIGSTOP and SIGKILL, target",
        ("target",),
        sent(signal.SIGSTOP, signal.SIGKILL, after=SECONDS_STOPPED),
    ),
)
_STARVED: Final = (
    Way("disk full, all", ROLES, limited(resource.RLIMIT_FSIZE, 0), is_deadly=False),
    Way("no more open files, tap", ("tap",), limited(resource.RLIMIT_NOFILE, 6), is_deadly=False),
    Way("no more open files, all", ROLES, limited(resource.RLIMIT_NOFILE, 6), is_deadly=False),
)

# Only Linux can put a limit on a process that runs.
WAYS: Final = _ENDED + (_STARVED if hasattr(resource, "prlimit") else ())
WAYS_WITHOUT_RUNNER: Final = tuple(way for way in WAYS if way.victims != ("runner",))
ONE_OF_EACH: Final = tuple({way.kind: way for way in WAYS_WITHOUT_RUNNER}.values())
