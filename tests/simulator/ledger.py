"""What every part of the world shares: its clock, its lock, its accounts and its chance."""

from __future__ import annotations

import datetime as dt
import json
import random
import threading
from typing import TYPE_CHECKING, Any

from tests.simulator import content, dates
from tests.simulator.entities import Account, Behaviour, McsMedia, Message, Service
from tests.simulator.ordering import MessageOrder

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT_ROWS = 250_000


def assign(entity: object, fields: dict[str, Any]) -> None:
    """Set fields of a record; its slots refuse a name that it does not have.

    Args:
        entity: The record to change.
        fields: New values. Times are brought to UTC, and "from" is read as `from_`.
    """
    for name, value in fields.items():
        if isinstance(value, dt.datetime):
            value = dates.as_utc(value, microseconds=isinstance(entity, McsMedia))  # noqa: PLW2901
        setattr(entity, "from_" if name == "from" else name, value)


class Ledger:
    """The accounts, and what reading and changing them needs."""

    def __init__(self, seed: int = 0, now: dt.datetime | None = None) -> None:
        """Create a world that holds one account and nothing in it.

        Args:
            seed: Decides every sid, secret and size.
            now: The time of the virtual clock, which stands still until it is set.
        """
        self.lock = threading.RLock()
        self.behaviour = Behaviour()
        self.random = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self.accounts: dict[str, Account] = {}
        self.media_parents: dict[str, str] = {}
        self.media_url = "https://mms.twiliocdn.com"
        self.signed_url_seconds = 14_400
        self._now = dates.as_utc(now or dt.datetime.now(dt.timezone.utc))
        self._orders: dict[tuple[str, str], MessageOrder] = {}
        self._json: dict[str, bytes] = {}
        main = self._new_account("Main", owner_sid=None, status="active", age_days=900)
        self.account_sid = main.sid

    @property
    def now(self) -> dt.datetime:
        """The virtual clock: aware, in UTC, to the second."""
        return self._now

    @now.setter
    def now(self, value: dt.datetime) -> None:
        self._now = dates.as_utc(value)

    @property
    def main(self) -> Account:
        """The main account."""
        return self.accounts[self.account_sid]

    @property
    def auth_token(self) -> str:
        """The main account's Auth Token."""
        return self.main.auth_token

    @property
    def api_key_sid(self) -> str:
        """The sid of the main account's standard API key."""
        return self.main.api_key_sid

    @property
    def api_key_secret(self) -> str:
        """The secret of the main account's standard API key."""
        return self.main.api_key_secret

    def sid(self, prefix: str) -> str:
        """Make a new sid."""
        return f"{prefix}{self.random.getrandbits(128):032x}"

    def file_size(self) -> int:
        """Choose the size of a file: mostly small, a few larger."""
        return content.SMALLEST + int(self.random.paretovariate(1.1) * 700) % 65_536

    def account(self, sid: str | None) -> Account:
        """Return an account, by default the main one."""
        return self.accounts[sid or self.account_sid]

    def add_subaccount(self, status: str = "active", friendly_name: str | None = None) -> Account:
        """Open a subaccount of the main account.

        Args:
            status: "active", "suspended" or "closed".
            friendly_name: Its name.

        Returns:
            The account, with its own credentials.
        """
        with self.lock:
            name = friendly_name or f"Subaccount {len(self.accounts)}"
            return self._new_account(name, owner_sid=self.account_sid, status=status, age_days=0)

    def _new_account(
        self, name: str, *, owner_sid: str | None, status: str, age_days: int
    ) -> Account:
        sid = self.sid("AC")
        created = self.now - dt.timedelta(days=age_days)
        account = Account(
            sid=sid,
            auth_token=self.sid(""),
            api_key_sid=self.sid("SK"),
            api_key_secret=self.sid(""),
            owner_sid=owner_sid or sid,
            friendly_name=name,
            date_created=created,
            date_updated=created,
            status=status,
        )
        self.accounts[sid] = account
        return account

    def find_message(self, sid: str) -> Message:
        """Return a message of any account."""
        for account in self.accounts.values():
            if message := account.messages.get(sid):
                return message
        raise KeyError(sid)

    def find_service(self, sid: str) -> Service:
        """Return a conversation service of any account."""
        for account in self.accounts.values():
            if service := account.services.get(sid):
                return service
        raise KeyError(sid)

    def message_order(self, account_sid: str) -> MessageOrder:
        """Return the present order of an account's messages."""
        key = account_sid, self.behaviour.unsent_order
        if key not in self._orders:
            messages = self.accounts[account_sid].messages.values()
            self._orders[key] = MessageOrder(messages, self.behaviour.unsent_order)
        return self._orders[key]

    def row_json(self, sid: str, make: Callable[[], dict[str, Any]]) -> bytes:
        """Return a row as JSON; it is written once and kept until the entity changes."""
        row = self._json.get(sid)
        if row is None:
            if len(self._json) >= _KEPT_ROWS:
                self._json.clear()
            row = self._json[sid] = json.dumps(make()).encode()
        return row

    def replace_row(self, sid: str, row: object) -> None:
        """Serve something else in the lists, until the entity changes."""
        self._json[sid] = json.dumps(row).encode()

    def forget_row(self, sid: str) -> None:
        """Drop the kept JSON of an entity that changed."""
        self._json.pop(sid, None)

    def _orders_of(self, account_sid: str) -> list[MessageOrder]:
        return [order for (sid, _), order in self._orders.items() if sid == account_sid]
