"""The command `twilio-media-report`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tap_twilio_media.errors import TapError
from tap_twilio_media.gallery.texts import counted
from tap_twilio_media.report.places import URL, place_of
from tap_twilio_media.report.report import DAYS, SCHEMA, TITLE, Wishes, write_report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_twilio_media.report.figures import Said

_ENV = "MEDIA_REPORT_"
_OUTPUT = "twilio-media-report.html"
_MOST_DAYS = 3_660


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Raises:
        SystemExit: With 1 and one line on stderr when it failed, 2 when it was called wrongly.
    """
    options = parser().parse_args(arguments)
    salt = os.environ.get(f"{_ENV}SALT") or None
    wishes = Wishes(options.days, options.title, options.schema, salt, options.show_senders)
    try:
        said = write_report(place_of(options.database_url, os.environ), options.output, wishes)
    except (TapError, OSError) as error:
        sys.exit(f"twilio-media-report: {_reason(error)}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.stdout.write(f"{_told(said)}: {options.output}\n")


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line; the environment gives the defaults."""
    options = argparse.ArgumentParser(
        prog="twilio-media-report",
        description="Make a page of plots and tables from the marts that dbt builds. It runs no"
        " scripts and loads nothing from elsewhere.",
        epilog=f"Every option can be set in the environment: {_ENV}DAYS and so on. {_ENV}SALT, a"
        " secret of 16 characters or more, gives senders the same names on every page.",
    )
    options.add_argument(
        "--database-url",
        metavar="URL",
        help="postgresql://... or the path of a DuckDB file. A password is better given in the"
        f" environment, where others on this machine do not see it: as {URL}, or with the"
        " variables of target-postgres (TARGET_POSTGRES_...), which are read too",
    )
    options.add_argument(
        "--schema",
        default=_default("SCHEMA", os.environ.get("DBT_SCHEMA") or SCHEMA),
        help="the schema of the marts (default: %(default)s)",
    )
    options.add_argument(
        "--days",
        type=_days,
        default=_default("DAYS", str(DAYS)),
        metavar="N",
        help="how many days, up to the newest (default: %(default)s)",
    )
    options.add_argument(
        "--output",
        type=Path,
        default=_default("OUTPUT", _OUTPUT),
        metavar="FILE",
        help="the page (default: %(default)s)",
    )
    options.add_argument(
        "--title",
        default=_default("TITLE", TITLE),
        help="its heading (default: %(default)s)",
    )
    options.add_argument(
        "--show-senders",
        action=argparse.BooleanOptionalAction,
        default=_default("SHOW_SENDERS", "").lower() in {"1", "true", "yes"},
        help="show senders as they are, in place of hashes with a secret key",
    )
    return options


def _default(name: str, otherwise: str) -> str:
    return os.environ.get(_ENV + name) or otherwise


def _days(text: str) -> int:
    try:
        days = int(text)
    except ValueError:
        days = 0
    if not 1 <= days <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"a number from 1 to {_MOST_DAYS:,} is wanted")
    return days


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        # Both the temporary page and its final name are known to the system, the user knows one.
        name = error.filename2 or error.filename
        return f"{error.strerror or error}: {name}" if name else str(error)
    return str(error)


def _told(said: Said) -> str:
    if not said.stretch:
        return "no messages and no media yet"
    media = sum(row.media for row in said.media)
    messages = sum(row.messages for row in said.deliveries)
    first, last = said.stretch
    return f"{first} to {last}, {counted(messages, 'message')}, {counted(media, 'file')}"


if __name__ == "__main__":
    main()
