"""Every setting of every type, and files that are none: one line that names them, no secret."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tap_twilio_media.config import Settings
from tap_twilio_media.errors import ConfigError, StateError
from tap_twilio_media.options import FROM_ENVIRONMENT, check_config
from tap_twilio_media.settings import CONFIG_SCHEMA
from tap_twilio_media.tap import TapTwilioMedia
from tap_twilio_media.target.settings import TARGET_SCHEMA
from tap_twilio_media.target.target import TargetTwilioMedia
from tests.running import run_command, run_tap
from tests.simulator import Simulator, World, seeded_world
from tests.target.running import run_target
from tests.test_config import BY_KEY, BY_TOKEN

if TYPE_CHECKING:
    from pathlib import Path

MARK = "zq-secret-zq"
VALUES: list[Any] = [
    *(5, -1, 0, 1.5, True, False, 10**400, Decimal("1e999")),
    *(float("nan"), float("inf"), float("-inf")),
    *("", MARK, f"{MARK}\n\x1b[31m", MARK * 10_000, "\x00", "\ud800", "2026-13-45", "1e999"),
    *(
        [],
        [MARK],
        [[]],
        [None],
        [5, 5],
        {},
        {MARK: 1},
        {"output_path": [MARK]},
        {"sid": {MARK: []}},
    ),
]
SECRET = {"auth_token", "api_key_sid", "api_key_secret", "subaccount_credentials"}


def all_settings(schema: dict[str, Any]) -> list[str]:
    with_those_of_the_sdk = {"properties": dict(schema["properties"])}
    TapTwilioMedia.append_builtin_config(with_those_of_the_sdk)
    return sorted(with_those_of_the_sdk["properties"])


def assert_is_told(error: ConfigError, name: str) -> None:
    """Fail if the text of an error is not one line that names a setting."""
    text = str(error)
    assert text.isprintable()
    assert len(text) < 1_000
    # The two pairs exclude each other: of either one the first is named.
    assert name in text or "auth_token and api_key_sid are both set" in text
    if name in SECRET:
        assert "zq-secret" not in text


@pytest.mark.parametrize("name", all_settings(CONFIG_SCHEMA))
def test_settings_of_the_tap(name: str) -> None:
    refused = 0
    pair = BY_KEY if name in {"api_key_sid", "api_key_secret"} else BY_TOKEN
    for value in VALUES:
        try:
            Settings.of(TapTwilioMedia(config={**pair, name: value}).config, "test/1")
        except ConfigError as error:  # noqa: PERF203 - what is looked at
            assert_is_told(error, name)
            refused += 1
    assert refused > 5


@pytest.mark.parametrize("name", sorted(TARGET_SCHEMA["properties"]))
def test_settings_of_the_target(name: str, tmp_path: Path) -> None:
    refused = 0
    pair = BY_KEY if name in {"api_key_sid", "api_key_secret"} else BY_TOKEN
    for value in VALUES:
        config = {**pair, "output_path": str(tmp_path), name: value}
        try:
            TargetTwilioMedia(config=config)
        except ConfigError as error:
            assert_is_told(error, name)
            refused += 1
    assert refused > 5


def test_flattening_needs_its_depth() -> None:
    with pytest.raises(ConfigError, match="flattening_max_depth is not set"):
        TapTwilioMedia(config={**BY_TOKEN, "flattening_enabled": True})
    TapTwilioMedia(config={**BY_TOKEN, "flattening_enabled": True, "flattening_max_depth": 1})


# ---- files

FILES: dict[str, bytes | None] = {
    "missing": None,
    "empty": b"",
    "cut": b'{"auth_token": "zq-secret-zq',
    "no UTF-8": b'{"auth_token": "zq-secret-zq\xff"}',
    "too deep": b"[" * 100_000,
    "a text": b'"zq-secret-zq"',
    "a list": b'["zq-secret-zq"]',
    "a number": b"5",
}


@pytest.fixture
def world() -> World:
    return seeded_world(seed=7, messages=2, conversations=1)


@pytest.mark.parametrize("kind", ["missing", "cut", "no UTF-8", "too deep", "a list"])
def test_a_config_that_is_none(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd.json"
    if (content := FILES[kind]) is not None:
        path.write_bytes(content)
    tap = run_command(tmp_path, None, "--config", str(path), environ={"LOGLEVEL": "DEBUG"})
    target = run_target(
        tmp_path, None, b"", "--config", str(path), module="tap_twilio_media.target"
    )
    for code, log in ((tap.code, tap.log), (target.code, target.log)):
        assert code == 1
        (line,) = [line for line in log.splitlines() if "| ERROR " in line]
        assert f"--config {path}: " in line
        assert "zq-secret" not in log
        assert "Traceback" not in log


@pytest.mark.parametrize("kind", FILES)
def test_all_that_is_none(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd.json"
    if (content := FILES[kind]) is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"^--config /") as caught:
        check_config([FROM_ENVIRONMENT, str(path)])
    assert "zq-secret" not in str(caught.value)


@pytest.mark.parametrize(("option", "kind"), [("--state", "cut"), ("--catalog", "a list")])
def test_a_state_or_a_catalog_that_is_none(
    sim: Simulator, tmp_path: Path, option: str, kind: str
) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(FILES[kind] or b"")
    output = run_command(tmp_path, sim.config(), option, str(path), environ={"LOGLEVEL": "DEBUG"})
    assert output.code == 1
    assert f"{option} {path}: " in output.log
    assert "zq-secret" not in output.log
    assert "Traceback" not in output.log
    assert sim.count() == 0


@pytest.mark.parametrize(
    "catalog",
    [
        {"streams": 5},
        {"streams": [5]},
        {"streams": [{"tap_stream_id": "messages", "schema": 5, "metadata": 7}]},
        {"streams": [{"tap_stream_id": "messages", "metadata": [{"breadcrumb": 5}]}]},
        {"streams": {"zq": 1}},
    ],
    ids=str,
)
def test_a_catalog_of_another_shape(catalog: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"^catalog: is none that a tap wrote"):
        TapTwilioMedia(config=BY_TOKEN, catalog=catalog)


STATES: list[Any] = [
    {"bookmarks": 5},
    {"bookmarks": []},
    {"bookmarks": {"messages": 5}},
    {"bookmarks": {"messages": {"partitions": 5}}},
    {"bookmarks": {"messages": {"partitions": [5]}}},
    {"bookmarks": {"messages": {"partitions": [{}]}}},
    {"bookmarks": {"messages": {"partitions": [{"context": 5}]}}},
    {"bookmarks": {"messages": {"replication_key_value": MARK}}},
    {"bookmarks": {"x": 5, "accounts": {"partitions": 5}}},
    {"x": MARK},
    {"bookmarks": {"messages": {"partitions": None}}},
    {"bookmarks": None},
]


@pytest.mark.parametrize("state", STATES, ids=json.dumps)
def test_a_state_of_another_shape(sim: Simulator, state: dict[str, Any]) -> None:
    """Refused in one line, or as good as none."""
    try:
        output = run_tap(sim.config(), state=state)
    except StateError as error:
        text = str(error)
    else:
        expected = {row["sid"] for row in sim.world.rows("messages")}
        if output.error is None:
            assert set(output.sids("messages")) == expected
            return
        text = str(output.error)
    assert "state: " in text
    assert "zq-secret" not in text
