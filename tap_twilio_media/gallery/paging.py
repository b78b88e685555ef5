"""Which files come on which page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE_SIZE = 2_000
"""Files; what a browser still scrolls through with ease."""


def page_sizes(days: Iterable[int], limit: int = PAGE_SIZE) -> list[int]:
    """Return how many files each page has: whole days, unless a day alone is more than a page.

    Args:
        days: How many files each day has, in the order of the pages.
        limit: The most files of a page.

    Returns:
        At least one number; 0 only where there are no files at all.
    """
    sizes = [0]
    for count in days:
        rest = count
        if sizes[-1] and sizes[-1] + rest > limit:
            sizes.append(0)
        while rest:
            taken = min(rest, limit - sizes[-1])
            sizes[-1] += taken
            rest -= taken
            if rest:
                sizes.append(0)
    return sizes


def page_name(number: int) -> str:
    """Return the file name of a page; the first is 1."""
    return "index.html" if number == 1 else f"index-{number}.html"
