"""The settings, checked and typed."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tap_twilio_media.client.hosts import Hosts, is_loopback
from tap_twilio_media.client.network import Credentials, Manners
from tap_twilio_media.times import parsed
from tap_twilio_media.windows import RETENTION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ACCOUNT = re.compile(r"AC[0-9a-fA-F]{32}")
_KEY = re.compile(r"SK[0-9a-fA-F]{32}")
_REGION = re.compile(r"[a-z]{2}[0-9]{1,2}")
_EDGE = re.compile(r"[a-z0-9-]{1,63}")
_HOST = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?|[0-9a-f]*:[0-9a-f:.]+", re.IGNORECASE)
_NUMBERS = (
    "lookback_days",
    "media_lookback_days",
    "window_days",
    "request_timeout",
    "max_retry_seconds",
)
_URLS = ("api_url", "conversations_url", "mcs_url")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run needs to know, every value usable as it is. Names as in the settings."""

    account_sid: str
    credentials: Credentials
    subaccount_credentials: Mapping[str, Credentials]
    start_date: datetime | None
    end_date: datetime | None
    include_subaccounts: bool
    account_sids: tuple[str, ...]
    lookback: timedelta
    media_lookback: timedelta
    full_scan: bool
    longest_window: timedelta
    page_size: int
    max_concurrency: int
    manners: Manners
    hosts: Hosts

    @classmethod
    def of(cls, config: Mapping[str, Any], version: str) -> Settings:
        """Return the settings of a config in which `problems` finds none.

        Args:
            config: The merged config, defaults filled in.
            version: The tap's version, for the User-Agent.
        """
        named = Hosts.of(config.get("region"), config.get("edge"))
        product = f"tap-twilio-media/{version}"
        # The SDK reads numbers with a fraction as Decimal, which time does not add up with.
        lookback = timedelta(days=float(config["lookback_days"]))
        media_lookback_days = config.get("media_lookback_days", config["lookback_days"])
        return cls(
            account_sid=config["account_sid"],
            credentials=_credentials(config),
            subaccount_credentials={
                item["account_sid"]: _credentials(item)
                for item in config.get("subaccount_credentials") or []
            },
            start_date=_moment(config.get("start_date")),
            end_date=_moment(config.get("end_date")),
            include_subaccounts=config["include_subaccounts"],
            account_sids=tuple(dict.fromkeys(config.get("account_sids") or [])),
            lookback=lookback,
            media_lookback=timedelta(days=float(media_lookback_days)),
            full_scan=config["full_scan"],
            longest_window=timedelta(days=float(config.get("window_days", RETENTION.days))),
            page_size=int(config["page_size"]),
            max_concurrency=int(config["max_concurrency"]),
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


def problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a merged config, a sentence each, never the value of a secret.

    These checks are made here and not by the JSON schema, whose errors quote the value that
    failed. They come first; plain types and ranges of the rest are the schema's.
    """
    yield from _account_problems(config)
    yield from _subaccount_problems(config.get("subaccount_credentials"))
    yield from _date_problems(config)
    sids = config.get("account_sids") or []
    if not isinstance(sids, list) or not all(_matches(_ACCOUNT, sid) for sid in sids):
        yield "account_sids: each must be AC and 32 hexadecimal digits"
    if (region := config.get("region")) and not _matches(_REGION, region):
        yield "region: not a Twilio region; they look like us1, ie1 or au1"
    if (edge := config.get("edge")) and not _matches(_EDGE, edge):
        yield "edge: not a Twilio edge; they look like dublin or sydney"
    for name in _URLS:
        if (url := config.get(name)) and (problem := _url_problem(url)):
            yield f"{name}: {problem}"
    agent = config.get("user_agent")
    if agent and not (isinstance(agent, str) and agent.isascii() and agent.isprintable()):
        yield "user_agent: only printable ASCII characters can be sent"
    for name in _NUMBERS:
        if isinstance(value := config.get(name), float) and not math.isfinite(value):
            yield f"{name}: must be a number that ends somewhere"
    if config.get("batch_config"):
        yield "batch_config: not supported, as a STATE could then precede the rows it stands for"


def _account_problems(config: Mapping[str, Any]) -> Iterator[str]:
    if not config.get("account_sid"):
        yield (
            "account_sid is not set: set it with auth_token, or with api_key_sid and "
            "api_key_secret, in the config, as TAP_TWILIO_MEDIA_... or as TWILIO_ACCOUNT_SID with "
            "TWILIO_AUTH_TOKEN (all from the same one of the three)"
        )
        return
    if not _matches(_ACCOUNT, config["account_sid"]):
        yield "account_sid: must be AC and 32 hexadecimal digits"
    yield from _pair_problems(config, "")


def _subaccount_problems(items: object) -> Iterator[str]:
    if items is None:
        return
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        yield "subaccount_credentials: must be a list of objects"
        return
    for number, item in enumerate(items):
        where = f"subaccount_credentials[{number}]"
        if not _matches(_ACCOUNT, item.get("account_sid")):
            yield f"{where}.account_sid: must be AC and 32 hexadecimal digits"
        yield from _pair_problems(item, f"{where}.")


def _pair_problems(config: Mapping[str, Any], where: str) -> Iterator[str]:
    token, key, secret = (config.get(n) for n in ("auth_token", "api_key_sid", "api_key_secret"))
    if token and (key or secret):
        yield f"{where}auth_token and {where}api_key_sid are both set: set one of the two pairs"
    elif token:
        yield from _secret_problems(token, f"{where}auth_token")
    elif key and secret:
        if not _matches(_KEY, key):
            yield f"{where}api_key_sid: must be SK and 32 hexadecimal digits"
        yield from _secret_problems(secret, f"{where}api_key_secret")
    elif key or secret:
        missing = "api_key_secret" if key else "api_key_sid"
        yield f"{where}{missing} is not set: an API key needs both its SID and its secret"
    else:
        yield (
            f"{where}auth_token is not set: set it, or {where}api_key_sid with "
            f"{where}api_key_secret, in the same place as {where}account_sid"
        )


def _secret_problems(value: object, name: str) -> Iterator[str]:
    if not (
        isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value
    ):
        yield f"{name}: must be text of printable ASCII characters without spaces"


def _date_problems(config: Mapping[str, Any]) -> Iterator[str]:
    for name in ("start_date", "end_date"):
        if not _is_date(config.get(name)):
            yield f"{name}: must be a date such as 2026-01-31 or 2026-01-31T12:00:00Z"
            return
    start, end = _moment(config.get("start_date")), _moment(config.get("end_date"))
    if start and start > datetime.now(timezone.utc):
        yield "start_date: lies in the future"
    if start and end and start >= end:
        yield "end_date: must lie after start_date"
    if end and config.get("full_scan"):
        yield "end_date: cannot be combined with full_scan, which reads without bounds"


def _is_date(value: object) -> bool:
    if value is None or value == "":
        return True
    try:
        return isinstance(value, str) and bool(parsed(value))
    except ValueError:
        return False


def _url_problem(url: object) -> str | None:
    if not isinstance(url, str):
        return "not a URL"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "not a URL"
    if any(char in url for char in "?#@"):
        return "must have no credentials, query or fragment"
    whole = url.isascii() and url.isprintable() and " " not in url
    if not whole or parts.scheme not in {"http", "https"} or not (host and _HOST.fullmatch(host)):
        return "must be an address such as https://api.twilio.com"
    if parts.scheme == "http" and not is_loopback(host):
        return "plain http would show the credentials to the network; use https"
    return None


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _moment(value: str | None) -> datetime | None:
    return parsed(value) if value else None


def _credentials(config: Mapping[str, Any]) -> Credentials:
    if token := config.get("auth_token"):
        return Credentials(config["account_sid"], token)
    return Credentials(config["api_key_sid"], config["api_key_secret"])
