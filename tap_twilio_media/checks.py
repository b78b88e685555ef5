"""What is wrong with a config, a sentence each, before anything is asked."""

from __future__ import annotations

import ipaddress
import math
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tap_twilio_media.download.hosts import problem_of as hosts_problem_of
from tap_twilio_media.download.names import problem_of
from tap_twilio_media.times import parsed

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


def problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a merged config of the tap, never the value of a secret.

    These checks are made here and not by the JSON schema, whose errors quote the value that
    failed. They come first; plain types and ranges of the rest are the schema's.
    """
    yield from connection_problems(config)
    yield from _date_problems(config)
    sids = config.get("account_sids") or []
    if not isinstance(sids, list) or not all(_matches(_ACCOUNT, sid) for sid in sids):
        yield "account_sids: each must be AC and 32 hexadecimal digits"
    if config.get("batch_config"):
        yield "batch_config: not supported, as a STATE could then precede the rows it stands for"
    if config.get("flattening_enabled") and config.get("flattening_max_depth") is None:
        yield "flattening_max_depth is not set: flattening_enabled needs it"
    download = config.get("download")
    if download is not None and not isinstance(download, dict):
        yield "download: must be an object"
    elif download:
        yield from download_problems(download, "download.")
        if not download.get("output_path"):
            yield "download.output_path is not set: without it no file is downloaded"


def connection_problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the settings by which Twilio is asked."""
    yield from _account_problems(config)
    yield from _subaccount_problems(config.get("subaccount_credentials"))
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
    hosts = config.get("media_hosts") or []
    # A text is no list, whatever its entry looks like.
    for host in hosts if isinstance(hosts, list) else [None]:
        if problem := hosts_problem_of(host):
            yield f"media_hosts: {problem}"
    for name in _NUMBERS:
        if isinstance(value := config.get(name), float) and not math.isfinite(value):
            yield f"{name}: must be a number that ends somewhere"


def download_problems(config: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """Yield what is wrong with the settings of files, each named with what stands before it."""
    path = config.get("output_path")
    if path is not None and not (isinstance(path, str) and "\0" not in path):
        yield f"{where}output_path: must be a folder, or a URL such as s3://bucket/folder"
    template = config.get("path_template")
    if template is not None and not isinstance(template, str):
        yield f"{where}path_template: must be text"
    elif template and (problem := problem_of(template)):
        yield f"{where}path_template: {problem}"
    patterns = config.get("content_types") or []
    if not isinstance(patterns, list) or not all(isinstance(p, str) and p for p in patterns):
        yield f"{where}content_types: must be a list of types such as image/* or audio/ogg"


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
    start, end = moment_of(config.get("start_date")), moment_of(config.get("end_date"))
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
    if parts.scheme == "http" and not _is_loopback(host):
        return "plain http would show the credentials to the network; use https"
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def moment_of(value: str | None) -> datetime | None:
    """Return the moment that a setting names, if it names one."""
    return parsed(value) if value else None
