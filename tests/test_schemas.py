"""The schemas keep to the rules that targets, the catalog and our users rely on."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS_DIR = Path(__file__).resolve().parents[1] / "schemas"
STREAMS = {
    "accounts",
    "messages",
    "message_media",
    "conversation_services",
    "conversations",
    "conversation_messages",
    "mcs_media",
}
INCREMENTAL = {"messages", "message_media", "conversation_messages", "mcs_media"}
FORBIDDEN_NAMES = {"auth_token", "content_direct_temporary"}
FORBIDDEN_KEYWORDS = {
    "$ref",
    "additionalProperties",
    "enum",
    "pattern",
    "patternProperties",
    "required",
}

Schema = dict[str, Any]


def load(stream: str) -> Schema:
    """Read one schema as ASCII: a loader that guesses an encoding cannot guess wrong."""
    loaded: Schema = json.loads((SCHEMAS_DIR / f"{stream}.json").read_text(encoding="ascii"))
    return loaded


def subschemas(schema: Schema) -> Iterator[Schema]:
    """Yield the schema and every schema below it."""
    yield schema
    for child in schema.get("properties", {}).values():
        yield from subschemas(child)
    if "items" in schema:
        yield from subschemas(schema["items"])


def properties(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield the name and the schema of every property at every depth."""
    for node in subschemas(schema):
        yield from node.get("properties", {}).items()


def types(schema: Schema) -> set[str]:
    """Return the types a schema allows."""
    declared = schema["type"]
    return {declared} if isinstance(declared, str) else set(declared)


@pytest.fixture(params=sorted(STREAMS))
def stream(request: pytest.FixtureRequest) -> str:
    """Name each stream in turn."""
    return str(request.param)


def test_one_file_per_stream() -> None:
    """The folder holds the schemas and nothing else."""
    assert {path.name for path in SCHEMAS_DIR.iterdir()} == {f"{name}.json" for name in STREAMS}


def test_valid_draft_07_object(stream: str) -> None:
    """Every file is a draft-07 object schema with a title and a description."""
    schema = load(stream)
    import_module("jsonschema").Draft7Validator.check_schema(schema)  # ships without types
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert schema["type"] == "object"
    assert schema["title"]
    assert schema["description"].endswith(".")


def test_every_property_is_described(stream: str) -> None:
    """Every property, nested ones too, has a description that ends with a full stop."""
    described = [(name, prop.get("description", "")) for name, prop in properties(load(stream))]
    assert [name for name, text in described if not text.endswith(".")] == []


def test_sid_is_a_key(stream: str) -> None:
    """The primary key is there and never null."""
    assert load(stream)["properties"]["sid"]["type"] == "string"


def test_everything_but_sid_may_be_null(stream: str) -> None:
    """Twilio may leave any field empty; a row must not be lost for that."""
    declared = load(stream)["properties"]
    assert [name for name, prop in declared.items() if "null" not in types(prop)] == ["sid"]


def test_one_type_beside_null(stream: str) -> None:
    """A union of types becomes a text column in most targets."""
    unions = [name for name, prop in properties(load(stream)) if len(types(prop) - {"null"}) != 1]
    assert unions == []


def test_replication_key_is_declared(stream: str) -> None:
    """Incremental streams declare date_created as a time."""
    if stream in INCREMENTAL:
        assert load(stream)["properties"]["date_created"]["format"] == "date-time"


def test_no_keyword_that_refuses_values(stream: str) -> None:
    """A value that Twilio adds tomorrow passes, and each file stands alone."""
    used = {keyword for node in subschemas(load(stream)) for keyword in node}
    assert not used & FORBIDDEN_KEYWORDS


def test_no_secret_is_declared(stream: str) -> None:
    """Only declared fields are emitted, so an undeclared secret cannot leave."""
    assert not {name for name, _ in properties(load(stream))} & FORBIDDEN_NAMES


def test_links_of_mcs_media_hold_only_the_lasting_one() -> None:
    """Declared nested fields are the only ones emitted: the signed link stays out."""
    assert set(load("mcs_media")["properties"]["links"]["properties"]) == {"content"}


def test_dates_are_times(stream: str) -> None:
    """Every date field is a date-time, nested ones too."""
    dates = [(name, prop) for name, prop in properties(load(stream)) if name.startswith("date_")]
    assert [name for name, prop in dates if prop.get("format") != "date-time"] == []
    assert all(types(prop) == {"string", "null"} for _, prop in dates)


def test_numbers_are_numbers() -> None:
    """Numbers that Twilio sends as text are declared as numbers."""
    declared = load("messages")["properties"]
    for name in ("num_media", "num_segments", "error_code"):
        assert types(declared[name]) == {"integer", "null"}
    assert types(declared["price"]) == {"number", "null"}
