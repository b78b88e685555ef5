"""Accounts that cannot be read, among many that can: the others complete, and each is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.expecting import by_sid, expected
from tests.running import STREAMS, Output, catalog_of, run_command, run_tap
from tests.simulator import Fault, Simulator, World
from tests.simulator.seed_conversations import add_conversations
from tests.simulator.seed_messages import add_messages

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from tests.simulator.entities import Account

HOUR = timedelta(hours=1)
MESSAGES = ("messages", "message_media")
TALKS = ("conversation_services", "conversations", "conversation_messages", "mcs_media")
SELECTIONS = [
    pytest.param(STREAMS, id="with Conversations"),
    pytest.param(("accounts", *MESSAGES), id="without Conversations"),
]
NOBODY = "AC" + "0123456789abcdef" * 2


@dataclass
class Company:
    """A main account and eight subaccounts, five of them bad in a way of their own.

    Attributes:
        sim: The simulator that serves them.
        good: Three subaccounts that can be read. The main account can, too.
        resting: One that is suspended and one that is closed.
        wrong: Two whose credentials are wrong, one of either pair.
        bare: One whose API key may read nothing.
    """

    sim: Simulator
    good: list[Account] = field(default_factory=list)
    resting: list[Account] = field(default_factory=list)
    wrong: list[Account] = field(default_factory=list)
    bare: list[Account] = field(default_factory=list)

    @classmethod
    def of(cls, sim: Simulator) -> Company:
        """Open the accounts, the bad ones between the good ones."""
        company = cls(sim)
        for kind, status in (
            (company.wrong, "active"),
            (company.good, "active"),
            (company.resting, "suspended"),
            (company.bare, "active"),
            (company.good, "active"),
            (company.wrong, "active"),
            (company.resting, "closed"),
            (company.good, "active"),
        ):
            kind.append(sim.world.add_subaccount(status))
        for number, account in enumerate(sim.world.accounts.values()):
            add_messages(sim.world, account, 5 + number)
            sim.world.add_message(account.sid, num_media=2)
            add_conversations(sim.world, account, 2)
        return company

    @property
    def readable(self) -> list[str]:
        """The sids of all accounts that can be read."""
        return [self.sim.world.account_sid, *(account.sid for account in self.good)]

    @property
    def failing(self) -> set[str]:
        """The sids of all accounts that make a run fail."""
        return {account.sid for account in (*self.wrong, *self.bare)}

    def lock(self, account: Account, *endpoints: str | None) -> None:
        """Let the API key of an account read nothing, or nothing of some endpoints."""
        for endpoint in endpoints or (None,):
            fault = Fault("403", endpoint, times=None, username=account.api_key_sid)
            self.sim.faults.add(fault)

    def config(self) -> dict[str, Any]:
        """Return settings with the credentials of all, as wrong as they are."""
        by_token, by_key = self.wrong
        pairs = [token_of(account) for account in (*self.good, *self.resting)]
        pairs += [
            token_of(by_token) | {"auth_token": "not-the-token"},
            key_of(by_key) | {"api_key_secret": "not-the-secret"},
            *map(key_of, self.bare),
        ]
        return self.sim.config() | {"include_subaccounts": True, "subaccount_credentials": pairs}

    def mended(self) -> dict[str, Any]:
        """Return settings with the right credentials of all."""
        pairs = [token_of(a) for a in self.sim.world.accounts.values()]
        return self.config() | {"subaccount_credentials": pairs[1:]}


def token_of(account: Account) -> dict[str, str]:
    return {"account_sid": account.sid, "auth_token": account.auth_token}


def key_of(account: Account) -> dict[str, str]:
    return {
        "account_sid": account.sid,
        "api_key_sid": account.api_key_sid,
        "api_key_secret": account.api_key_secret,
    }


@pytest.fixture
def company() -> Iterator[Company]:
    with Simulator(World(seed=5)) as sim:
        yield Company.of(sim)


def run(company: Company, folder: Path, select: Collection[str], **more: Any) -> Output:
    config = company.config() | more.pop("config", {})
    return run_command(folder, config, catalog=catalog_of(*select), **more)


def last_lines(output: Output) -> list[str]:
    """Return the errors of a run, which must be its last words, each in a line."""
    assert "Traceback" not in output.log
    lines = output.log.strip().splitlines()
    errors = [line for line in lines if "| ERROR " in line]
    assert lines[len(lines) - len(errors) :] == errors
    return errors


def warnings(output: Output) -> list[str]:
    return [line for line in output.log.splitlines() if "| WARNING " in line]


def assert_read(company: Company, output: Output, streams: Collection[str]) -> None:
    """Fail unless just the readable accounts were read, wholly, and their bookmarks moved."""
    world, readable = company.sim.world, company.readable
    for stream in streams:
        accounts = list(world.accounts) if stream == "accounts" else readable
        assert by_sid(output.records(stream)) == expected(company.sim, stream, accounts), stream
    for stream in MESSAGES:
        marked = {sid for sid in world.accounts if output.bookmark(stream, account_sid=sid)}
        assert marked == set(readable)
    if "conversation_messages" in streams:
        for stream in ("conversation_messages", "mcs_media"):
            for account in world.accounts.values():
                for service in account.services:
                    mark = output.bookmark(stream, chat_service_sid=service)
                    assert bool(mark) == (account.sid in readable)


@pytest.mark.parametrize("select", SELECTIONS)
def test_many_bad_at_once(company: Company, tmp_path: Path, select: tuple[str, ...]) -> None:
    company.lock(company.bare[0])
    output = run(company, tmp_path, select)
    assert output.code == 1
    assert_read(company, output, select)
    errors = last_lines(output)
    named = [sid for sid in company.sim.world.accounts for line in errors if sid in line]
    assert set(named) == company.failing
    assert len(named) == len(errors) == 3
    streams = [stream for stream in select if stream in MESSAGES + TALKS]
    for line in errors:
        assert f"{', '.join(streams)} not complete: " in line
        is_bare = company.bare[0].sid in line
        assert ("HTTP 403" in line) == is_bare
        assert ("give the API key permission" in line) == is_bare
    assert_resting_told(company, output, streams)
    for secret in ("not-the-token", "not-the-secret", company.bare[0].api_key_secret):
        assert secret not in output.log + output.text


def assert_resting_told(company: Company, output: Output, streams: list[str]) -> None:
    """Fail unless one line tells of each account that rests."""
    told = warnings(output)
    for account in company.resting:
        (line,) = (line for line in told if account.sid in line)
        assert line.endswith(f"{account.sid} is {account.status}: {', '.join(streams)} not read")


@pytest.mark.parametrize("select", SELECTIONS)
def test_accounts_that_rest_are_no_failure(
    company: Company, tmp_path: Path, select: tuple[str, ...]
) -> None:
    company.good += [*company.wrong, *company.bare]
    output = run(company, tmp_path, select, config=company.mended())
    assert output.code == 0
    assert not last_lines(output)
    assert_read(company, output, select)
    assert_resting_told(company, output, [stream for stream in select if stream != "accounts"])


def test_bookmarks_of_bad_accounts_wait_for_the_day_they_are_mended(company: Company) -> None:
    world = company.sim.world
    # The world's clock is behind the real one, so that it decides.
    world.now -= 9 * HOUR
    first = run_tap(company.mended() | {"lookback_days": 0.01})
    assert not first.error
    before = world.now
    outputs = [first]
    company.lock(company.bare[0])
    for _ in range(2):
        world.now += 4 * HOUR
        for account in world.accounts.values():
            world.add_message(account.sid, num_media=1)
        config = company.config() | {"lookback_days": 0.01}
        outputs.append(run_tap(config, state=outputs[-1].state))
        assert outputs[-1].error
        for stream in MESSAGES:
            for sid in company.readable:
                mark = outputs[-1].bookmark(stream, account_sid=sid)
                assert mark == f"{world.now:%Y-%m-%dT%H:%M:%SZ}"
            for sid in company.failing:
                mark = outputs[-1].bookmark(stream, account_sid=sid)
                assert mark == f"{before:%Y-%m-%dT%H:%M:%SZ}"
    company.sim.faults.clear()
    config = company.mended() | {"lookback_days": 0.01}
    outputs.append(run_tap(config, state=outputs[-1].state))
    assert not outputs[-1].error
    accounts = [*company.readable, *company.failing]
    for stream in STREAMS[1:]:
        held = by_sid(record for output in outputs for record in output.records(stream))
        assert held == expected(company.sim, stream, accounts)


@pytest.mark.parametrize(
    ("endpoints", "refused"),
    [
        (("messages",), MESSAGES),
        (("media_list",), MESSAGES),
        (("services", "configuration"), TALKS),
        (("conversations",), TALKS[1:]),
        (("mcs_media",), TALKS[1:]),
    ],
    ids=lambda value: value[0],
)
def test_a_key_that_may_read_some_of_it(
    company: Company, endpoints: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    """What it may read is read, and just the streams that it may not read are named."""
    (bare,) = company.bare
    company.lock(bare, *endpoints)
    sids = [company.good[0].sid, bare.sid, company.good[1].sid]
    output = run_tap(company.config() | {"account_sids": sids})
    (error,) = str(output.error).splitlines()
    assert f"account {bare.sid}: {', '.join(refused)} not complete: " in error
    for stream in STREAMS[1:]:
        others = expected(company.sim, stream, (sids[0], sids[2]))
        held = by_sid(output.records(stream))
        if stream in refused:
            assert {sid: held.get(sid) for sid in others} == others
        else:
            assert held == others | expected(company.sim, stream, [bare.sid])
    for stream in MESSAGES:
        assert bool(output.bookmark(stream, account_sid=bare.sid)) == (stream not in refused)
    for stream in TALKS[2:]:
        for sid, service in bare.services.items():
            # Of a service without conversations nothing is refused but the list of them.
            if service.conversations:
                mark = output.bookmark(stream, chat_service_sid=sid)
                assert bool(mark) == (stream not in refused)


def test_an_account_that_does_not_exist(company: Company) -> None:
    good = company.good[0].sid
    output = run_tap(company.config() | {"account_sids": [NOBODY, good]}, select=MESSAGES)
    (error,) = str(output.error).splitlines()
    assert f"account {NOBODY}: messages, message_media not complete: " in error
    assert output.bookmark("messages", account_sid=good)
    assert by_sid(output.records("messages")) == expected(company.sim, "messages", [good])
