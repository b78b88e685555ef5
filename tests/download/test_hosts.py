"""Which addresses files are fetched from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from tap_twilio_media.client.hosts import Hosts
from tap_twilio_media.download.hosts import AddressError, Routes, problem_of

API = "https://api.twilio.com"
HOSTS = Hosts(API, "http://127.0.0.1:8001", "https://proxy.example:8443/mcs")
ROUTES = Routes(HOSTS, ("media.example.com", "*.cdn.example", "localhost:9000", "[::1]:9001"))


@pytest.mark.parametrize(
    "url",
    [
        "https://mms.twiliocdn.com/AC/ME?Expires=1&Signature=x",
        "https://MEDIA.twiliocdn.com/x",
        "https://media.us1.twilio.com/ME?x",
        "https://media.twiliocdn.com:443/x",
        "https://s3-external-1.amazonaws.com/media.twiliocdn.com/AC/x",
        "https://api.twilio.com/x",
        "https://proxy.example:8443/elsewhere",
        "http://127.0.0.1:8001/x",
        "https://media.example.com/x",
        "https://media.example.com:444/x",
        "https://a.cdn.example/x",
        "http://localhost:9000/x",
        "http://[::1]:9001/x",
    ],
)
def test_allowed(url: str) -> None:
    ROUTES.check(url)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://evil.example/x?Signature=s3cret", "evil.example"),
        ("https://twilio.com.evil.example/x", "twilio.com.evil.example"),
        ("https://eviltwilio.com/x", "eviltwilio.com"),
        ("https://twiliocdn.com/x", "twiliocdn.com"),
        ("http://media.twiliocdn.com/x", "plain http"),
        ("http://media.example.com/x", "plain http"),
        ("https://media.twiliocdn.com:8443/x", "media.twiliocdn.com:8443"),
        ("https://169.254.169.254/latest/meta-data", "169.254.169.254"),
        ("http://169.254.169.254/latest/meta-data", "169.254.169.254"),
        ("http://127.0.0.1:8002/x", "127.0.0.1:8002"),
        ("http://localhost:9001/x", "localhost:9001"),
        ("https://s3-external-1.amazonaws.com/other-bucket/x", "s3-external-1.amazonaws.com"),
        ("https://s3-external-1.amazonaws.com/media.twiliocdn.com/../other/x", "amazonaws"),
        ("https://s3-external-1.amazonaws.com/media.twiliocdn.com/%2e%2E/other/x", "amazonaws"),
        ("https://cdn.example/x", "cdn.example"),
        ("https://proxy.example/mcs", "proxy.example"),
        ("file:///etc/passwd", "file:"),
        ("ftp://media.twiliocdn.com/x", "ftp:"),
        ("data:text/plain,x", "data:"),
        ("//media.twiliocdn.com/x", "https"),
        ("/x", "https"),
        ("", "https"),
        ("https://user:s3cret@media.twiliocdn.com/x", "no host"),
        ("https://@media.twiliocdn.com/x", "no host"),
        ("https:///x", "no host"),
        ("https://evil.example\\.twiliocdn.com/x", "no address"),
        ("https://evil.example\\@media.twiliocdn.com/x", "no address"),
        ("https://media.twiliocdn.com/x y", "no address"),
        ("https://media.twiliocdn.com/x\nHost: y", "no address"),
        ("\thttps://media.twiliocdn.com/x", "no address"),
        ("https://media.twiliocdn.com:x/", "no address"),
        ("https://media.twiliocdn.com:99999/", "no address"),
        ("https://[::1/x", "no address"),
        ("https://[fe80::1%25eth0]/x", "no host"),
        ("https://m\u00e9dia.twilio.com/x", "no host"),
        ("https://media.twilio.com./x", "no host"),
    ],
)
def test_refused(url: str, told: str) -> None:
    with pytest.raises(AddressError) as caught:
        ROUTES.check(url)
    assert told in str(caught.value)
    assert "s3cret" not in str(caught.value)


@given(st.text("abc.@:\\/?#[]%12é \ttwiliocdn.com", max_size=40))
def test_what_passes_is_connected_to(rest: str) -> None:
    url = f"https://{rest}.twiliocdn.com/"
    try:
        ROUTES.check(url)
    except AddressError:
        return
    assert (parse_url(url).host or "").endswith((".twiliocdn.com", ".cdn.example"))


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://mms.twiliocdn.com/x", "https://mms.twiliocdn.com/x"),
        ("/y?z", f"{API}/y?z"),
        ("y", f"{API}/a/y"),
        ("//mms.twiliocdn.com/x", "https://mms.twiliocdn.com/x"),
        ("?q", f"{API}/a/b?q"),
        ("https://mms.twiliocdn.com/\xc3\xa9", "https://mms.twiliocdn.com/\xe9"),
    ],
)
def test_locations(location: str, target: str) -> None:
    assert ROUTES.next(f"{API}/a/b", location) == target


@pytest.mark.parametrize("entry", ["a", "a.example", "*.a.example", "a:1", "127.0.0.1", "[::1]:5"])
def test_entries(entry: str) -> None:
    assert problem_of(entry) is None


@pytest.mark.parametrize(
    "entry", ["", None, 5, "*", "https://a", "a/b", "a b", "a:", "a:99999", "*.*.a", "a..b", "u@a"]
)
def test_entries_that_are_refused(entry: object) -> None:
    assert problem_of(entry)
