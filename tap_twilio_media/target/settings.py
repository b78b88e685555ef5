"""The settings of the target: those of the tap by which files are had."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from tap_twilio_media.settings import FILES, IDENTITY, MEDIA_HOSTS, NETWORK, SUBACCOUNTS

TARGET_SCHEMA: dict[str, Any] = th.PropertiesList(
    *IDENTITY,
    SUBACCOUNTS,
    *NETWORK,
    MEDIA_HOSTS,
    *FILES,
    th.Property(
        "dry_run",
        th.BooleanType,
        default=False,
        title="Dry run",
        description="Count what would be downloaded; ask for nothing, write nothing, no state.",
    ),
).to_dict()
"""JSON Schema of the settings, as `--about` shows it."""

SHARED: dict[str, Any] = dict(TARGET_SCHEMA["properties"])
"""Those that the tap's variables set for the target, too; not stream_maps, as what the tap has
mapped must not be mapped again."""
