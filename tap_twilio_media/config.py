"""The settings, checked and typed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from tap_twilio_media.checks import moment_of
from tap_twilio_media.client.hosts import Hosts
from tap_twilio_media.client.network import Credentials, Manners
from tap_twilio_media.download.names import DEFAULT_TEMPLATE
from tap_twilio_media.download.settings import MOST_BYTES, DownloadSettings
from tap_twilio_media.windows import RETENTION

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Connection:
    """How Twilio is asked, every value usable as it is. Names as in the settings."""

    account_sid: str
    credentials: Credentials
    subaccount_credentials: Mapping[str, Credentials]
    max_concurrency: int
    manners: Manners
    hosts: Hosts

    @classmethod
    def of(cls, config: Mapping[str, Any], product: str) -> Connection:
        """Return the connection of a config in which `checks` finds nothing.

        Args:
            config: The merged config, defaults filled in.
            product: Name and version, for the User-Agent.
        """
        named = Hosts.of(config.get("region"), config.get("edge"))
        return Connection(
            account_sid=config["account_sid"],
            credentials=_credentials(config),
            subaccount_credentials={
                item["account_sid"]: _credentials(item)
                for item in config.get("subaccount_credentials") or []
            },
            max_concurrency=int(config["max_concurrency"]),
            # The SDK reads numbers with a fraction as Decimal, which time does not add up with.
            manners=Manners(
                " ".join(filter(None, (product, config.get("user_agent")))),
                float(config["request_timeout"]),
                float(config["max_retry_seconds"]),
            ),
            hosts=Hosts(
                api=config.get("api_url") or named.api,
                conversations=config.get("conversations_url") or named.conversations,
                mcs=config.get("mcs_url") or named.mcs,
            ),
        )

    def own_credentials(self, account_sid: str) -> Credentials | None:
        """Return the account's own credentials, or None when they are not known.

        Conversations and MCS accept no others (Twilio: "Subaccounts").
        """
        if account_sid == self.account_sid:
            return self.credentials
        return self.subaccount_credentials.get(account_sid)

    def file_credentials(self, account_sid: str, stream: str) -> Credentials | None:
        """Return the credentials for the files of a stream, or None when there are none.

        The 2010 API also accepts the parent's Auth Token, but none of its API keys.
        """
        own = self.own_credentials(account_sid)
        if own is None and stream == "message_media" and not self.credentials.is_api_key:
            return self.credentials
        return own


@dataclass(frozen=True, slots=True)
class Settings(Connection):
    """What a run of the tap needs to know."""

    start_date: datetime | None
    end_date: datetime | None
    include_subaccounts: bool
    account_sids: tuple[str, ...]
    lookback: timedelta
    media_lookback: timedelta
    full_scan: bool
    strict: bool
    longest_window: timedelta
    page_size: int
    download: DownloadSettings | None

    @classmethod
    def of(cls, config: Mapping[str, Any], product: str) -> Self:
        """Return the settings of a config in which `checks` finds nothing."""
        connection = Connection.of(config, product)
        lookback = timedelta(days=float(config["lookback_days"]))
        media_lookback_days = config.get("media_lookback_days", config["lookback_days"])
        download = config.get("download") or {}
        return cls(
            **{field.name: getattr(connection, field.name) for field in fields(Connection)},
            start_date=moment_of(config.get("start_date")),
            end_date=moment_of(config.get("end_date")),
            include_subaccounts=config["include_subaccounts"],
            account_sids=tuple(dict.fromkeys(config.get("account_sids") or [])),
            lookback=lookback,
            media_lookback=timedelta(days=float(media_lookback_days)),
            full_scan=config["full_scan"],
            strict=config["strict"],
            longest_window=timedelta(days=float(config.get("window_days", RETENTION.days))),
            page_size=int(config["page_size"]),
            download=download_of(download, config) if download.get("output_path") else None,
        )


def download_of(download: Mapping[str, Any], config: Mapping[str, Any]) -> DownloadSettings:
    """Return which files are wanted, and where.

    Args:
        download: The settings of files.
        config: The settings around them.
    """
    return DownloadSettings(
        output_path=download["output_path"],
        path_template=download.get("path_template") or DEFAULT_TEMPLATE,
        content_types=tuple(download.get("content_types") or ()),
        max_file_bytes=int(download.get("max_file_bytes") or MOST_BYTES),
        media_hosts=tuple(config.get("media_hosts") or ()),
    )


def _credentials(config: Mapping[str, Any]) -> Credentials:
    if token := config.get("auth_token"):
        return Credentials(config["account_sid"], token)
    return Credentials(config["api_key_sid"], config["api_key_secret"])
