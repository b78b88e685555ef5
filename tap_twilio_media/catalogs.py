"""An incoming catalog, with what a user must not lose put right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL

from tap_twilio_media.bookmarks import REPLICATION_KEY
from tap_twilio_media.streams.base import PRIMARY_KEYS

if TYPE_CHECKING:
    from collections.abc import Collection

    from singer_sdk.singerlib import Catalog


def mend(catalog: Catalog, incremental: Collection[str]) -> None:
    """Give every entry of a catalog the keys of its stream.

    A catalog that lacks them, made by hand or by an older tool, would silently make a stream
    keyless or full-table. A user may still force an incremental stream to FULL_TABLE.

    Args:
        catalog: A Singer catalog; changed in place.
        incremental: Names of the streams that have a bookmark.
    """
    for entry in catalog.values():
        entry.key_properties = list(PRIMARY_KEYS)
        if entry.tap_stream_id in incremental:
            entry.replication_key = REPLICATION_KEY
            if entry.replication_method != REPLICATION_FULL_TABLE:
                entry.replication_method = REPLICATION_INCREMENTAL
        else:
            entry.replication_key = None
            entry.replication_method = REPLICATION_FULL_TABLE
