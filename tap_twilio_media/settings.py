"""The settings: names, meaning and defaults, said once."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from tap_twilio_media.download.names import DEFAULT_TEMPLATE
from tap_twilio_media.download.settings import MOST_BYTES

IDENTITY = (
    th.Property(
        "account_sid",
        th.StringType,
        required=True,
        title="Account SID",
        description="SID of the Twilio account (AC...).",
    ),
    th.Property(
        "auth_token",
        th.StringType,
        secret=True,
        title="Auth Token",
        description="Auth Token of the account. Set this, or the API key pair.",
    ),
    th.Property(
        "api_key_sid",
        th.StringType,
        title="API key SID",
        description="SID of an API key (SK...) of the account, with api_key_secret.",
    ),
    th.Property(
        "api_key_secret",
        th.StringType,
        secret=True,
        title="API key secret",
        description="Secret of the API key.",
    ),
)
"""Whose data, and by which credentials."""

SUBACCOUNTS = th.Property(
    "subaccount_credentials",
    th.ArrayType(
        th.ObjectType(
            th.Property("account_sid", th.StringType, description="SID of the subaccount."),
            th.Property("auth_token", th.StringType, secret=True, description="Its Auth Token."),
            th.Property("api_key_sid", th.StringType, description="SID of an API key of it."),
            th.Property(
                "api_key_secret", th.StringType, secret=True, description="Secret of that key."
            ),
        )
    ),
    secret=True,
    title="Subaccount credentials",
    description=(
        "Credentials of subaccounts. Conversations and MCS of a subaccount can only be read "
        "with its own."
    ),
)

NETWORK = (
    th.Property(
        "max_concurrency",
        th.IntegerType(minimum=1, maximum=1000),
        default=10,
        title="Max concurrency",
        description="Requests in flight at most.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0, maximum=86_400),
        default=60,
        title="Request timeout",
        description="Seconds to wait for a connection, for the head of a reply, "
        "and for more of its body.",
    ),
    th.Property(
        "max_retry_seconds",
        th.NumberType(minimum=0, maximum=86_400),
        default=600,
        title="Max retry seconds",
        description="Seconds for one request with all its tries, Retry-After included.",
    ),
    th.Property(
        "region",
        th.StringType,
        title="Region",
        description="Twilio region that holds the data, such as ie1. Default: us1.",
    ),
    th.Property(
        "edge",
        th.StringType,
        title="Edge",
        description="Twilio edge to connect through, such as dublin.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        title="API URL",
        description="Base URL in place of https://api.twilio.com (a proxy, a simulator).",
    ),
    th.Property(
        "conversations_url",
        th.StringType,
        title="Conversations URL",
        description="Base URL in place of https://conversations.twilio.com.",
    ),
    th.Property(
        "mcs_url",
        th.StringType,
        title="MCS URL",
        description="Base URL in place of https://mcs.us1.twilio.com.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="Product token added to the tap's own User-Agent.",
    ),
)
"""How Twilio is asked."""

MEDIA_HOSTS = th.Property(
    "media_hosts",
    th.ArrayType(th.StringType),
    title="Media hosts",
    description="Hosts, beyond Twilio's own, that a media redirect may lead to.",
)

FILES = (
    th.Property(
        "output_path",
        th.StringType,
        title="Output path",
        description="Where files go: a folder, or a URL such as s3://bucket/folder.",
    ),
    th.Property(
        "path_template",
        th.StringType,
        title="Path template",
        description=(
            f"Path of a file below output_path. Default: {DEFAULT_TEMPLATE}. Also: stream, "
            "conversation_sid, chat_service_sid, date, year, month, day."
        ),
    ),
    th.Property(
        "content_types",
        th.ArrayType(th.StringType),
        title="Content types",
        description="Download only these types, such as image/*. Default: all.",
    ),
    th.Property(
        "max_file_bytes",
        th.IntegerType(minimum=1),
        title="Max file bytes",
        description=f"Download no larger file. Default: {MOST_BYTES} (256 MiB).",
    ),
)
"""Which files, and where they go."""

CONFIG_SCHEMA: dict[str, Any] = th.PropertiesList(
    *IDENTITY,
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description=(
            "First date wanted. Default: for messages as far back as Twilio keeps records "
            "(400 days), for Conversations everything."
        ),
    ),
    th.Property(
        "end_date",
        th.DateTimeType,
        title="End date",
        description="Upper bound of date_sent, exclusive, for backfills of messages in slices.",
    ),
    th.Property(
        "include_subaccounts",
        th.BooleanType,
        default=False,
        title="Include subaccounts",
        description="Also read the subaccounts of the account.",
    ),
    th.Property(
        "account_sids",
        th.ArrayType(th.StringType),
        title="Account SIDs",
        description="Read only these accounts. Default: all found.",
    ),
    SUBACCOUNTS,
    th.Property(
        "lookback_days",
        th.NumberType(minimum=0, maximum=36_500),
        default=3,
        title="Lookback days",
        description=(
            "How far behind the bookmark each run reads rows again, for late changes of status, "
            "price and receipts."
        ),
    ),
    th.Property(
        "media_lookback_days",
        th.NumberType(minimum=0, maximum=36_500),
        title="Media lookback days",
        description="The same for the media of those rows. Default: lookback_days.",
    ),
    th.Property(
        "full_scan",
        th.BooleanType,
        default=False,
        title="Full scan",
        description=(
            "Read everything that Twilio lists, without stop rule or filter: a periodic safety run."
        ),
    ),
    th.Property(
        "strict",
        th.BooleanType,
        default=False,
        title="Strict",
        description=(
            "End a stream at a value that is not of the type expected, in place of leaving it null "
            "with a warning."
        ),
    ),
    th.Property(
        "window_days",
        th.NumberType(exclusive_minimum=0, maximum=400),
        title="Window days",
        description=(
            "Longest window of a backfill, for those who want bookmarks more often. Default: no "
            "cap, windows follow the density of the account."
        ),
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=1000),
        default=1000,
        title="Page size",
        description="Rows per page; Conversations are never asked for more than 100.",
    ),
    *NETWORK,
    th.Property(
        "download",
        th.ObjectType(*FILES, additional_properties=False),
        title="Download",
        description=(
            "Download the files, too: an object of output_path, path_template, content_types and "
            "max_file_bytes. Off unless its output_path is set."
        ),
    ),
    MEDIA_HOSTS,
).to_dict()
"""JSON Schema of the settings, as `--about` shows it."""
