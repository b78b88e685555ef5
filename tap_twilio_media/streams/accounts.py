"""Accounts: the root of all other streams."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_twilio_media.client.errors import RefusedError, StoppedError
from tap_twilio_media.client.hosts import API_VERSION, join
from tap_twilio_media.client.pages import pages
from tap_twilio_media.errors import TapError
from tap_twilio_media.pool import FIRST
from tap_twilio_media.streams.base import TwilioStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context, Record

    from tap_twilio_media.client.session import Client

logger = logging.getLogger("tap-twilio-media")


class Accounts(TwilioStream):
    """An account or subaccount (Twilio: "Account resource")."""

    name = "accounts"

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        if self.ABORT_AT_RECORD_COUNT is not None:
            self.run.files = None  # who tests the connection wants no files
        files = self.run.files
        if files:
            files.progress.start()
        try:
            with self.run.held():
                yield from self._read()
        finally:
            if files:
                files.close()

    def _read(self) -> Iterable[Record]:
        # Each selected stream gets its table, also when it has no row or is never reached.
        for stream in self.descendent_streams:
            if stream.selected:
                stream._write_schema_message()  # noqa: SLF001 - the SDK's own hook

        settings = self.run.settings
        found: list[dict[str, Any]] = []
        if self.selected or settings.include_subaccounts:
            found = self._found()
        self.run.statuses = {row["sid"]: str(row.get("status")) for row in found}
        for row in found:
            yield self.typed(row)

        own = [settings.account_sid]
        others = self.askable(row["sid"] for row in found) if settings.include_subaccounts else []
        sids = dict.fromkeys(settings.account_sids or own + others)
        for _ in self.sync_children_in([{"account_sid": sid} for sid in sids]):
            self.run.bookmarks.emit(at_once=True)
        self.run.close()

    def _found(self) -> list[dict[str, Any]]:
        """Return the wanted accounts; none, with a word about it, when Twilio refuses them."""
        settings, pool = self.run.settings, self.run.pool
        client = self.run.client(settings.account_sid)
        wanted = settings.account_sids
        try:
            # By the pool, whose waits end with the reader of the output.
            return pool.result(pool.submit((FIRST,), partial(self._asked, client)))
        except StoppedError:
            raise
        except RefusedError as error:
            if not client.credentials.is_api_key:
                self.run.fail(settings.account_sid, [self.name], error)
                return []
            hidden = ""
            if settings.include_subaccounts and not wanted:
                hidden = (
                    ", so its subaccounts are not known and were not read; "
                    "name them in account_sids, with credentials in subaccount_credentials"
                )
            logger.warning("accounts: this API key may not read them%s (%s)", hidden, error)
        except TapError as error:
            self.run.fail(settings.account_sid, [self.name], error)
        return []

    def _asked(self, client: Client) -> list[dict[str, Any]]:
        settings, wanted = self.run.settings, self.run.settings.account_sids
        if settings.include_subaccounts:
            query = {"PageSize": str(settings.page_size)}
            path = f"{API_VERSION}/Accounts.json"
            listed = pages(client, client.hosts.api, path, "accounts", query)
            rows = [row for page in listed for row in page.rows]
            return [row for row in rows if not wanted or row["sid"] in wanted]
        links = {
            sid: join(client.hosts.api, f"{API_VERSION}/Accounts/{sid}.json")
            for sid in wanted or (settings.account_sid,)
        }
        return [client.get(link).body | {"sid": sid} for sid, link in links.items()]
