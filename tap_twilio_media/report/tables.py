"""Figures in rows and columns: exact, to be compared and copied."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from tap_twilio_media.gallery.texts import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    Cell = str | int | Decimal | None
    """A text, a number, or nothing: not known, or not to be told."""

_LONGEST_LINE = 30
"""Letters; a longer name goes on in the next line."""
_NOTHING = "\N{EN DASH}"
FEWEST_DECIMALS = 2
"""Of money."""


class Table(NamedTuple):
    """Figures for the page.

    Attributes:
        name: Its id on the page.
        caption: What it shows.
        header: The names of its columns; the first names the rows.
        rows: A cell for each column.
        total: A last row, if there is one.
        folded: Whether it is shown only when it is asked for.
    """

    name: str
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    total: Sequence[Cell] | None = None
    folded: bool = False


def table(of: Table) -> str:
    """Return a table as markup."""
    columns = list(zip(*of.rows, strict=True)) or [()] * len(of.header)
    formats = [_Format.of(column, is_name=n == 0) for n, column in enumerate(columns)]
    header = "".join(
        f'<th scope="col"{each.css_of(name)}>{escaped(name)}</th>'
        for name, each in zip(of.header, formats, strict=True)
    )
    body = "".join(f"<tr>{_cells(row, formats)}</tr>\n" for row in of.rows)
    foot = f"<tfoot><tr>{_cells(of.total, formats)}</tr></tfoot>\n" if of.total else ""
    caption = escaped(of.caption)
    # Scrolls by itself where it is too wide, by keyboard as well.
    whole = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{caption}">'
        f'<table id="{of.name}">\n<caption>{caption}</caption>\n'
        f"<thead><tr>{header}</tr></thead>\n<tbody>\n{body}</tbody>\n{foot}</table></div>\n"
    )
    if not of.folded:
        return whole
    return f"<details><summary>Table: {caption}</summary>\n{whole}</details>\n"


def exact(amount: Decimal, decimals: int = FEWEST_DECIMALS) -> str:
    """Return an amount of money with all its decimals, and at least so many."""
    whole, _, rest = f"{amount:,f}".partition(".")
    return f"{whole}.{rest.rstrip('0').ljust(decimals, '0')}"


class _Format(NamedTuple):
    """How the cells of a column are written.

    Attributes:
        is_text: Whether there is a text among them; else they are numbers, to the right.
        decimals: How many decimals its amounts of money have at least, so that they line up.
    """

    is_text: bool
    decimals: int

    @classmethod
    def of(cls, column: Sequence[Cell], *, is_name: bool) -> _Format:
        is_text = is_name or any(isinstance(cell, str) for cell in column)
        amounts = [exact(cell) for cell in column if isinstance(cell, Decimal)]
        decimals = [len(amount.partition(".")[2]) for amount in amounts]
        return cls(is_text, max(decimals, default=FEWEST_DECIMALS))

    def told(self, cell: Cell) -> str:
        if cell is None:
            return _NOTHING
        if isinstance(cell, int):
            return f"{cell:,}"
        return exact(cell, self.decimals) if isinstance(cell, Decimal) else cell

    def css_of(self, text: str) -> str:
        classes = [] if self.is_text else ["n"]
        if len(text) > _LONGEST_LINE:
            classes.append("long")
        return f' class="{" ".join(classes)}"' if classes else ""


def _cells(row: Sequence[Cell], formats: Sequence[_Format]) -> str:
    cells = []
    for number, (cell, each) in enumerate(zip(row, formats, strict=True)):
        text = each.told(cell)
        tag, scope = ("td", "") if number else ("th", ' scope="row"')
        cells.append(f"<{tag}{scope}{each.css_of(text)}><bdi>{escaped(text)}</bdi></{tag}>")
    return "".join(cells)
