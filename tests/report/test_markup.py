"""The markup of a page, whatever the marts hold: parsed and compared with what we write."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tap_twilio_media.gallery.texts import cleaned
from tap_twilio_media.report.figures import (
    Cost,
    Delivery,
    Duplicates,
    Expiring,
    Failure,
    Family,
    Media,
    Said,
    Sender,
    Stored,
)
from tap_twilio_media.report.page import Form, page
from tap_twilio_media.report.periods import Period
from tests.report.reading import Page

DAY = dt.date(2026, 8, 4)
DRAWN = frozenset({"svg", "g", "line", "path", "rect", "text", "tspan", "title"})
TAGS = DRAWN | frozenset(
    [
        *("html", "head", "meta", "style", "body", "a", "header", "main", "footer", "section"),
        *("h1", "h2", "p", "dl", "dt", "dd", "div", "ul", "li", "span", "bdi", "details"),
        *("summary", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
    ]
)
ATTRIBUTES = frozenset(
    [
        *("lang", "charset", "http-equiv", "name", "content", "class", "href", "id", "role"),
        *("aria-label", "aria-labelledby", "tabindex", "scope", "viewbox", "width", "height"),
        *("d", "x", "y", "x1", "x2", "y1", "y2", "dx", "dy", "transform", "fill", "stroke"),
        *("fill-opacity", "opacity", "stroke-width", "stroke-miterlimit", "text-anchor"),
    ]
)
DRAWABLE = re.compile(r"[\w ,.:()+%-]*", re.ASCII)

HOSTILE = st.sampled_from(
    [
        *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onload='x", "-->"),
        *("</title></svg><svg/onload=x>", "</style>", "&lt;b&gt;", "]]>", "\u202egnp", "\x00\x1b"),
        *(
            "\ud800",
            "\u2028",
            "\\",
            '"] + alert(1) + ["',
            "${x}",
            "datum.told",
            "__proto__",
            "a\nb",
        ),
        *(
            "constructor",
            "url(http://127.0.0.1/x)",
            "javascript:alert(1)",
            "",
            " ",
            "null",
            "\ufffe",
        ),
    ]
)
TEXT = HOSTILE | st.text(max_size=30)
COUNT = st.integers(1, 10**12)
SAID = st.builds(
    lambda names, count: Said(
        stretch=Period(DAY - dt.timedelta(days=2), DAY),
        today=DAY,
        accounts=1,
        media=[Media(DAY, name, count) for name in names],
        families=[Family(name, count, 1, count) for name in names],
        senders=[Sender(name, count, 1, count) for name in names],
        all_senders=count,
        deliveries=[Delivery(name, names[0], names[-1], count) for name in names],
        failures=[Failure(count, name, count) for name in names],
        costs=[Cost(names[0], name, names[-1], count, 1, Decimal(count)) for name in names],
        growth=[Stored(DAY, count, count, 1, 1)],
        expiring=[Expiring(DAY, count, 0, None)],
        duplicates=Duplicates(1, 2, count),
    ),
    st.lists(TEXT, min_size=1, max_size=4, unique=True),
    COUNT,
)


# Each example is six plots in two or three widths.
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(SAID, TEXT)
def test_holds_only_what_we_write(said: Said, title: str) -> None:
    form = Form(title, "now", lambda sender: sender or "", plain=True)
    markup = "".join(page(said, form))
    markup.encode()
    parsed = Page(markup)
    assert {tag for tag, _ in parsed.tags} <= TAGS
    assert {name for _, attributes in parsed.tags for name in attributes} <= ATTRIBUTES
    assert [tag for tag, _ in parsed.tags].count("section") == 6
    for tag, attributes in parsed.tags:
        assert attributes.get("href") in {None, "#report"}
        if tag in DRAWN:
            for name in set(attributes) - {"aria-label"}:
                assert DRAWABLE.fullmatch(attributes[name] or ""), (name, attributes[name])
    # What others chose is there as it was, but for characters that no page may hold.
    wanted = {cleaned(sender.sender or "") for sender in said.senders}
    assert set(parsed.rows("senders-table")) == wanted
    told = Counter(
        f"{cleaned(family.family) or 'unknown'}: {family.bytes:,} bytes" for family in said.families
    )
    for words, times in told.items():
        assert parsed.titles.count(words) == 2 * times
    # Nothing is said on hovering but what we say: names, days, figures.
    assert not [words for words in parsed.titles if "axis" in words.lower() or "UTC" in words]
