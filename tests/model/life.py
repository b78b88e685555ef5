"""The life of an account as a state machine: what happens, time, and runs of the tap."""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from hypothesis import event, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.model import messages, talks
from tests.model.history import History
from tests.model.job import FAMILIES, READ_SINCE, Job, Settings
from tests.model.messages import DAY, LONGEST_WAIT
from tests.model.running import KILLED, run_until
from tests.model.tables import BOOKMARK, Saved, Tables
from tests.running import STREAMS
from tests.simulator import Behaviour, Fault, Simulator, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.model.messages import Event
    from tests.simulator import RecordedRequest

BIRTH: Final = datetime(2024, 2, 1, 12, tzinfo=timezone.utc)
"""Long ago, so that Twilio's clock is behind the local one and decides."""

EVENTS: Final[tuple[Event, ...]] = (*messages.EVENTS, *talks.EVENTS)
ENDPOINTS: Final = (
    "messages",
    "media_list",
    "conversations",
    "conversation_messages",
    "mcs_media",
    "signed_content",
)
SECOND: Final = timedelta(seconds=1)
MOST_STATES: Final = 20

behaviours = st.builds(
    Behaviour,
    unsent_order=st.sampled_from(["top", "created", "bottom"]),
    filters_return_unsent=st.booleans(),
    date_filter=st.sampled_from(["seconds", "days"]),
    bounds=st.sampled_from(["inclusive", "exclusive"]),
    retention_days=st.sampled_from([400, 60]),
    page_token_gone=st.sampled_from([400, 404]),
    services_list_has_default=st.booleans(),
    mcs_field=st.sampled_from(["filename", "file_name"]),
    mcs_content=st.sampled_from(["redirect", "bytes"]),
)
selections = st.one_of(
    st.just(STREAMS),
    st.sampled_from([pair for pair in FAMILIES for _ in range(2)]),
    st.sets(st.sampled_from(STREAMS), min_size=1).map(sorted),
)
lookbacks = st.sampled_from([3, 0, 0.1, 1, 10, 50])
settings = st.builds(
    Settings,
    select=selections,
    lookback=lookbacks,
    media_lookback=st.one_of(st.none(), lookbacks),
    page_size=st.sampled_from([2, 3, 5, 20, 1000]),
    max_concurrency=st.sampled_from([10, 1, 3]),
    window=st.sampled_from([None, None, 30]),
    full_scan=st.sampled_from([False] * 9 + [True]),
    subaccounts=st.booleans(),
    own=st.booleans(),
    download=st.sampled_from([False] * 4 + [True]),
)
happenings = st.tuples(st.sampled_from(EVENTS), st.integers(0, 999))
spans = st.sampled_from([60, 3600, 7 * 3600, 86_400, 2 * 86_400, 9 * 86_400, 40 * 86_400])
lives = st.lists(
    st.tuples(spans, st.lists(happenings, min_size=1, max_size=8)), min_size=1, max_size=3
)


@dataclass(frozen=True)
class Ending:
    """How a run goes.

    Attributes:
        most: It is killed after so many messages.
        loses_tail: The target is killed, too: what came after the last state is lost.
        faults_after: After so many requests all fail,
        faults_at: if they are of this endpoint.
        meanwhile: After so many requests something happens.
        lost_pages: So often the row goes at which a page that is asked for begins.
    """

    most: int | None = None
    loses_tail: bool = False
    faults_after: int | None = None
    faults_at: str | None = None
    meanwhile: Sequence[tuple[int, tuple[Event, int]]] = ()
    lost_pages: int = 0


QUIET: Final = Ending()
endings = st.one_of(
    st.just(QUIET),
    st.builds(
        Ending,
        most=st.integers(0, 60),
        loses_tail=st.booleans(),
    ),
    st.builds(Ending, most=st.integers(0, 15), loses_tail=st.booleans()),
    st.builds(
        Ending,
        faults_after=st.integers(0, 15),
        faults_at=st.sampled_from([None, *ENDPOINTS]),
    ),
    st.builds(
        Ending,
        meanwhile=st.lists(st.tuples(st.integers(0, 60), happenings), max_size=4),
        lost_pages=st.integers(0, 2),
    ),
)


