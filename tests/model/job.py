"""A run of the tap as its target sees it, and what each of its states promises."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tap_twilio_media.times import EPOCH
from tests.model.history import PARENTS
from tests.model.tables import BOOKMARK, FILES, Saved
from tests.model.unseen import Reading
from tests.running import STREAMS

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from tests.model.history import Mark
    from tests.model.tables import Tables
    from tests.running import Output
    from tests.simulator import World

DAY: Final = timedelta(days=1)
MARGIN: Final = 2 * DAY
"""So near to the oldest moment that Twilio lists, a bound by whole days may lie before it."""

UNSENT_SINCE: Final = "unsent_since"
READ_SINCE: Final = "read_since"
FAMILIES: Final = (("messages", "message_media"), ("conversation_messages", "mcs_media"))


def beside(name: str, mark: str) -> str:
    """Return the name of a further mark of a stream's rows, or of their files."""
    return f"{FILES}_{mark}" if name == FILES else mark


@dataclass
class Settings:
    """What a user can choose for a run.

    Attributes:
        select: The streams.
        lookback: Days.
        media_lookback: Days; None: as the lookback.
        page_size: Rows per page.
        max_concurrency: Requests in flight.
        window: Longest window in days; None: any.
        full_scan: Whether to read all.
        subaccounts: Whether to read them, too.
        own: Whether their own credentials are given.
        download: Whether to store files.
    """

    select: Collection[str] = STREAMS
    lookback: float = 3
    media_lookback: float | None = None
    page_size: int = 1000
    max_concurrency: int = 10
    window: float | None = None
    full_scan: bool = False
    subaccounts: bool = True
    own: bool = True
    download: bool = False

    def config(self, world: World, folder: str) -> dict[str, Any]:
        """Return the tap's settings, to be added to those that lead to the simulator."""
        others = [a for a in world.accounts.values() if a is not world.main]
        config: dict[str, Any] = {
            "lookback_days": self.lookback,
            "page_size": self.page_size,
            "max_concurrency": self.max_concurrency,
            "full_scan": self.full_scan,
            "include_subaccounts": self.subaccounts,
        }
        if self.own:
            config["subaccount_credentials"] = [
                {"account_sid": a.sid, "auth_token": a.auth_token} for a in others
            ]
        if self.media_lookback is not None:
            config["media_lookback_days"] = self.media_lookback
        if self.window is not None:
            config["window_days"] = self.window
        if self.download:
            config["download"] = {"output_path": folder}
        return config

    def lookback_of(self, stream: str) -> timedelta:
        """Return the lookback of a stream."""
        if stream in PARENTS and self.media_lookback is not None:
            return self.media_lookback * DAY
        return self.lookback * DAY

    def reaches(self, world: World, stream: str, account_sid: str) -> bool:
        """Return whether rows of an account are read for a stream."""
        account = world.accounts[account_sid]
        if account is world.main:
            return True
        by_parent = stream in {"messages", "message_media"}
        return self.subaccounts and account.status == "active" and (by_parent or self.own)


@dataclass
class Job:
    """Follows the output of one run.

    Attributes:
        world: What Twilio holds.
        tables: Where the output goes.
        settings: Those of the run.
        saved: What the run started from.
        ended: When the run ended.
        disturbed: Accounts and conversations that changed while they were read.
        states: What the run left, state by state.
    """

    world: World
    tables: Tables
    settings: Settings
    saved: Saved
    ended: datetime
    disturbed: set[str] = field(default_factory=set)
    states: list[Saved] = field(default_factory=list)

    def follow(self, output: Output, *, loses_tail: bool = False) -> None:
        """Load an output and check each state when it comes.

        Args:
            output: What the run wrote.
            loses_tail: The target was killed, too: what came after the last state is not loaded.
        """
        messages = output.messages
        while loses_tail and messages and messages[-1]["type"] != "STATE":
            messages.pop()
        for message in messages:
            if message["type"] == "RECORD":
                self.tables.load(message["stream"], message["record"])
            elif message["type"] == "STATE":
                self._check(message["value"])

    @property
    def last(self) -> Saved:
        """What the next run starts from."""
        return self.states[-1] if self.states else self.saved

    def _check(self, state: dict[str, Any]) -> None:
        last = self.last
        now = Saved(state, dict(last.missed), dict(last.begun))
        before, marks = self.saved.marks(), now.marks()
        for mark, until in marks.items():
            stream, context, name = mark
            if name not in {BOOKMARK, FILES}:
                continue
            assert mark not in before or before[mark] <= until, f"{mark} moved back"
            if last.marks().get(mark) != until:
                reading = self._reading(mark, until)
                unsent = (stream, context, beside(name, UNSENT_SINCE)) not in marks
                self.tables.check_promise(mark, until, reading, now, unsent=unsent)
        for mark in {
            (stream, context, name) for stream, context, _ in marks for name in (BOOKMARK, FILES)
        }:
            stream, context, name = mark
            is_wanted = stream in self.settings.select and name in self._names(stream)
            since = marks.get((stream, context, beside(name, READ_SINCE)))
            if is_wanted and since:
                now.begun[mark] = self._reading(mark, since)
        assert all(mark in marks for mark in before if mark[2] == BOOKMARK)
        self.states.append(now)

    def _names(self, stream: str) -> list[str]:
        """Return the names of what a run brings of a stream: its rows, and their files."""
        files = self.settings.download and stream in PARENTS
        return [BOOKMARK, *([FILES] if files else [])]

    def _reading(self, mark: Mark, until: datetime) -> Reading:
        stream, context, name = mark
        settings, lookback = self.settings, self.settings.lookback_of(stream)
        if settings.full_scan:
            return Reading(until, EPOCH, EPOCH, lookback, disturbed=self.disturbed)
        of_messages = stream in FAMILIES[0]
        family = [
            (each, context, own)
            for each in FAMILIES[0 if of_messages else 1]
            if each in settings.select
            for own in self._names(each)
        ]
        family_since = min(self._since(each) for each in family)
        newest = EPOCH
        floor = EPOCH
        if of_messages:
            floor = self.ended - self.world.behaviour.retention_days * DAY + MARGIN
            newest = max(family_since, floor, until - settings.lookback * DAY)
        since = self._since(mark)
        marked = self.saved.marks().get((stream, context, beside(name, UNSENT_SINCE)))
        reading = Reading(
            until,
            since,
            family_since,
            lookback,
            min(since, marked or since),
            newest,
            floor,
            settings.page_size,
            self.disturbed,
        )
        begun = (stream, context, beside(name, READ_SINCE)) in self.saved.marks()
        if begun and mark in self.saved.begun:
            return reading.with_one_before(self.saved.begun[mark])
        return reading

    def _since(self, mark: Mark) -> datetime:
        stream, _context, _name = mark
        marks = self.saved.marks()
        found = marks.get(mark)
        return EPOCH if found is None else found - self.settings.lookback_of(stream)
