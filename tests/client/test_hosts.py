"""Where requests go: the hosts of a region and edge, and links under a base URL."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_twilio_media.client.hosts import Hosts, join


@pytest.mark.parametrize(
    ("region", "edge", "where", "mcs"),
    [
        (None, None, "", "us1"),
        ("", "", "", "us1"),
        ("ie1", None, ".ie1", "ie1"),
        ("us1", None, ".us1", "us1"),
        (None, "dublin", ".dublin.us1", "us1"),
        ("ie1", "dublin", ".dublin.ie1", "ie1"),
        ("au1", "sydney", ".sydney.au1", "au1"),
    ],
)
def test_hosts_follow_region_and_edge(
    region: str | None, edge: str | None, where: str, mcs: str
) -> None:
    assert Hosts.of(region, edge) == Hosts(
        api=f"https://api{where}.twilio.com",
        conversations=f"https://conversations{where}.twilio.com",
        mcs=f"https://mcs.{mcs}.twilio.com",
    )


@pytest.mark.parametrize(
    ("base", "link", "address"),
    [
        ("https://h", "/a.json", "https://h/a.json"),
        ("https://h/", "/a.json", "https://h/a.json"),
        ("https://h", "a.json", "https://h/a.json"),
        ("https://h", "/a.json?Page=1&PageToken=PA1", "https://h/a.json?Page=1&PageToken=PA1"),
        ("https://h", "/a?DateSent%3E=x%20y", "https://h/a?DateSent%3E=x%20y"),
        ("https://h", "https://other/a?b=c", "https://h/a?b=c"),
        ("https://h", "http://u:p@other:81/a?b=c#d", "https://h/a?b=c"),
        ("https://h", "//other/a", "https://h/a"),
        ("https://h", "@other/a", "https://h/@other/a"),
        ("https://h", ".other/a", "https://h/.other/a"),
        ("https://h", ":81/a", "https://h/:81/a"),
        ("https://h:8443", "https://other/a", "https://h:8443/a"),
        ("https://h", "https://other", "https://h/"),
        ("https://h/p", "/a", "https://h/p/a"),
        ("https://h/p/", "/a", "https://h/p/a"),
        ("https://h/p", "/p/a", "https://h/p/a"),
        ("https://h/p/q", "/p/q/a?b=c", "https://h/p/q/a?b=c"),
        ("https://h/p/q", "https://other/p/q/a?b=c", "https://h/p/q/a?b=c"),
        # What only begins like the prefix is no prefix, and it is taken off once alone.
        ("https://h/p", "/parts/a", "https://h/p/parts/a"),
        ("https://h/p", "/p/p/a", "https://h/p/p/a"),
        ("https://h/p/q", "/q/a", "https://h/p/q/q/a"),
        ("https://h/p", "/a/p/b", "https://h/p/a/p/b"),
    ],
)
def test_a_link_is_joined_to_its_base(base: str, link: str, address: str) -> None:
    assert join(base, link) == address


ORIGINS = st.sampled_from(["https://h.example", "http://127.0.0.1:8080", "https://[::1]:1"])
SEGMENTS = st.text("abcXYZ019-_.~%", min_size=1, max_size=5)
PREFIXES = st.lists(SEGMENTS, max_size=3).map(lambda parts: "".join(f"/{part}" for part in parts))
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
# Square brackets in a host are for urlsplit to refuse.
LINKS = st.text(st.characters(exclude_characters="[]", exclude_categories=["Cs"]))


def origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


@given(ORIGINS, PREFIXES, st.sampled_from(["", "/"]), LINKS.filter(lambda link: "//" not in link))
def test_no_link_leads_elsewhere(base: str, prefix: str, slash: str, link: str) -> None:
    address = join(base + prefix + slash, link)
    assert address.startswith(f"{base}{prefix}/")
    assert origin(address) == origin(base)


@given(ORIGINS, PREFIXES, st.sampled_from(["https://evil", "//evil", "http://u:p@evil:1"]), PATHS)
def test_no_absolute_link_leads_elsewhere(base: str, prefix: str, other: str, path: str) -> None:
    address = join(base + prefix, other + path)
    assert origin(address) == origin(base)
    assert "evil" not in address


@given(ORIGINS, PREFIXES, PATHS, st.sampled_from(["", "?a=b", "?a=%2Fp&b=/c"]))
def test_a_prefix_is_kept_once(base: str, prefix: str, path: str, query: str) -> None:
    if prefix and path.startswith(f"{prefix}/"):
        path = "/z" + path
    address = f"{base}{prefix}{path}{query}"
    # The proxy may show its own path in the links, or Twilio's.
    assert join(base + prefix, path + query) == address
    assert join(base + prefix, prefix + path + query) == address
    assert join(base + prefix, address) == address
