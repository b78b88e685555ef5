"""The markup of a page, whatever the manifests hold: parsed and compared with what we write."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from tap_twilio_media.gallery.catalogue import Catalogue, Item, Totals
from tap_twilio_media.gallery.entries import Entry, entry_of
from tap_twilio_media.gallery.kinds import linked, shown
from tap_twilio_media.gallery.links import address, is_present
from tap_twilio_media.gallery.page import Sheet, page
from tap_twilio_media.gallery.texts import escaped, sized

if TYPE_CHECKING:
    from pathlib import Path

TAGS = frozenset(
    [
        *("html", "head", "meta", "title", "style", "body", "a", "header", "div", "h1", "h2", "h3"),
        *("p", "dl", "dt", "dd", "nav", "details", "summary", "ul", "li", "main", "section"),
        *("small", "time", "code", "bdi", "span", "img", "audio", "video", "br"),
    ]
)
VOID = frozenset({"meta", "img", "br"})
ATTRIBUTES = frozenset(
    [
        *("lang", "charset", "http-equiv", "name", "content", "class", "href", "id", "aria-label"),
        *("aria-hidden", "datetime", "src", "alt", "loading", "decoding", "width", "height"),
        *("controls", "preload", "rel", "download", "tabindex", "title"),
    ]
)
ADDRESS = re.compile(r"\./[A-Za-z0-9_.~%/-]+|#(\d{4}-\d\d-\d\d|undated|files)|index(-\d+)?\.html")

HOSTILE = st.sampled_from(
    [
        *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onload='x", "-->"),
        *(
            "</style><svg/onload=x>",
            "&lt;b&gt;",
            "javascript:alert(1)",
            "//host/x.png",
            "\u202egnp",
        ),
        *("../../etc/passwd", "/etc/passwd", "a/../b.png", "C:\\x.png", "\x00.png", "a\r\nb: c"),
        *("data:text/html,x", "x.png?y#z", "http://host/x.png", "%2e%2e/x.png", "\ud800.jpg"),
    ]
)
TEXT = HOSTILE | st.text(max_size=40)
TYPES = TEXT | st.sampled_from(["image/png", 'audio/ogg; x="y', "video/mp4", "image/svg+xml"])
PATHS = TEXT | TEXT.map(lambda text: f"{text}.png") | st.just("AC/MM/ME.jpg")
DAYS = st.sampled_from(["2026-08-04T10:00:00Z", "2026-08-05T23:59:59.5Z"])
JSON = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.lists(TEXT, max_size=2)
ROWS = st.fixed_dictionaries(
    {"sid": TEXT.filter(bool)},
    optional={
        "date_created": DAYS | JSON,
        "message_sid": TEXT | JSON,
        "conversation_sid": TEXT | JSON,
        "filename": TEXT | JSON,
        "path": PATHS | JSON,
        "bytes": st.integers(0, 10**9) | JSON,
        "content_type": TYPES | JSON,
        "content_type_served": TYPES | JSON,
        "status": st.just("stored") | TEXT | JSON,
        "detail": TEXT | JSON,
    },
)


class Parsed(HTMLParser):
    """What a page is made of.

    Attributes:
        tags: Each start tag with its attributes.
        text: Everything between tags.
    """

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(markup)
        self.close()
        assert self._open == []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs)
        if tag not in VOID:
            self._open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        self.text += data

    @override
    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    @override
    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)


def markup_of(rows: list[dict[str, Any]]) -> str:
    """Make a page as if every file that may be linked were there."""
    entries = [entry for entry in map(entry_of, rows) if entry]
    with Catalogue() as catalogue:
        catalogue.add(entries)
        catalogue.look_for_files(may_be_linked)
        sheet = Sheet(catalogue.totals(), 3, "Made now.")
        return "".join(page(sheet, 2, list(catalogue.items())))


def may_be_linked(path: str) -> bool:
    """Tell whether a path stays inside the archive."""
    try:
        address(path)
    except ValueError:
        return False
    return True


@given(st.lists(ROWS, max_size=6))
def test_holds_only_what_we_write(rows: list[dict[str, Any]]) -> None:
    markup = markup_of(rows)
    markup.encode()
    parsed = Parsed(markup)
    assert {tag for tag, _ in parsed.tags} <= TAGS
    assert {name for _, attributes in parsed.tags for name in attributes} <= ATTRIBUTES
    for _, attributes in parsed.tags:
        for name in ("href", "src"):
            value = attributes.get(name)
            if value is not None:
                assert ADDRESS.fullmatch(value), value
                assert ".." not in value.split("/")
    last = {row["sid"].encode("utf-8", "replace"): row for row in rows}
    assert [tag for tag, _ in parsed.tags].count("li") - markup.count('<li><a href="#') == len(last)


@given(st.lists(ROWS, max_size=6))
def test_links_lead_to_nothing_that_runs(rows: list[dict[str, Any]]) -> None:
    for tag, attributes in Parsed(markup_of(rows)).tags:
        href = attributes.get("href") or ""
        if tag == "a" and href.startswith("./"):
            assert linked(href) in {"open", "save"}


@given(TEXT)
def test_a_name_is_read_back_as_it_was(name: str) -> None:
    entry = Entry("ME1", "", "", "Message", "MM1", name, "", None, "image/png", "failed", "")
    markup = "".join(page(Sheet(Totals(0, 0, 0, 1), 1, ""), 1, [Item(entry, present=False)]))
    expected = re.sub(r"&(amp|lt|gt|quot|#x27);", _unescaped, escaped(name))
    assert expected in Parsed(markup).text


def _unescaped(match: re.Match[str]) -> str:
    return {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "#x27": "'"}[match[1]]


@pytest.mark.parametrize(
    "path",
    ["", ".", "..", "../x.png", "a/../../x.png", "/etc/hostname", "//h/x.png", "a//b", "a/", "./x"],
)
def test_a_path_that_leaves_the_archive_is_no_address(tmp_path: Path, path: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "x.png").touch()
    assert not is_present(tmp_path / "a", path)
    with pytest.raises(ValueError, match="not a path inside"):
        address(path)


@pytest.mark.parametrize("path", ["a\x00b", "a" * 5_000, "\udcff/x", "folder"])
def test_what_is_no_file_is_not_present(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    assert not is_present(tmp_path, path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("AC/MM/ME.jpg", "./AC/MM/ME.jpg"),
        ("javascript:alert(1)", "./javascript%3Aalert%281%29"),
        ("a b#c?d%e.png", "./a%20b%23c%3Fd%25e.png"),
        ("ü\\x", "./%C3%BC%5Cx"),
        ('"><b', "./%22%3E%3Cb"),
    ],
)
def test_an_address_is_quoted(path: str, expected: str) -> None:
    assert address(path) == expected


@pytest.mark.parametrize(
    ("content_type", "path", "expected"),
    [
        ("image/png", "x.png", ("image", "open")),
        ("IMAGE/JPEG; q=1", "x.JPG", ("image", "open")),
        ("image/png", "x", ("image", "no")),
        ("image/png", "x.html", ("file", "no")),
        ("image/svg+xml", "x.svg", ("file", "no")),
        ("image/svg+xml", "x.png", ("file", "open")),
        ("text/html", "x.htm", ("file", "no")),
        ("application/xhtml+xml", "x.xhtml", ("file", "no")),
        ("text/xml", "x.xml", ("file", "no")),
        ("audio/ogg; codecs=opus", "x.ogg", ("audio", "open")),
        ("audio/amr", "x.amr", ("file", "save")),
        ("video/3gpp", "x.3gp", ("video", "save")),
        ("application/pdf", "x.pdf", ("file", "open")),
        ("", "x.bin", ("file", "save")),
        ("text/vcard", "x.tar.gz/x.vcf", ("file", "save")),
    ],
)
def test_how_a_file_appears(content_type: str, path: str, expected: tuple[str, str]) -> None:
    assert (shown(content_type, path), linked(path)) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (2_500_000_000, "2.5 GB"),
        (2**60, "1.2 EB"),
    ],
)
def test_sizes_are_read_with_ease(size: int, expected: str) -> None:
    assert sized(size) == expected
