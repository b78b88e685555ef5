"""Marts to make reports of: the tables that dbt builds, with rows of an account made up here."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "analytics"
TODAY = dt.date(2026, 8, 4)
DAY = dt.timedelta(days=1)

# As PostgreSQL and DuckDB both understand it.
COLUMNS = {
    "media_items": """
        media_sid text, service text, account_sid text, chat_service_sid text,
        conversation_sid text, message_sid text, direction text, channel text, sender text,
        receiver text, content_type text, content_family text, size_bytes bigint, file_path text,
        file_sha256 text, file_status text, created_at timestamp, created_date date,
        message_status text, message_price numeric(38, 10), price_share numeric(38, 10),
        price_unit text, media_count bigint, loaded_at timestamp
    """,
    "media_usage_daily": """
        day date, account_sid text, service text, channel text, direction text,
        content_family text, price_unit text, messages bigint, media bigint, bytes bigint,
        media_with_bytes bigint, media_stored bigint, bytes_stored bigint, senders bigint,
        failures bigint, cost numeric(38, 10), loaded_at timestamp
    """,
    "message_delivery_daily": """
        day date, account_sid text, direction text, channel text, status text, error_code bigint,
        price_unit text, messages bigint, segments bigint, cost numeric(38, 10),
        cost_per_segment numeric(38, 10), loaded_at timestamp
    """,
    "media_duplicates": """
        file_sha256 text, content_family text, copies bigint, accounts bigint, bytes_each bigint,
        bytes_saved bigint, first_seen_at timestamp, last_seen_at timestamp
    """,
    "storage_growth": """
        day date, account_sid text, media_added bigint, bytes_added bigint, media_total bigint,
        bytes_total bigint, stored_added bigint, stored_bytes_added bigint, stored_total bigint,
        stored_bytes_total bigint, expires_on date, expiring_media bigint, expiring_bytes bigint,
        expiring_bytes_estimate bigint, as_of date
    """,
}

Rows = dict[str, list[dict[str, Any]]]


def made_up(days: int = 120, seed: int = 7, per_day: int = 6) -> Rows:
    """Return an account's rows, of all channels, for the days up to TODAY and for what expires."""
    chance = random.Random(seed)  # noqa: S311 - nothing is secret here
    rows: Rows = {name: [] for name in COLUMNS}
    senders = [f"+1555{chance.randrange(10**7):07}" for _ in range(20)]
    media = bytes_ = stored = stored_bytes = 0
    for ago in reversed(range(days)):
        day = TODAY - DAY * ago
        added = [
            _media_item(chance, day, chance.choice(senders), f"ME{ago:016x}{number:016x}")
            for number in range(chance.randrange(per_day + (6 if day.weekday() < 5 else 0)))
        ]
        rows["media_items"] += added
        rows["media_usage_daily"] += [_usage(row) for row in added]
        rows["message_delivery_daily"] += _deliveries(chance, day)
        sizes = [row["size_bytes"] or 0 for row in added]
        kept = [row["size_bytes"] for row in added if row["file_status"] == "stored"]
        media, bytes_ = media + len(added), bytes_ + sum(sizes)
        stored, stored_bytes = stored + len(kept), stored_bytes + sum(kept)
        rows["storage_growth"].append(
            growth(day, media, bytes_, stored, stored_bytes)
            | {
                "media_added": len(added),
                "bytes_added": sum(sizes),
                "stored_added": len(kept),
                "stored_bytes_added": sum(kept),
            }
        )
    for ahead in range(1, 31, 2):
        day = TODAY + DAY * (ahead - 400)
        rows["storage_growth"].append(
            growth(day, 0, 0, 0, 0)
            | {
                "expiring_media": ahead % 7 + 1,
                "expiring_bytes": 0,
                "expiring_bytes_estimate": (ahead % 7 + 1) * 123_457,
            }
        )
    rows["media_duplicates"] = [
        {"file_sha256": f"{n:064x}", "content_family": "image", "copies": n + 2, "accounts": 1}
        | {"bytes_each": 250_000, "bytes_saved": 250_000 * (n + 1)}
        for n in range(3)
    ]
    return rows


