"""Reading a whole list even when rows vanish under the reader."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_twilio_media.client.errors import PageLostError
from tap_twilio_media.errors import TapError
from tap_twilio_media.texts import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_twilio_media.client.pages import Page

PAGES_REMEMBERED = 20
"""Of a list that is taken up a little above where it was lost, so many pages are enough to tell
rows that come again; remembering all would grow with the list."""

LOSSES_BEARABLE = 4
"""How often one list may lose its place; the fifth time something else is wrong."""


class ForeignRowError(TapError):
    """Twilio answered with a row of another account. It is never taken for data."""


def without_loss(
    open_list: Callable[[], Iterator[Page]], remembered: int | None = None
) -> Iterator[Page]:
    """Yield the pages of a list with each row once, opening it again when a page is lost.

    A page is lost when the row that its PageToken points at was deleted meanwhile.

    Args:
        open_list: Opens the list anew, at its top or wherever every row not yet seen is met.
        remembered: So many pages are remembered to tell rows that come again; None: all.

    Raises:
        PageLostError: It happened five times.
    """
    seen: deque[set[str]] = deque(maxlen=remembered)
    losses = 0
    while True:
        try:
            for page in open_list():
                rows = page.rows
                if losses:
                    rows = [row for row in rows if not any(row.get("sid") in sids for sids in seen)]
                seen.append({row["sid"] for row in rows if "sid" in row})
                yield replace(page, rows=rows)
        except PageLostError:  # noqa: PERF203 - once a list, not once a row
            losses += 1
            if losses > LOSSES_BEARABLE:
                raise
        else:
            return


def check_account(row: dict[str, Any], account_sid: str, what: str) -> None:
    """Refuse a row that names another account than the one asked for.

    Raises:
        ForeignRowError: It does.
    """
    if row.get("account_sid") not in (None, account_sid):
        sid = told(row.get("sid"))
        msg = f"{what} {sid}: Twilio sent a row of another account than {account_sid}"
        raise ForeignRowError(msg)
