"""Links to wherever an enemy wants: nobody else hears a credential, and every list ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tap_twilio_media.client import pages
from tests.hostile.answers import LISTS, changing
from tests.hostile.evil import Evil, secrets_of
from tests.running import STREAMS, run_command, run_tap
from tests.simulator import Fault, Simulator, World, seeded_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.simulator.replies import Reply

NEWER = {"services", "conversations", "conversation_messages"}


@pytest.fixture
def world() -> World:
    return seeded_world(seed=7, messages=30, conversations=3)


@pytest.fixture
def evil() -> Iterator[Evil]:
    """A host that nobody configured."""
    with Evil() as host:
        yield host


def settings(sim: Simulator) -> dict[str, Any]:
    # Of the hosts of this machine only the one of the files, or evil would be allowed.
    return sim.config() | {
        "max_retry_seconds": 0,
        "include_subaccounts": True,
        "media_hosts": [sim.media_url.partition("//")[2]],
    }


def linking(endpoint: str, link: Callable[[int], str], **kwargs: Any) -> Fault:
    """Return a fault that links each page of a list to another one."""
    count = 0

    def change(body: Any) -> None:  # noqa: ANN401 - any JSON
        nonlocal count
        count += 1
        if endpoint in NEWER:
            body["meta"]["next_page_url"] = link(count)
        else:
            body["next_page_uri"] = link(count)

    return changing(endpoint, change, **kwargs)


ELSEWHERE = [
    "http://{evil}/x?Page=1",
    "https://{evil}/x?Page=1",
    "//{evil}/x",
    "\\\\{evil}\\x",
    "/\\{evil}/x",
    "http:\\\\{evil}\\x",
    "http:/{evil}/x",
    "http:{evil}/x",
    "http://{own}@{evil}/x",
    "http://{evil}#@{own}/x",
    "http://{evil}\\@{own}/x",
    "@{evil}/x",
    ":80@{evil}/x",
    ".{evil}/x",
    "ht\ntp://{evil}/x",
    " http://{evil}/x",
    "\thttp://{evil}/x",
    "\x00http://{evil}/x",
    "HTTP://{evil}/x",
    "ftp://{evil}/x",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "data:application/json,{{}}",
    "http://{evil}/x\r\nHost: {evil}",
    "http://{evil}/" + "x" * 100_000,
    "http://[::ffff:127.0.0.1]/x",
    "/x?next=http://{evil}/&" + "x" * 70_000,
]


@pytest.mark.parametrize("link", ELSEWHERE, ids=lambda link: repr(link)[:40])
def test_the_next_page_is_at_the_same_host(sim: Simulator, evil: Evil, link: str) -> None:
    own = sim.api_url.partition("//")[2]
    for endpoint in LISTS:
        sim.faults.add(linking(endpoint, lambda _: link.format(evil=evil.host, own=own)))
    output = run_tap(settings(sim))
    assert evil.heard == []
    assert sim.leaked_authorizations == 0
    assert output.error is not None
    for line in str(output.error).splitlines():
        assert line.startswith("account AC")
        assert line.isprintable()
        assert len(line) < 800
    assert sim.count() < 1_000
    assert output.records("messages")
    assert "messages" not in output.state.get("bookmarks", {}), "the list was not read to its end"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["http://{evil}/x", "//{evil}/x", "https://{evil}/x", "/x"])
def test_redirects_of_the_apis_are_not_followed(
    sim: Simulator, evil: Evil, status: int, location: str
) -> None:
    def change(reply: Reply) -> None:
        reply.status = status
        reply.headers["Location"] = location.format(evil=evil.host)

    for endpoint in (*LISTS, "account", "configuration", "mcs_media"):
        sim.faults.add(Fault("change", endpoint, change=change, times=None))
    output = run_tap(settings(sim))
    assert evil.heard == []
    assert f"HTTP {status}" in str(output.error)
    assert {request.endpoint for request in sim.requests} <= {*LISTS, "configuration"}


def elsewhere(value: Any, base: str) -> Any:  # noqa: ANN401 - any JSON
    """Return JSON in which each address, whole or not, is one of another host."""
    if isinstance(value, str):
        if not value.startswith(("http", "/")):
            return value
        parts = urlsplit(value)
        return f"{base}{parts.path}?{parts.query}"
    if isinstance(value, dict):
        return {name: elsewhere(member, base) for name, member in value.items()}
    return [elsewhere(member, base) for member in value] if isinstance(value, list) else value


@pytest.mark.parametrize("scheme", ["http:", "https:", ""])
def test_no_address_in_a_row_is_asked(
    sim: Simulator, evil: Evil, tmp_path: Path, scheme: str
) -> None:
    """Of whatever else they name, too: subresources, links, content_direct_temporary."""
    for endpoint, key in (*LISTS.items(), ("mcs_media", "links")):

        def change(body: Any, key: str = key) -> None:  # noqa: ANN401 - any JSON
            body[key] = elsewhere(body[key], f"{scheme}//{evil.host}")

        sim.faults.add(changing(endpoint, change))
    folder = tmp_path / "files"
    output = run_tap(settings(sim) | {"download": {"output_path": str(folder)}})
    assert evil.heard == []
    assert output.error is None
    stored = [r for s in ("message_media", "mcs_media") for r in output.records(s)]
    assert {record["file_status"] for record in stored} == {"stored"}


@pytest.mark.parametrize("allowed", [False, True])
def test_files_elsewhere_are_had_without_credentials_or_not_at_all(
    sim: Simulator, world: World, evil: Evil, tmp_path: Path, *, allowed: bool
) -> None:
    location = f"http://{evil.host}/x?Signature=zq-{{fired}}"
    for endpoint in ("media_content", "mcs_content"):
        sim.faults.add(Fault("redirect", endpoint, location=location, times=None))
    sim.faults.add(changing("mcs_media", lambda body: body.update(links={})))
    config = settings(sim) | {"download": {"output_path": str(tmp_path / "files")}}
    if allowed:
        config["media_hosts"] = [evil.host]
    output = run_tap(config)
    statuses = {record["file_status"] for record in output.records("message_media")}
    assert statuses == {"stored" if allowed else "refused_host"}
    assert bool(evil.heard) is allowed
    heard = b"".join(evil.heard).decode("latin-1")
    assert "authorization" not in heard.lower()
    assert "cookie" not in heard.lower()
    for secret in secrets_of(world):
        assert secret not in heard


# ---- proxies of the environment


PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy")


def test_plain_http_to_this_machine_passes_no_proxy(
    sim: Simulator, world: World, evil: Evil, tmp_path: Path
) -> None:
    environ = dict.fromkeys(PROXIES, f"http://user:zq@{evil.host}")
    environ |= {"NO_PROXY": "", "no_proxy": "", "LOGLEVEL": "DEBUG"}
    config = settings(sim) | {"download": {"output_path": "files"}}
    output = run_command(tmp_path, config, environ=environ)
    assert evil.heard == []
    assert output.code == 0
    assert output.streams == set(STREAMS)
    assert {r["file_status"] for r in output.records("message_media")} == {"stored"}
    assert "user:zq" not in output.log
    assert all(secret not in output.log for secret in secrets_of(world))


def test_a_proxy_is_asked_to_connect_and_hears_no_credentials(
    world: World, evil: Evil, tmp_path: Path
) -> None:
    environ = dict.fromkeys(PROXIES, f"http://user:zqzq@{evil.host}")
    environ |= {"NO_PROXY": "", "no_proxy": "", "LOGLEVEL": "DEBUG"}
    config = {
        "account_sid": world.account_sid,
        "auth_token": world.auth_token,
        "max_retry_seconds": 0,
    }
    output = run_command(tmp_path, config, environ=environ)
    assert output.code == 1
    assert evil.heard
    for said in evil.heard:
        assert said.startswith(b"CONNECT ")
        assert b"\nauthorization" not in said.lower()
        for secret in secrets_of(world):
            assert secret.encode() not in said
    assert "zqzq" not in output.log


# ---- lists without end


def endless(kind: str) -> Callable[[Reply], None]:
    """Return what makes the list in a reply go on for ever without anything new."""
    count = 0

    def change(reply: Reply) -> None:
        nonlocal count
        count += 1
        body = json.loads(reply.body)
        for key in {*LISTS.values()} & body.keys():
            if kind == "empty":
                body[key] = []
            elif kind == "round":
                # Three pages in turn, each with other rows.
                body[key] = body[key][count % 3 :: 3]
        if "meta" in body:
            body["meta"]["next_page_url"] = f"{body['meta']['first_page_url']}&zq={count}"
        elif "first_page_uri" in body:
            body["next_page_uri"] = f"{body['first_page_uri']}&zq={count}"
        reply.body = json.dumps(body).encode()

    return change


@pytest.mark.parametrize("kind", ["empty", "same", "round"])
@pytest.mark.parametrize("endpoint", LISTS)
def test_a_list_that_brings_nothing_new_ends(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, endpoint: str, kind: str
) -> None:
    monkeypatch.setattr(pages, "MOST_BARREN", 30)
    sim.faults.add(Fault("change", endpoint, change=endless(kind), times=None))
    output = run_tap(settings(sim))
    assert "30 pages in a row brought nothing new" in str(output.error)
    lists = {request.path for request in sim.requests if request.endpoint == endpoint}
    assert 30 <= sim.count(endpoint) < 40 * len(lists)
    others = [name for name in ("messages", "conversations") if name != endpoint]
    assert any(output.records(name) for name in others), "the others are read"


def test_a_list_of_a_thousand_empty_pages_is_read(sim: Simulator) -> None:
    """As long as something new can come."""
    filler = endless("empty")

    def change(reply: Reply) -> None:
        if sim.count("messages") < pages.MOST_BARREN:
            filler(reply)

    sim.faults.add(Fault("change", "messages", change=change, times=None))
    output = run_tap(sim.config(), ["messages"])
    assert output.error is None
    assert set(output.sids("messages")) == {row["sid"] for row in sim.world.rows("messages")}
