"""Secrets and signed addresses reach no record, state or log line, however loud the log is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.running import STREAMS, run_command
from tests.simulator import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.running import Output
    from tests.simulator import Simulator, World

DEBUG = {"LOGLEVEL": "DEBUG"}
SIGNED = re.compile(r"Signature=|Key-Pair-Id|content_direct_temporary\W+http", re.IGNORECASE)


def secrets_of(world: World) -> list[str]:
    accounts = world.accounts.values()
    return [secret for a in accounts for secret in (a.auth_token, a.api_key_secret)]


def assert_silent(output: Output, secrets: list[str]) -> None:
    """Fail when a secret or a signed address is anywhere in what a run wrote."""
    written = output.log + repr(output.messages)
    for secret in secrets:
        assert secret not in written
    assert not SIGNED.search(output.log)
    assert "http" not in str(output.state)
    for record in output.of_type("RECORD"):
        assert not {"auth_token", "content_direct_temporary"} & set(record["record"])
        assert not SIGNED.search(repr(record["record"]))


def config_of(sim: Simulator) -> dict[str, Any]:
    return sim.config() | {
        "include_subaccounts": True,
        "subaccount_credentials": [
            {"account_sid": a.sid, "api_key_sid": a.api_key_sid, "api_key_secret": a.api_key_secret}
            for a in sim.world.accounts.values()
            if a.sid != sim.world.account_sid
        ],
    }


def test_a_good_run(sim: Simulator, tmp_path: Path) -> None:
    output = run_command(tmp_path, config_of(sim), environ=DEBUG)
    assert output.streams == set(STREAMS)
    assert "DEBUG" in output.log
    assert_silent(output, secrets_of(sim.world))


def assert_archive_is_silent(folder: Path, secrets: list[str]) -> None:
    """Fail when a secret or a signed address is in a manifest, or in the name of a file."""
    manifests = [path.read_text() for path in (folder / "manifest").iterdir()]
    written = "\n".join((*manifests, *map(str, folder.rglob("*"))))
    assert '"sid"' in written
    assert not SIGNED.search(written)
    assert "://" not in written
    for secret in secrets:
        assert secret not in written


def test_a_good_run_with_files(sim: Simulator, tmp_path: Path) -> None:
    config = config_of(sim) | {"download": {"output_path": "files"}}
    output = run_command(tmp_path, config, environ=DEBUG)
    assert output.code == 0
    assert sim.count("signed_content") > 100
    assert_silent(output, secrets_of(sim.world))
    assert_archive_is_silent(tmp_path / "files", secrets_of(sim.world))
    assert sim.leaked_authorizations == 0


FILE_FAULTS = [
    *("401", "403", "404", "429", "500", "503"),
    *("reset", "truncate", "wrong_length", "empty", "page", "bad_json"),
]


@pytest.mark.parametrize("kind", FILE_FAULTS)
def test_downloads_with_faults(sim: Simulator, tmp_path: Path, kind: str) -> None:
    for endpoint in ("media_content", "mcs_content", "signed_content"):
        # The first redirects, so that some signed addresses are known before it fails.
        sim.faults.add(Fault(kind, endpoint=endpoint, after=5, every=3, times=None))
    config = config_of(sim) | {"max_retry_seconds": 0.2, "download": {"output_path": "files"}}
    output = run_command(tmp_path, config, environ=DEBUG)
    assert_silent(output, secrets_of(sim.world))
    assert_archive_is_silent(tmp_path / "files", secrets_of(sim.world))
    assert "Traceback" not in output.log
    for name in (row["filename"] for row in sim.world.rows("mcs_media")):
        assert not name or name not in output.log, "what a sender chose is nobody's business"


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.example/file?Signature=hidden-signature&Key-Pair-Id=hidden",
        "http://169.254.169.254/latest?Signature=hidden-signature",
        "https://user:hidden-password@mms.twiliocdn.com/file",
        "file:///etc/hidden",
    ],
)
def test_redirects_that_are_refused(sim: Simulator, tmp_path: Path, location: str) -> None:
    sim.faults.add(Fault("redirect", endpoint="media_content", location=location, times=None))
    config = config_of(sim) | {"download": {"output_path": "files"}}
    output = run_command(tmp_path, config, environ=DEBUG)
    assert {r["file_status"] for r in output.records("message_media")} == {"refused_host"}
    assert_silent(output, [*secrets_of(sim.world), "hidden"])
    assert_archive_is_silent(tmp_path / "files", [*secrets_of(sim.world), "hidden"])


@pytest.mark.parametrize("kind", ["401", "403", "429", "500", "reset", "truncate", "bad_json"])
def test_a_run_with_faults(sim: Simulator, tmp_path: Path, kind: str) -> None:
    sim.faults.add(Fault(kind, every=3, times=None))
    config = config_of(sim) | {"max_retry_seconds": 0.2}
    output = run_command(tmp_path, config, environ=DEBUG)
    assert_silent(output, secrets_of(sim.world))
    # Bodies of messages are as private as secrets.
    for row in sim.world.rows("messages"):
        if len(row["body"] or "") > 12:
            assert row["body"] not in output.log


@pytest.mark.parametrize(
    "change",
    [
        {"auth_token": 12345678901234567890},
        {"auth_token": ["hidden-token-hidden"]},
        {"auth_token": "hidden token hidden"},
        {"auth_token": "hidden-token-hidden", "api_key_secret": "hidden-secret-hidden"},
        {"subaccount_credentials": "hidden-token-hidden"},
        {"subaccount_credentials": [{"account_sid": "hidden-token-hidden", "auth_token": 7}]},
        {"subaccount_credentials": {"auth_token": "hidden-token-hidden"}},
        {"account_sid": "hidden-token-hidden"},
        {"api_key_sid": "hidden-token-hidden", "api_key_secret": "hidden", "auth_token": None},
    ],
)
@pytest.mark.parametrize("mode", [(), ("--test",)])
def test_malformed_settings(
    sim: Simulator, tmp_path: Path, change: dict[str, Any], mode: tuple[str, ...]
) -> None:
    output = run_command(tmp_path, sim.config() | change, *mode, environ=DEBUG)
    assert output.code == 1
    assert "hidden" not in output.log.replace("hidden-files", "")
    assert "12345678901234567890" not in output.log
    assert "Traceback" not in output.log
    assert_silent(output, secrets_of(sim.world))


def test_variables_that_cannot_be_read(tmp_path: Path) -> None:
    environ = {"TAP_TWILIO_MEDIA_SUBACCOUNT_CREDENTIALS": '[{"auth_token": "hidden-token'}
    output = run_command(tmp_path, {}, environ=DEBUG | environ)
    assert output.code == 1
    assert "TAP_TWILIO_MEDIA_SUBACCOUNT_CREDENTIALS" in output.log
    assert "hidden" not in output.log