def growth(day: dt.date, media: int, size: int, stored: int, stored_size: int) -> dict[str, Any]:
    """Return a row of storage_growth by its totals."""
    return {
        "day": day,
        "account_sid": "AC1",
        "media_total": media,
        "bytes_total": size,
        "stored_total": stored,
        "stored_bytes_total": stored_size,
        "expires_on": day + 400 * DAY,
        "expiring_media": 0,
        "expiring_bytes": 0,
        "expiring_bytes_estimate": 0,
        "as_of": TODAY,
    }


def _media_item(chance: random.Random, day: dt.date, sender: str, sid: str) -> dict[str, Any]:
    channel = chance.choices(("mms", "whatsapp", "chat", "rcs", "sms"), (8, 6, 4, 1, 1))[0]
    family = chance.choices(("image", "video", "audio", "document", "text"), (9, 2, 2, 1, 1))[0]
    is_stored = chance.random() < 0.6
    most = 9_000_000 if family == "video" else 900_000
    size = chance.randrange(20_000, most) if is_stored or channel == "chat" else None
    return {
        "media_sid": sid,
        "service": "conversation" if channel == "chat" else "message",
        "account_sid": "AC1",
        "message_sid": f"MM{sid[2:]}",
        "direction": "unknown" if channel == "chat" else chance.choice(("inbound", "outbound-api")),
        "channel": channel,
        "sender": f"whatsapp:{sender}" if channel == "whatsapp" else sender,
        "content_family": family,
        "size_bytes": size,
        "file_status": "stored" if is_stored else None,
        "created_at": dt.datetime.combine(day, dt.time(12)),
        "created_date": day,
    }


def _usage(item: dict[str, Any]) -> dict[str, Any]:
    same = ("account_sid", "service", "channel", "direction", "content_family")
    size, is_stored = item["size_bytes"], item["file_status"] == "stored"
    return {name: item[name] for name in same} | {
        "day": item["created_date"],
        "messages": 1,
        "media": 1,
        "bytes": size or 0,
        "media_with_bytes": int(size is not None),
        "media_stored": int(is_stored),
        "bytes_stored": size if is_stored else 0,
        "senders": 1,
        "failures": 0,
    }


def _deliveries(chance: random.Random, day: dt.date) -> list[dict[str, Any]]:
    ends = (("delivered", None), ("sent", None), ("undelivered", 30005), ("read", None))
    kinds = [("outbound-api", status, code) for status, code in ends]
    kinds += [("inbound", "received", None), ("outbound-reply", "failed", 21610)]
    rows = []
    for channel in ("sms", "mms", "whatsapp"):
        for direction, status, code in kinds:
            messages = chance.randrange(9 if code is None else 2)
            if messages:
                priced = status not in {"failed", "sent"}
                cost = Decimal(messages) * Decimal("0.0079") if priced else None
                rows.append(
                    {
                        "day": day,
                        "account_sid": "AC1",
                        "direction": direction,
                        "channel": channel,
                        "status": status,
                        "error_code": code,
                        "price_unit": ("EUR" if channel == "sms" else "USD") if priced else None,
                        "messages": messages,
                        "segments": messages + messages // 2,
                        "cost": cost,
                        "cost_per_segment": None,
                    }
                )
    return rows


def statements(rows: Rows, schema: str = SCHEMA) -> list[str]:
    """Return the SQL that makes the marts and fills them, for either database."""
    made = [f'create schema if not exists "{schema}"']
    for name, columns in COLUMNS.items():
        table = f'"{schema}".{name}'
        made += [f"drop table if exists {table}", f"create table {table} ({columns})"]
        # Rows of different shapes each in a statement of their own.
        by_shape: dict[str, list[str]] = {}
        for row in rows.get(name, []):
            values = ", ".join(map(_literal, row.values()))
            by_shape.setdefault(", ".join(row), []).append(f"({values})")
        made += [
            f"insert into {table} ({shape}) values {', '.join(values)}"
            for shape, values in by_shape.items()
        ]
    return made


def write_duckdb(path: Path, rows: Rows, schema: str = SCHEMA) -> Path:
    """Write the marts into a new DuckDB file and return its path."""
    with duckdb.connect(path) as connection:
        connection.execute("begin; " + "; ".join(statements(rows, schema)) + "; commit")
    return path


def _literal(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, (int, Decimal)):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"
