"""The life of an account as a state machine: what happens, time that passes, and runs of the tap."""

from __future__ import annotations

import random
import tempfile
from datetime import datetime, timedelta, timezone
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from hypothesis import event, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.model import messages, talks
from tests.model.history import FILE_COLUMNS, History
from tests.model.job import FAMILIES, READ_SINCE, Job, Settings
from tests.model.messages import DAY, LONGEST_WAIT
from tests.model.running import KILLED, run_until
from tests.model.tables import BOOKMARK, Saved, Tables
from tests.running import STREAMS
from tests.simulator import Behaviour, Fault, Simulator, World

if TYPE_CHECKING:
    from tests.model.messages import Event

BIRTH: Final = datetime(2024, 2, 1, 12, tzinfo=timezone.utc)
"""Long ago, so that Twilio's clock is behind the local one and decides."""

EVENTS: Final[tuple[Event, ...]] = (*messages.EVENTS, *talks.EVENTS)
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
    page_size=st.sampled_from([1000, 2, 3, 5, 20]),
    max_concurrency=st.sampled_from([10, 1, 3]),
    window=st.sampled_from([None, None, 30]),
    full_scan=st.sampled_from([False] * 9 + [True]),
    subaccounts=st.booleans(),
    own=st.booleans(),
    download=st.sampled_from([False] * 4 + [True]),
)
happenings = st.tuples(st.sampled_from(EVENTS), st.integers(0, 999))
spans = st.sampled_from([60, 3600, 7 * 3600, 86_400, 2 * 86_400, 9 * 86_400, 40 * 86_400])


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
            sent = BIRTH - SECOND - age * stretch * SECOND
            self.world.add_message(date_sent=sent, num_media=int(number % 3 == 0))
        self.history.observe(always=True)
        self.is_sound = True

    @rule(what=st.lists(happenings, min_size=1, max_size=4))
    def happen(self, what: list[tuple[Event, int]]) -> None:
        """Something happens."""
        for each, number in what:
            each(self.world, random.Random(number))  # noqa: S311 - chance, not secrecy
        self.history.observe()
        self.world.now += SECOND

    @rule(seconds=spans)
    def pass_time(self, seconds: int) -> None:
        """Time passes. What waits too long is sent, what is too old goes."""
        end = self.world.now + seconds * SECOND
        while (due := min(self._dues(), default=end)) < end:
            self.world.now = max(due, self.world.now)
            self._settle()
            self.history.observe()
        self.world.now = end
        self.history.observe()

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
                    self.world.update_message(
                        message.sid, status="sent", date_sent=self.world.now
                    )

    def _expire(self) -> None:
        oldest = self.world.now - self.world.behaviour.retention_days * DAY
        for account in self.world.accounts.values():
            for message in list(account.messages.values()):
                if message.date_created < oldest:
                    self.world.delete_message(message.sid)
        self.history.observe()

    @rule(
        chosen=settings,
        most=st.one_of(st.none(), st.integers(0, 100)),
        loses_tail=st.booleans(),
        faults_after=st.one_of(st.none(), st.none(), st.none(), st.integers(0, 60)),
    )
    def run(
        self, chosen: Settings, most: int | None, faults_after: int | None, *, loses_tail: bool
    ) -> None:
        """The tap runs, to its end or until it is killed or everything fails."""
        self._run(chosen, most=most, faults_after=faults_after, loses_tail=loses_tail)

    @rule(
        chosen=settings,
        meanwhile=st.lists(st.tuples(st.integers(0, 60), happenings), min_size=1, max_size=3),
    )
    def run_meanwhile(
        self, chosen: Settings, meanwhile: list[tuple[int, tuple[Event, int]]]
    ) -> None:
        """The tap runs while things happen."""
        self._run(chosen, meanwhile=meanwhile)

    @rule(number=st.integers(0, MOST_STATES))
    def lose_state(self, number: int) -> None:
        """The last states are lost, or all of them."""
        self.saved = self.saved[: number % len(self.saved) + 1]

    def _run(
        self,
        chosen: Settings,
        *,
        most: int | None = None,
        faults_after: int | None = None,
        loses_tail: bool = False,
        meanwhile: list[tuple[int, tuple[Event, int]]] | None = None,
    ) -> Job:
        self.is_sound = False
        self.world.now += SECOND
        self._expire()
        started = self.world.now
        self.has_files = self.has_files or chosen.download
        config = self.sim.config() | chosen.config(self.world, self.folder.name)
        config["max_retry_seconds"] = 0 if faults_after is not None else 60
        if faults_after is not None:
            self.sim.faults.add(Fault("500", after=faults_after, times=None))
        for after, (each, number) in meanwhile or ():
            self.sim.faults.add(Fault("call", after=after, call=self._caller(each, number)))
        talks_before = self._shapes()
        output = run_until(config, chosen.select, self.saved[-1].state, most)
        self.sim.faults.clear()
        self.world.now += SECOND
        after_all = self._shapes()
        disturbed = {sid for sid in talks_before if talks_before[sid] != after_all.get(sid)}
        job = Job(self.world, self.tables, chosen, self.saved[-1], disturbed)
        job.follow(output, loses_tail=loses_tail and output.code == KILLED)
        event(f"exit code {output.code}")
        if output.code == 0:
            self._check_full(job, started)
        elif faults_after is None:
            assert output.code == KILLED, str(output.error)
        self.saved = [*self.saved, *job.states][-MOST_STATES:]
        self.is_sound = True
        return job

    def _caller(self, each: Event, number: int) -> Any:  # noqa: ANN401 - takes any request
        def call(_: object) -> None:
            self.world.now += SECOND
            each(self.world, random.Random(number))  # noqa: S311 - chance, not secrecy
            self.history.observe()

        return call

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
        begun = {mark[:2] for mark in job.saved.marks() if mark[2] == READ_SINCE}
        marks = job.last.marks()
        for row in self.history.there():
            stream, _ = row.key
            if stream not in job.settings.select or row.appeared >= started:
                continue
            if stream == "accounts":
                is_read = job.settings.subaccounts or row.key[1] == self.world.account_sid
            else:
                is_read = job.settings.reaches(self.world, stream, row.context[0][1])
            if not is_read:
                continue
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
        self.pass_time(60)
        quiet = Settings(page_size=20, download=self.has_files)
        # A first read that was cut short is complete for the time when it began.
        while any(mark[2] == READ_SINCE for mark in self._run(quiet).saved.marks()):
            pass
        for text, count in self.tables.told.items():
            event(f"missed: {text}")
            note(f"{count} missed: {text}")
        self._run(Settings(page_size=20, download=self.has_files, full_scan=True))
        for row in self.history.there():
            assert self.tables.has(row), f"not there: {row}"
            if self.has_files and row.key[0] in {"message_media", "mcs_media"}:
                assert self.tables.has_file(row), f"no file: {row}"
