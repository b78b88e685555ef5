"""Making the contact sheet of an archive."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timezone
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from tap_twilio_media.gallery.catalogue import Catalogue, Totals
from tap_twilio_media.gallery.links import is_present
from tap_twilio_media.gallery.manifests import entries_in, manifests_of
from tap_twilio_media.gallery.page import Sheet, page
from tap_twilio_media.gallery.paging import PAGE_SIZE, page_name, page_sizes
from tap_twilio_media.gallery.texts import day_text
from tap_twilio_media.gallery.writing import remove_stale, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_twilio_media.gallery.entries import Entry


class Made(NamedTuple):
    """What came of it.

    Attributes:
        first: The first page.
        pages: How many pages there are.
        totals: The figures of the archive.
        unread: Lines of the manifests that could not be read.
    """

    first: Path
    pages: int
    totals: Totals
    unread: int


def write_sheet(archive: Path, page_size: int = PAGE_SIZE) -> Made:
    """Write the contact sheet of an archive into it: `index.html`, `index-2.html` and so on.

    Args:
        archive: The folder that files were downloaded to, the manifests in it.
        page_size: The most files of a page.

    Raises:
        ArchiveError: There is no such folder, or no manifest in it.
        OSError: A manifest cannot be read or a page not be written.
    """
    manifests = manifests_of(archive)
    unread = 0

    def entries() -> Iterator[Entry]:
        nonlocal unread
        for manifest in manifests:
            for entry in entries_in(manifest):
                if entry:
                    yield entry
                else:
                    unread += 1

    with Catalogue() as catalogue:
        catalogue.add(entries())
        catalogue.look_for_files(partial(is_present, archive))
        totals = catalogue.totals()
        sizes = page_sizes((count for _, count in catalogue.days()), page_size)
        now = datetime.now(timezone.utc)
        told = f"Newest first, times in UTC. Made on {day_text(f'{now:%Y-%m-%d}')} at {now:%H:%M}."
        sheet = Sheet(totals, len(sizes), told)
        with closing(catalogue.items()) as items:
            for number, size in enumerate(sizes, start=1):
                parts = page(sheet, number, list(islice(items, size)))
                write_whole(archive / page_name(number), parts)
        remove_stale(archive, len(sizes))
    return Made(archive / page_name(1), len(sizes), totals, unread)
