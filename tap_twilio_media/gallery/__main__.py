"""The command `twilio-media-index`."""

from __future__ import annotations

import argparse
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tap_twilio_media.errors import TapError
from tap_twilio_media.gallery.sheet import Made, write_sheet
from tap_twilio_media.gallery.texts import counted

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Raises:
        SystemExit: With 1 and one line on stderr when it failed, 2 when it was called wrongly.
    """
    parser = argparse.ArgumentParser(
        prog="twilio-media-index",
        description="Make a contact sheet of downloaded media: index.html in their folder, to be"
        " opened in any browser. It runs no scripts and loads nothing from elsewhere.",
        epilog="Run it again after a download; it replaces what it wrote before.",
    )
    parser.add_argument(
        "output_path", metavar="OUTPUT_PATH", type=Path, help="the folder of the downloads"
    )
    archive = parser.parse_args(arguments).output_path
    try:
        made = write_sheet(archive)
    except (TapError, OSError, sqlite3.Error) as error:
        sys.exit(f"twilio-media-index: {_reason(error)}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.stdout.write(_told(made) + "\n")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        # Both the temporary page and its final name are known to the system, the user knows one.
        name = error.filename2 or error.filename
        return f"{error.strerror or error}: {name}" if name else str(error)
    if isinstance(error, sqlite3.Error):
        return f"the temporary table failed, is the disk of the temporary folder full? ({error})"
    return str(error)


def _told(made: Made) -> str:
    totals = made.totals
    parts = [counted(totals.present, "file")]
    if totals.not_stored:
        parts.append(f"{totals.not_stored:,} not stored")
    if totals.missing:
        parts.append(f"{totals.missing:,} missing")
    if made.unread:
        parts.append(counted(made.unread, "unreadable line"))
    where = (
        f"{made.first}"
        if made.pages == 1
        else f"{made.first} and {counted(made.pages - 1, 'more page', 'more pages')}"
    )
    return f"{', '.join(parts)}: {where}"


if __name__ == "__main__":
    main()
