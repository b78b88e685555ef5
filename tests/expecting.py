"""What the tap must emit for a row of Twilio, said a second time and independently."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.simulator import Simulator, World

Row = dict[str, Any]

SCHEMAS = {
    path.stem: json.loads(path.read_text())["properties"]
    for path in (Path(__file__).parents[1] / "schemas").glob("*.json")
}
_WITH_FRACTION = {
    "conversation_services",
    "conversations",
    "conversation_messages",
    "mcs_media",
}


def expected(
    sim: Simulator, stream: str, account_sids: Iterable[str] | None = None
) -> dict[str, Row]:
    """Return the records, by sid, that hold all that the simulator's Twilio holds.

    Args:
        sim: The simulator.
        stream: Name of the stream.
        account_sids: Whose; by default the main account's.
    """
    world = sim.world
    found: dict[str, Row] = {}
    for account_sid in account_sids or [world.account_sid]:
        for row in world.rows(stream, account_sid):
            added = _added(sim, world, stream, account_sid, row)
            found[row["sid"]] = _record(stream, {**row, **added})
    if stream == "accounts":
        return {sid: row for sid, row in found.items() if not account_sids or sid in account_sids}
    return found


def by_sid(records: Iterable[Row]) -> dict[str, Row]:
    """Return records by sid, the last of each."""
    return {record["sid"]: record for record in records}


def _added(sim: Simulator, world: World, stream: str, account_sid: str, row: Row) -> Row:
    if stream == "message_media":
        path = f"Accounts/{account_sid}/Messages/{row['parent_sid']}/Media/{row['sid']}"
        return {
            "message_sid": row["parent_sid"],
            "content_url": f"{sim.api_url}/2010-04-01/{path}",
        }
    if stream == "conversation_messages":
        conversations = world.rows("conversations", account_sid)
        services = {item["sid"]: item["chat_service_sid"] for item in conversations}
        return {"chat_service_sid": services[row["conversation_sid"]]}
    if stream == "mcs_media":
        conversation_sid, message_sid, service_sid = world.mcs_parents(row["sid"])
        return {
            "account_sid": account_sid,
            "conversation_sid": conversation_sid,
            "message_sid": message_sid,
            "chat_service_sid": service_sid,
            "filename": row.get("filename", row.get("file_name")),
        }
    return {}


def _record(stream: str, row: Row) -> Row:
    return {
        name: _value(stream, name, row.get(name), schema)
        for name, schema in SCHEMAS[stream].items()
    }


def _value(stream: str, name: str, value: Any, schema: Row) -> Any:  # noqa: ANN401 - any JSON
    if value is None:
        return None
    if name.startswith("date_"):
        value = _time(stream, value)
    elif name == "timers":
        value = {key: _time(stream, text) for key, text in value.items()}
    elif name == "price":
        value = Decimal(value)
    elif name in {"num_media", "num_segments"}:
        value = int(value)
    elif name == "links" and "properties" in schema:
        value = {key: value[key] for key in schema["properties"] if key in value}
    return value


def _time(stream: str, text: str) -> str:
    if "," in text:
        moment = parsedate_to_datetime(text)
    else:
        moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    moment = moment.astimezone(dt.timezone.utc).replace(tzinfo=None)
    return (
        moment.isoformat(timespec="microseconds" if stream in _WITH_FRACTION else "seconds") + "Z"
    )
