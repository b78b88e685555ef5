"""Personal data dropped or hashed with stream maps: the examples of docs/privacy.md, run."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.expecting import by_sid, expected
from tests.running import STREAMS, catalog_of, run_command, run_tap
from tests.test_schemas import load, properties

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.running import Output
    from tests.simulator import Simulator

DOCS = (Path(__file__).parents[1] / "docs" / "privacy.md").read_text()
DROP_OR_HASH, KEEP_SOME, FILTER = (
    yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
)
SEED = "a long and random text"


def with_seed(maps: dict[str, Any]) -> dict[str, Any]:
    """Return an example as Meltano passes it on, its variable replaced."""
    assert maps["stream_map_config"] == {"hash_seed": "$PHONE_HASH_SEED"}
    return maps | {"stream_map_config": {"hash_seed": SEED}}


def hashed(value: str | None) -> str | None:
    """Return the hash that the example keeps."""
    return hashlib.sha256((SEED + value).encode()).hexdigest() if value else None


def texts(value: object) -> Iterator[str]:
    """Yield every text in a value, at every depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def clear_values(value: Any, schema: dict[str, Any]) -> Iterator[str]:  # noqa: ANN401
    """Yield the texts of a record, or a part of it, that its schema calls personal."""
    if schema.get("description", "").endswith("Personal data."):
        yield from texts(value)
    elif isinstance(value, dict):
        for name, part in schema.get("properties", {}).items():
            yield from clear_values(value.get(name), part)
    elif isinstance(value, list):
        for item in value:
            yield from clear_values(item, schema["items"])


def personal(stream: str) -> list[str]:
    """Return the fields of a stream that are personal, or hold something that is."""
    declared = load(stream)["properties"]
    return [
        name
        for name, schema in declared.items()
        if schema["description"].endswith("Personal data.")
        or any(item["description"].endswith("Personal data.") for _, item in properties(schema))
    ]


def schema_of(output: Output, stream: str) -> set[str]:
    """Return the properties that the SCHEMA message of a stream declares."""
    (message,) = (m for m in output.of_type("SCHEMA") if m["stream"] == stream)
    return set(message["schema"]["properties"])


class TestDropOrHash:
    @pytest.fixture
    def output(self, sim: Simulator) -> Output:
        """The output of a run with the example."""
        output = run_tap(sim.config() | with_seed(DROP_OR_HASH))
        assert output.error is None
        return output

    def test_covers_every_personal_field(self) -> None:
        covered = {stream: set(fields) for stream, fields in DROP_OR_HASH["stream_maps"].items()}
        assert covered == {s: set(personal(s)) for s in STREAMS if personal(s)}

    def test_lets_no_clear_value_out(self, sim: Simulator, output: Output) -> None:
        clear = {
            text
            for stream in STREAMS
            for row in expected(sim, stream).values()
            for text in clear_values(row, load(stream))
            if text not in {"", "{}"}
        }
        assert len(clear) > 100
        for message in output.messages:
            written = set(texts(message.get("record")))
            assert not written & clear
            # Long enough not to be met by chance within a sid or a path.
            assert not [text for text in clear if len(text) > 8 and text in "\n".join(written)]

    def test_brings_every_row_of_every_stream(self, sim: Simulator, output: Output) -> None:
        for stream in STREAMS:
            assert set(output.sids(stream)) == set(expected(sim, stream, [sim.world.account_sid]))
        assert output.records("message_media")
        assert output.records("mcs_media")

    def test_drops_fields_from_the_schema_too(self, output: Output) -> None:
        for stream, fields in DROP_OR_HASH["stream_maps"].items():
            dropped = {name for name, rule in fields.items() if rule == "__NULL__"}
            assert schema_of(output, stream) == set(load(stream)["properties"]) - dropped

    def test_keeps_equality(self, sim: Simulator, output: Output) -> None:
        rows = expected(sim, "messages")
        records = by_sid(output.records("messages"))
        for sid, row in rows.items():
            for name in ("from", "to"):
                assert records[sid][name] == hashed(row[name])
        assert any(row["from"] is None for row in rows.values())

    def test_leaves_the_other_fields_alone(self, sim: Simulator, output: Output) -> None:
        for stream in STREAMS:
            held = by_sid(output.records(stream))
            for sid, row in expected(sim, stream, [sim.world.account_sid]).items():
                others = {k: v for k, v in row.items() if k not in personal(stream)}
                assert others.items() <= held[sid].items()

    def test_hashes_nothing_without_a_seed(self, sim: Simulator, tmp_path: Path) -> None:
        config = sim.config() | DROP_OR_HASH | {"stream_map_config": {"hash_seed": None}}
        output = run_command(tmp_path, config, catalog=catalog_of("messages"))
        assert output.code == 1
        assert not output.of_type("RECORD")


def test_only_what_is_named_is_kept(sim: Simulator) -> None:
    output = run_tap(sim.config() | KEEP_SOME)
    assert output.error is None
    named = set(KEEP_SOME["stream_maps"]["messages"]) - {"__else__"}
    assert schema_of(output, "messages") == named
    rows = expected(sim, "messages")
    assert by_sid(output.records("messages")) == {
        sid: {name: row[name] for name in named} for sid, row in rows.items()
    }
    assert by_sid(output.records("message_media")) == expected(sim, "message_media")


def test_a_filter_leaves_out_rows_and_their_media(sim: Simulator) -> None:
    output = run_tap(sim.config() | FILTER)
    assert output.error is None
    rows = expected(sim, "messages")
    wanted = {sid: row for sid, row in rows.items() if row["direction"] == "inbound"}
    assert 0 < len(wanted) < len(rows)
    assert by_sid(output.records("messages")) == wanted
    assert by_sid(output.records("message_media")) == {
        sid: row
        for sid, row in expected(sim, "message_media").items()
        if row["message_sid"] in wanted
    }
    assert output.bookmark("message_media") == output.bookmark("messages")


@pytest.mark.parametrize(
    ("parent", "child"),
    [("messages", "message_media"), ("conversation_messages", "mcs_media")],
)
def test_a_stream_left_out_by_a_map_takes_its_media_along(
    sim: Simulator, parent: str, child: str
) -> None:
    output = run_tap(sim.config() | {"stream_maps": {parent: "__NULL__"}})
    assert output.error is None
    assert output.streams == set(STREAMS) - {parent, child}


def test_the_readme_shows_a_part_of_the_whole_example() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    (shown,) = (yaml.safe_load(b) for b in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL))
    assert shown["stream_maps"].items() <= DROP_OR_HASH["stream_maps"].items()
    assert shown["stream_map_config"] == DROP_OR_HASH["stream_map_config"]