class Life(RuleBasedStateMachine):
    """An account, and whoever syncs it."""

    def __init__(self) -> None:
        """Begin with an account that holds nothing."""
        super().__init__()
        self.world = World(seed=1, now=BIRTH)
        self.sim = Simulator(self.world).start()
        self.history = History(self.sim)
        self.tables = Tables(self.world, self.history)
        self.saved = [Saved()]
        self.folder = tempfile.TemporaryDirectory()
        self.has_files = False
        self.is_sound = False

    @initialize(behaviour=behaviours, ages=st.lists(st.integers(0, 55 * 86_400), max_size=30))
    def begin(self, behaviour: Behaviour, ages: list[int]) -> None:
        """The account had a life before anybody read it."""
        self.world.behaviour = behaviour
        for number, age in enumerate(ages):
            stretch = behaviour.retention_days / 60
            moment = BIRTH - SECOND - age * stretch * SECOND
            files = int(number % 3 == 0)
            if number % 5 == 4:
                fields: dict[str, Any] = {
                    "date_sent": None,
                    "date_created": moment,
                    "status": "failed",
                }
                self.world.add_message(num_media=files, **fields)
            else:
                self.world.add_message(date_sent=moment, num_media=files)
        chance = random.Random(len(ages))  # noqa: S311 - chance, not secrecy
        for _ in ages[:8]:
            talks.import_talk(self.world, chance)
        self.history.observe(always=True)
        self.is_sound = True

    def _live(self, what: list[tuple[int, list[tuple[Event, int]]]]) -> None:
        """Things happen, and time passes."""
        for seconds, things in what:
            for each, number in things:
                self._happen(each, number)
            self._pass_time(seconds * SECOND)

    def _happen(self, each: Event, number: int) -> None:
        each(self.world, random.Random(number))  # noqa: S311 - chance, not secrecy
        self.history.observe()
        self.world.now += SECOND

    def _pass_time(self, span: timedelta) -> None:
        """What waits too long is sent."""
        end = self.world.now + span
        while (due := min(self._dues(), default=end)) < end:
            self.world.now = max(due, self.world.now)
            self._settle()
            self.history.observe()
        self.world.now = end

    def _dues(self) -> list[datetime]:
        return [
            message.date_created + LONGEST_WAIT
            for account in self.world.accounts.values()
            for message in account.messages.values()
            if message.status in {"accepted", "queued", "scheduled"}
        ]

    def _settle(self) -> None:
        for account in self.world.accounts.values():
            for message in account.messages.values():
                waits = message.status in {"accepted", "queued", "scheduled"}
                if waits and message.date_created + LONGEST_WAIT <= self.world.now:
                    self.world.update_message(message.sid, status="sent", date_sent=self.world.now)

    def _expire(self) -> None:
        oldest = self.world.now - self.world.behaviour.retention_days * DAY
        for account in self.world.accounts.values():
            for message in list(account.messages.values()):
                if message.date_created < oldest:
                    self.world.delete_message(message.sid)
        self.history.observe()

    @rule(before=lives, chosen=settings, ending=endings)
    def run(
        self,
        before: list[tuple[int, list[tuple[Event, int]]]],
        chosen: Settings,
        ending: Ending,
    ) -> None:
        """The tap runs, some time later."""
        self._live(before)
        self._run(chosen, ending)

    @rule(number=st.integers(0, MOST_STATES))
    def lose_state(self, number: int) -> None:
        """The last states are lost, or all of them."""
        self.saved = self.saved[: number % len(self.saved) + 1]

    def _run(self, chosen: Settings, ending: Ending = QUIET) -> Job:
        self.is_sound = False
        self.world.now += SECOND
        self._expire()
        started = self.world.now
        self.has_files = self.has_files or chosen.download
        config = self.sim.config() | chosen.config(self.world, self.folder.name)
        if ending.faults_after is not None:
            config["max_retry_seconds"] = 0
            self.sim.faults.add(
                Fault("500", ending.faults_at, after=ending.faults_after, times=None)
            )
        for after, (each, number) in ending.meanwhile:
            self.sim.faults.add(Fault("call", after=after, call=self._caller(each, number)))
        if ending.lost_pages:
            lose = Fault("call", match="PageToken", times=ending.lost_pages, call=self._lose_page)
            self.sim.faults.add(lose)
        before = self._shapes()
        output = run_until(config, chosen.select, self.saved[-1].state, ending.most)
        self.sim.faults.clear()
        self.world.now += SECOND
        after_all = self._shapes()
        disturbed = {sid for sid in before if before[sid] != after_all.get(sid)}
        job = Job(self.world, self.tables, chosen, self.saved[-1], self.world.now, disturbed)
        job.follow(output, loses_tail=ending.loses_tail and output.code == KILLED)
        event(f"exit code {output.code}")
        if output.code == 0:
            self._check_full(job, started)
        elif ending.faults_after is None and output.code != KILLED:
            self._check_error(str(output.error))
        self.saved = [*self.saved, *job.states][-MOST_STATES:]
        self.is_sound = True
        return job

    def _check_error(self, text: str) -> None:
        """An account that was closed while it was read is all that may go wrong."""
        accounts = self.world.accounts.values()
        refused = [f"account {a.sid}:" for a in accounts if a.status != "active"]
        assert all(line.startswith(tuple(refused)) for line in text.splitlines()), text

    def _caller(self, each: Event, number: int) -> Any:  # noqa: ANN401 - takes any request
        def call(_: object) -> None:
            self.world.now += SECOND
            self._happen(each, number)

        return call

    def _lose_page(self, request: RecordedRequest) -> None:
        sid = request.query["PageToken"].removeprefix("PA")
        if sid in self.world.conversations:
            self.world.delete_conversation(sid)
        elif any(sid in account.messages for account in self.world.accounts.values()):
            self.world.delete_message(sid)
        elif any(sid in talk.messages for talk in self.world.conversations.values()):
            self.world.delete_conversation_message(sid)
        self.history.observe()

    def _shapes(self) -> dict[str, Any]:
        shapes: dict[str, Any] = {
            talk.sid: [(m.sid, m.date_updated) for m in talk.messages.values()]
            for talk in self.world.conversations.values()
        }
        for account in self.world.accounts.values():
            shapes[account.sid] = [(m.sid, m.date_sent) for m in account.messages.values()]
        return shapes

    def _check_full(self, job: Job, started: datetime) -> None:
        """Check what a run that came to its end must have done."""
        begun = {mark[:2] for mark in job.saved.marks() if mark[2].endswith(READ_SINCE)}
        marks = job.last.marks()
        for row in self.history.there():
            stream, _ = row.key
            if stream not in job.settings.select or row.appeared >= started:
                continue
            if stream == "accounts":
                is_read = job.settings.subaccounts or row.key[1] == self.world.account_sid
            else:
                is_read = job.settings.reaches(self.world, stream, row.context[0][1])
            sid = row.context[0][1] if row.context else row.key[1]
            if not is_read or self.world.accounts[sid].date_updated >= started:
                continue  # not asked, or suspended for a moment while it was
            if stream in {"accounts", "conversation_services", "conversations"}:
                is_changed = row.changed >= started
                is_resumed = stream == "conversations" and begun
                assert is_changed or is_resumed or self.tables.has(row), f"not there: {row}"
            elif (stream, row.context) not in begun:
                assert marks[stream, row.context, BOOKMARK] >= started, row.context

    def teardown(self) -> None:
        """A quiet run brings all that the README does not except; a full scan brings all."""
        try:
            if self.is_sound:
                self._end()
        finally:
            self.sim.stop()
            self.folder.cleanup()

    def _end(self) -> None:
        self._pass_time(60 * SECOND)
        quiet = Settings(page_size=20, download=self.has_files)
        # A first read that was cut short is complete for the time when it began.
        while any(mark[2].endswith(READ_SINCE) for mark in self._run(quiet).saved.marks()):
            pass
        for text, count in self.tables.told.items():
            event(f"missed: {text}")
            note(f"{count} missed: {text}")
        self._run(Settings(page_size=20, download=self.has_files, full_scan=True))
        for row in self.history.there():
            assert self.tables.has(row), f"not there: {row}"
            if self.has_files and row.key[0] in {"message_media", "mcs_media"}:
                assert self.tables.has_file(row), f"no file: {row}"
