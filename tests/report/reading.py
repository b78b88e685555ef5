"""Reading a page as a machine does: its tables, and what it is made of."""

from __future__ import annotations

from html.parser import HTMLParser

from typing_extensions import override

VOID = frozenset({"meta"})


class Page(HTMLParser):
    """What a page holds; that every tag is closed in order is asserted on the way.

    Attributes:
        tags: Each start tag with its attributes.
        tables: The lines of each table by its id, header first, cells as texts.
        titles: What is said of marks on hovering.
        text: Everything between tags.
    """

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.titles: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self._table: list[list[str]] = []
        self.feed(markup)
        self.close()
        assert self._open == []

    def rows(self, table: str) -> dict[str, list[str]]:
        """Return the lines of a table without its header, by their names."""
        return {line[0]: line[1:] for line in self.tables[table][1:]}

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        assert len(attributes) == len(attrs)
        self.tags.append((tag, attributes))
        if tag == "table":
            self._table = self.tables.setdefault(attributes["id"] or "", [])
        elif tag == "tr":
            self._table.append([])
        elif tag in {"td", "th"}:
            self._table[-1].append("")
        elif tag == "title":
            self.titles.append("")
        if tag not in VOID:
            self._open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        self.text += data
        if self._open[-1:] == ["title"]:
            self.titles[-1] += data
        if {"td", "th"} & set(self._open):
            self._table[-1][-1] += data

    @override
    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    @override
    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)


def number(cell: str) -> int:
    """Return a whole number as it stands in a table."""
    return int(cell.replace(",", ""))
