"""What the marts say of the last days, read in few queries and small rows."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tap_twilio_media.report.errors import ReportError
from tap_twilio_media.report.figures import (
    Cost,
    Delivery,
    Duplicates,
    Expiring,
    Failure,
    Family,
    Media,
    Said,
    Sender,
    Stored,
)
from tap_twilio_media.report.periods import Period

if TYPE_CHECKING:
    from decimal import Decimal

    from tap_twilio_media.report.databases import Ask

TOP_SENDERS = 10
MARTS = (
    *("media_duplicates", "media_items", "media_usage_daily", "message_delivery_daily"),
    "storage_growth",
)

# As PostgreSQL and DuckDB both understand it; $1 and $2 are the first and the last day.
_TABLES = "select table_name from information_schema.tables where table_schema = $1"
_TODAY = "select max(as_of) from storage_growth"
_KNOWN = """
    select min(day), max(day), count(distinct account_sid) from (
        select day, account_sid from media_usage_daily
        union all
        select day, account_sid from message_delivery_daily
    ) as days
"""
_MEDIA = """
    select day, channel, sum(media) from media_usage_daily
    where day between $1 and $2
    group by day, channel having sum(media) > 0
    order by day, channel
"""
_FAMILIES = """
    select content_family, sum(media), sum(media_with_bytes), sum(bytes) from media_usage_daily
    where day between $1 and $2
    group by content_family having sum(media) > 0
    order by 4 desc, 2 desc, 1
"""
_SENDERS = """
    select sender, count(*), count(size_bytes), sum(size_bytes) from media_items
    where created_date between $1 and $2
    group by sender
    order by 2 desc, 4 desc nulls last, 1
    limit $3
"""
_ALL_SENDERS = """
    select count(distinct sender) from media_items where created_date between $1 and $2
"""
_DELIVERIES = """
    select direction, channel, status, sum(messages) from message_delivery_daily
    where day between $1 and $2
    group by direction, channel, status having sum(messages) > 0
    order by 1, 2, 3
"""
_FAILURES = """
    select error_code, status, sum(messages) from message_delivery_daily
    where day between $1 and $2 and error_code is not null
    group by error_code, status having sum(messages) > 0
    order by 3 desc, 1, 2
"""
_COSTS = """
    select direction, channel, price_unit, sum(messages), sum(segments), sum(cost)
    from message_delivery_daily
    where day between $1 and $2
    group by direction, channel, price_unit having sum(messages) > 0
    order by 1, 2, 3 nulls last
"""
_GROWTH = """
    select day, sum(media_total), sum(bytes_total), sum(stored_total), sum(stored_bytes_total)
    from storage_growth
    where day between $1 and $2
    group by day
    order by day
"""
# Sent long before the first day, and about to be dropped now.
_EXPIRING = """
    select
        expires_on, sum(expiring_media), sum(expiring_bytes),
        case when count(*) = count(expiring_bytes_estimate) then sum(expiring_bytes_estimate) end
    from storage_growth
    where expiring_media > 0
    group by expires_on
    order by expires_on
"""
_DUPLICATES = "select count(*), sum(copies), sum(bytes_saved) from media_duplicates"


def said_by_marts(ask: Ask, schema: str, days: int) -> Said:
    """Return what the marts say of the last days, up to the newest that they know of.

    Args:
        ask: Answers queries, on tables of the schema unless they say otherwise.
        schema: Where the marts are.
        days: How many days; 1 is the newest day alone.

    Raises:
        ReportError: A mart is missing, or what is there is none of this version.
    """
    _look_for_marts(ask, schema)
    ((today,),) = ask(_TODAY)
    ((first, newest, accounts),) = ask(_KNOWN)
    ends = [day for day in (today, newest) if day]
    stretch = _last_days(max(ends), days, first) if ends else None
    # Without a day there is no row either: any dates will do.
    window = stretch or Period(dt.date.min, dt.date.min)
    ((senders,),) = ask(_ALL_SENDERS, *window)
    ((duplicates, copies, saved),) = ask(_DUPLICATES)
    return Said(
        stretch=stretch,
        today=today,
        accounts=accounts,
        media=[Media(day, channel, int(media)) for day, channel, media in ask(_MEDIA, *window)],
        families=[Family(name, *map(_whole, rest)) for name, *rest in ask(_FAMILIES, *window)],
        senders=[
            Sender(sender or None, *map(_whole, rest))
            for sender, *rest in ask(_SENDERS, *window, TOP_SENDERS)
        ],
        all_senders=senders,
        deliveries=[
            Delivery(direction, channel, status, int(messages))
            for direction, channel, status, messages in ask(_DELIVERIES, *window)
        ],
        failures=[
            Failure(code, status, int(messages))
            for code, status, messages in ask(_FAILURES, *window)
        ],
        costs=[
            Cost(direction, channel, unit, int(messages), _whole(segments), cost)
            for direction, channel, unit, messages, segments, cost in ask(_COSTS, *window)
        ],
        growth=[Stored(day, *map(_whole, totals)) for day, *totals in ask(_GROWTH, *window)],
        expiring=[
            Expiring(day, int(media), _whole(size), None if about is None else int(about))
            for day, media, size, about in ask(_EXPIRING)
        ],
        duplicates=Duplicates(duplicates, _whole(copies), _whole(saved)),
    )


def _look_for_marts(ask: Ask, schema: str) -> None:
    found = {name for (name,) in ask(_TABLES, schema)}
    missing = [mart for mart in MARTS if mart not in found]
    if missing:
        raise ReportError(
            f"schema {schema} of the database holds no {', '.join(missing)}: run dbt build first"
        )


def _last_days(end: dt.date, days: int, first: dt.date | None) -> Period:
    """Return the last days up to an end, but none before the first day that is known."""
    start = dt.date.fromordinal(max(end.toordinal() - days + 1, 1))
    return Period(min(max(start, first or start), end), end)


def _whole(number: Decimal | int | None) -> int:
    return int(number or 0)
