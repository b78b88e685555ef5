"""What libraries log of requests holds nothing that signs one."""

from __future__ import annotations

import logging
import socket
import threading
from typing import TYPE_CHECKING

import pytest
import requests

from tap_twilio_media.client.network import Network
from tests.test_secrets import SIGNED

if TYPE_CHECKING:
    from collections.abc import Iterator

QUERY = "x?Signature=s3cret&Key-Pair-Id=s3cret"
REPLIES = {
    "proper": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "odd headers": (
        b"HTTP/1.1 307 x\r\nContent-Length: 2\r\nno header\r\n"
        b"Location: https://x/?Signature=s3cret\r\n\r\nok"
    ),
}


@pytest.fixture(params=REPLIES)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that sends one reply."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            wire, _ = server.accept()
            with wire:
                wire.recv(65_536)
                wire.sendall(REPLIES[request.param])

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/{QUERY}"
        thread.join()


def test_no_query_is_logged(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    network = Network.of(1, threading.Event())
    with requests.Session() as session:
        session.mount("http://", network.adapter)
        session.get(url, allow_redirects=False, timeout=10)
    assert "/x" in caplog.text
    assert not SIGNED.search(caplog.text)
    assert "s3cret" not in caplog.text
