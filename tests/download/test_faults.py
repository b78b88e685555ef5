"""What goes wrong on the way: the same files in the end, or a reason why not."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tap_twilio_media.download.settings import MOST_BYTES
from tests.download.downloading import (
    assert_whole,
    downloader_of,
    fetch_all,
    fetch_one,
    files_below,
    newest_rows,
    references_of,
    rows_of,
)
from tests.simulator import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tap_twilio_media.download.references import Reference
    from tests.simulator import RecordedRequest, Simulator, World

BODY = "signed_content"
"""The endpoint that the bytes of both services come from."""


@pytest.fixture(params=["message_media", "mcs_media"])
def reference(world: World, request: pytest.FixtureRequest) -> Reference:
    """A picture, of each service."""
    references = references_of(world, request.param)
    return next(r for r in references if r.content_type == "image/jpeg")


def first_request(reference: Reference) -> str:
    return "media_content" if reference.stream == "message_media" else "mcs_media"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("truncate", BODY),
        Fault("reset", BODY),
        Fault("hang", BODY),
        Fault("stall", BODY),
        Fault("empty", BODY, times=2),
        Fault("page", BODY, times=2),
        Fault("page", BODY, content_type="image/jpeg"),
        Fault("429", BODY, times=5),
        Fault("500", BODY, times=5),
        Fault("503", BODY, times=5),
        Fault("401", BODY, times=4),
        Fault("403", BODY, times=4),
        Fault("status", BODY, status=400, times=4),
        Fault("404", BODY, times=2),
        Fault("status", BODY, status=410, times=2),
        Fault("status", BODY, status=204, times=2),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.times}",
)
def test_what_passes_is_tried_again(
    sim: Simulator, world: World, tmp_path: Path, reference: Reference, fault: Fault
) -> None:
    sim.faults.add(replace(fault))
    outcome = fetch_one(sim, tmp_path, reference, timeout=0.3)
    assert (outcome.status, outcome.attempts) == ("stored", 1 + (fault.times or 0))
    assert sim.count(first_request(reference)) == outcome.attempts
    assert_whole(world, tmp_path, [reference])
    assert sim.leaked_authorizations == 0


@pytest.mark.parametrize("kind", ["429", "500", "503", "401", "404", "reset", "truncate", "hang"])
def test_what_passes_at_the_api(
    sim: Simulator, world: World, tmp_path: Path, reference: Reference, kind: str
) -> None:
    sim.faults.add(Fault(kind, first_request(reference), times=2))
    outcome = fetch_one(sim, tmp_path, reference, timeout=0.3)
    assert (outcome.status, outcome.attempts) == ("stored", 3)
    assert_whole(world, tmp_path, [reference])


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("404", BODY), ("not_found", 3)),
        (Fault("status", BODY, status=410), ("not_found", 3)),
        (Fault("403", BODY), ("forbidden", 5)),
        (Fault("401", BODY), ("forbidden", 5)),
        (Fault("status", BODY, status=400), ("forbidden", 5)),
        (Fault("status", BODY, status=418), ("forbidden", 5)),
        (Fault("status", BODY, status=206), ("not_a_file", 3)),
        (Fault("status", BODY, status=304), ("not_a_file", 3)),
        (Fault("empty", BODY), ("not_a_file", 3)),
        (Fault("page", BODY), ("not_a_file", 3)),
        (Fault("page", BODY, content_type="text/html"), ("not_a_file", 3)),
        (Fault("page", BODY, content_type="image/jpeg"), ("not_a_file", 3)),
        (Fault("flood", BODY, size=MOST_BYTES + 1), ("too_large", 1)),
        (Fault("flood", BODY, size=10**10), ("too_large", 1)),
    ],
    ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, Fault) else None,
)
def test_what_lasts_is_written_down(
    sim: Simulator, tmp_path: Path, reference: Reference, fault: Fault, expected: tuple[str, int]
) -> None:
    sim.faults.add(replace(fault, times=None))
    outcome = fetch_one(sim, tmp_path, reference)
    assert (outcome.status, outcome.attempts) == expected
    assert not outcome.is_transient
    assert outcome.detail
    assert outcome.detail.isprintable()
    assert "Signature" not in outcome.detail
    (row,) = rows_of(tmp_path)
    assert (row["status"], row["detail"], row["path"]) == (outcome.status, outcome.detail, None)
    assert files_below(tmp_path) == set()


@pytest.mark.parametrize("kind", ["403", "404"])
def test_what_the_api_says_is_believed(
    sim: Simulator, tmp_path: Path, reference: Reference, kind: str
) -> None:
    sim.faults.add(Fault(kind, first_request(reference), times=None))
    outcome = fetch_one(sim, tmp_path, reference)
    assert outcome.status == {"403": "forbidden", "404": "not_found"}[kind]
    assert outcome.attempts == {"403": 1, "404": 3}[kind]
    assert f"code 20{kind}" in str(outcome.detail)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("500", BODY),
        Fault("429", BODY),
        Fault("truncate", BODY),
        Fault("reset", BODY),
        Fault("hang", BODY),
        Fault("stall", BODY),
        Fault("slow", BODY, delay=0.05, drops=10_000),
        Fault("drip", BODY),
        Fault("503", "first"),
        Fault("hang", "first"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.endpoint}",
)
def test_what_might_pass_later(
    sim: Simulator, tmp_path: Path, reference: Reference, fault: Fault
) -> None:
    endpoint = BODY if fault.endpoint == BODY else first_request(reference)
    sim.faults.add(replace(fault, times=None, endpoint=endpoint))
    started = time.monotonic()
    outcome = fetch_one(sim, tmp_path, reference, timeout=0.2, budget=0.5)
    assert time.monotonic() - started < 10
    assert (outcome.status, outcome.is_transient) == ("unavailable", True)
    assert files_below(tmp_path) == set()
    sim.faults.clear()
    assert fetch_one(sim, tmp_path, reference).status == "stored"
    assert [row["status"] for row in rows_of(tmp_path)] == ["unavailable", "stored"]


def test_damaged_metadata(sim: Simulator, world: World, tmp_path: Path) -> None:
    reference = references_of(world, "mcs_media")[0]
    sim.faults.add(Fault("bad_json", "mcs_media", times=2))
    assert fetch_one(sim, tmp_path, reference).attempts == 3
    assert_whole(world, tmp_path, [reference])


def test_a_body_of_a_length_not_announced(
    sim: Simulator, world: World, tmp_path: Path, reference: Reference
) -> None:
    sim.faults.add(Fault("chunked", BODY))
    assert fetch_one(sim, tmp_path, reference).attempts == 1
    assert_whole(world, tmp_path, [reference])


def test_too_large_a_body_of_a_length_not_announced(
    sim: Simulator, tmp_path: Path, reference: Reference
) -> None:
    sim.faults.add(Fault("flood", BODY, size=10**10, announced=False))
    with downloader_of(sim, tmp_path, max_file_bytes=1_000_000) as downloader:
        assert downloader.fetch(reference).status == "too_large"
        assert downloader.counts.received_bytes <= 1_000_000
    assert files_below(tmp_path) == set()


def test_a_body_that_drips_but_comes(
    sim: Simulator, world: World, tmp_path: Path, reference: Reference
) -> None:
    sim.faults.add(Fault("slow", BODY, delay=0.01, drops=50))
    assert fetch_one(sim, tmp_path, reference, timeout=60).attempts == 1
    assert_whole(world, tmp_path, [reference])


def test_too_short_for_what_mcs_announces(sim: Simulator, world: World, tmp_path: Path) -> None:
    reference = references_of(world, "mcs_media")[0]
    sim.faults.add(Fault("wrong_length", BODY, times=2))
    assert fetch_one(sim, tmp_path, reference).attempts == 3
    assert_whole(world, tmp_path, [reference])


@pytest.mark.parametrize("difference", [-1, 1, 10**9])
def test_mcs_lies_about_the_size(
    sim: Simulator, world: World, tmp_path: Path, difference: int
) -> None:
    reference = references_of(world, "mcs_media")[0]
    media = world.mcs_media[reference.sid]
    media.announced_size = media.size + difference
    outcome = fetch_one(sim, tmp_path, reference)
    expected = ("too_large", 1) if difference > MOST_BYTES else ("wrong_size", 3)
    assert (outcome.status, outcome.attempts) == expected
    assert files_below(tmp_path) == set()


def test_links_that_expire_in_a_second(sim: Simulator, world: World, tmp_path: Path) -> None:
    """Time passes now and then between a link and its use: all links under way expire."""
    sim.signed_url_seconds = 1

    def pass_time(_: RecordedRequest) -> None:
        world.now += timedelta(seconds=2)

    sim.faults.add(Fault("call", BODY, every=11, times=4, call=pass_time))
    references = references_of(world)
    with downloader_of(sim, tmp_path) as downloader:
        outcomes = fetch_all(downloader, references)
    assert sum(outcome.attempts > 1 for outcome in outcomes) >= 4
    assert 403 in {request.status for request in sim.requests if request.host == "media"}
    assert_whole(world, tmp_path, references)
    assert sim.leaked_authorizations == 0


def faults_at(rate: float) -> list[Fault]:
    everywhere: dict[str, Any] = {"times": None, "rate": rate / 5}
    cut: dict[str, Any] = {"times": None, "rate": rate, "endpoint": BODY}
    return [
        Fault("truncate", **cut),
        Fault("stall", **cut | {"rate": rate / 10}),
        Fault("429", **everywhere, retry_after=0),
        Fault("500", **everywhere),
        Fault("reset", **everywhere),
        Fault("hang", **everywhere | {"rate": rate / 20}),
        Fault("truncate", **everywhere),
    ]


def test_one_in_ten_goes_wrong(sim: Simulator, world: World, tmp_path: Path) -> None:
    sim.faults.add(*faults_at(0.1))
    references = references_of(world)
    with downloader_of(sim, tmp_path, timeout=0.5) as downloader:
        outcomes = fetch_all(downloader, references)
    assert sum(outcome.attempts > 1 for outcome in outcomes) > 10
    assert_whole(world, tmp_path, references)
    assert sim.leaked_authorizations == 0


def test_wrong_lengths_end_in_whole_files_or_a_reason(
    sim: Simulator, world: World, tmp_path: Path
) -> None:
    """What is cut and says so in no way can be known only where MCS announces the size."""
    sim.faults.add(Fault("wrong_length", BODY, times=None, rate=0.4))
    references = references_of(world, "mcs_media")
    with downloader_of(sim, tmp_path) as downloader:
        outcomes = fetch_all(downloader, references)
    whole = [r for r, o in zip(references, outcomes, strict=True) if o.status == "stored"]
    assert {o.status for o in outcomes} <= {"stored", "wrong_size"}
    newest = newest_rows(tmp_path)
    assert all(
        newest[r.sid]["status"] == o.status for r, o in zip(references, outcomes, strict=True)
    )
    assert_whole(world, tmp_path, whole)
