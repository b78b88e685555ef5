"""What lies in the database after a run, as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from tests.postgres import Postgres

SCHEMA = "twilio"
# In reading order, each with the date that decides what is read again. Lists without one come
# whole.
DATES = {
    "accounts": "null::timestamp",
    "messages": "date_sent",
    "message_media": f"(select date_sent from {SCHEMA}.messages where sid = message_sid)",
    "conversation_services": "null::timestamp",
    "conversations": "null::timestamp",
    "conversation_messages": "greatest(date_created, date_updated)",
    "mcs_media": "date_created",
}
MINUTE = "YYYY-MM-DD HH24:MI"
MEDIA = f"""
    select
        content_type,
        count(*) filter (where direction = 'inbound'),
        count(*) filter (where direction like 'outbound%%'),
        count(*) filter (where direction is null)
    from (
        select media.content_type, messages.direction
        from {SCHEMA}.message_media as media
        join {SCHEMA}.messages on messages.sid = media.message_sid
        union all
        select content_type, null from {SCHEMA}.mcs_media
    ) as media
    group by content_type
    order by count(*) desc, content_type
    limit 15
"""


class Arrived(NamedTuple):
    """What a run brought into one table."""

    table: str
    rows: int
    came: int
    oldest: str | None


def present(database: Postgres) -> dt.datetime:
    """The present of the database's clock, in UTC as all its times."""
    now: dt.datetime = database.query("select clock_timestamp()::timestamp")[0][0]
    return now


def arrived_since(database: Postgres, start: dt.datetime) -> list[Arrived]:
    """Per table: its rows, how many a run since then wrote, and the date of the oldest of those."""
    existing = database.query(
        "select table_name from information_schema.tables where table_schema = %s", [SCHEMA]
    )
    return [
        Arrived(
            table,
            *database.query(
                f"""
                select count(*), count(*) filter (where _sdc_batched_at >= %s),
                    to_char(min({date}) filter (where _sdc_batched_at >= %s), '{MINUTE}')
                from {SCHEMA}.{table}
                """,
                [start, start],
            )[0],
        )
        for table, date in DATES.items()
        if (table,) in existing
    ]


def media(database: Postgres) -> list[tuple[Any, ...]]:
    """How many files of a content type came in, went out, and lie in conversations."""
    return database.query(MEDIA)


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows under a header: text to the left, numbers to the right."""
    cells = [["-" if value is None else _cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    numbers = [
        all(isinstance(value, int) for value in column) for column in zip(*rows, strict=True)
    ]

    def line(values: Sequence[str]) -> str:
        aligned = (
            value.rjust(width) if number else value.ljust(width)
            for value, width, number in zip(values, widths, numbers, strict=True)
        )
        return "  " + "   ".join(aligned).rstrip()

    rule = ["─" * width for width in widths]
    return "\n".join(map(line, [list(header), rule, *cells]))


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
