"""Figures, each with its target and what it is measured against, as a table in a terminal."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """What is compared, the figure, the values behind it, its bounds, and how it is written."""

    what: str
    value: float
    note: str
    most: float | None = None
    least: float | None = None
    form: str = "{:.2f} x"

    def cells(self) -> tuple[str, ...]:
        """Return its line of the table."""
        target = verdict = ""
        if self.most is not None:
            target = "≤ " + self.form.format(self.most)
            verdict = "ok" if self.value <= self.most else "missed"
        elif self.least is not None:
            target = "≥ " + self.form.format(self.least)
            verdict = "ok" if self.value >= self.least else "missed"
        return self.what, self.form.format(self.value), target, verdict, self.note


def show(title: str, figures: list[Figure]) -> None:
    """Print a table."""
    rows = [("", "figure", "target", "", "measured"), *(figure.cells() for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print(f"\n{title}")
    for row in rows:
        cells = [
            f"{cell:>{width}}" if column in {1, 2} else f"{cell:<{width}}"
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print(("  " + "  ".join(cells)).rstrip(), flush=True)
