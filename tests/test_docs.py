"""The documentation says what the code does: tables, links, commands, variables, messages."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tap_twilio_media.download.manifest import Row
from tap_twilio_media.download.names import DEFAULT_TEMPLATE
from tap_twilio_media.download.outcomes import STATUSES
from tap_twilio_media.download.settings import MOST_BYTES
from tap_twilio_media.settings import CONFIG_SCHEMA
from tap_twilio_media.sources import PREFIX, TWILIO_VARIABLES
from tap_twilio_media.tap import STREAM_TYPES, TapTwilioMedia
from tap_twilio_media.target.settings import TARGET_SCHEMA
from tests.running import catalog_of, run_command, run_tap
from tests.test_schemas import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator import Simulator

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
EVERYTHING = "\n".join(page.read_text() for page in PAGES)
README = (ROOT / "README.md").read_text()
PROJECT = yaml.safe_load((ROOT / "meltano.yml").read_text())
NONE = "\N{EN DASH}"
STREAMS = [vars(kind)["name"] for kind in STREAM_TYPES]

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def name_of(page: Path) -> str:
    """Name a page in the ids of tests."""
    return str(page.relative_to(ROOT))


def table(text: str, first_header: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this header, without its head."""
    _, _, rest = text.partition(f"\n| {first_header} |")
    assert rest, f"no table with {first_header}"
    lines = rest.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def code(cell: str) -> list[str]:
    """Return what a cell holds in code quotes."""
    return re.findall(r"`([^`]+)`", cell)


def blocks(text: str, *languages: str) -> list[str]:
    """Return the code blocks in some languages."""
    return [body for language, body in BLOCK.findall(text) if language in languages]


@pytest.fixture(scope="module")
def about(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the tap says of itself."""
    folder = tmp_path_factory.mktemp("about")
    return run_command(folder, None, "--about", "--format=json").messages[0]


class TestStreams:
    ROWS = table(README, "stream")

    def test_are_those_of_the_tap(self) -> None:
        assert [code(row[0]) for row in self.ROWS] == [[stream] for stream in STREAMS]

    def test_have_their_key_and_replication(self) -> None:
        documented = {code(row[0])[0]: (row[2], row[3]) for row in self.ROWS}
        assert documented == {
            stream["tap_stream_id"]: (
                ", ".join(f"`{key}`" for key in stream["key_properties"]),
                f"incremental, `{stream['replication_key']}`"
                if stream["replication_method"] == "INCREMENTAL"
                else "full table",
            )
            for stream in catalog_of()["streams"]
        }

    def test_have_a_bookmark_for_what_the_state_says(self, sim: Simulator) -> None:
        words = {"account_sid": "account", "chat_service_sid": "service"}
        bookmarks = run_tap(sim.config()).state["bookmarks"]
        kept = {
            stream: ", ".join(words[key] for key in entry["partitions"][0]["context"])
            for stream, entry in bookmarks.items()
            if "partitions" in entry
        }
        documented = {code(row[0])[0]: row[4] for row in self.ROWS}
        assert {stream: per for stream, per in documented.items() if per != NONE} == kept

    def test_all_appear_in_the_table_of_credentials(self) -> None:
        credentials = README.partition("## Credentials")[2]
        named = {name for row in table(credentials, "stream") for name in code(row[0])}
        others = set(STREAMS) - named
        assert f"| the {['no', 'one', 'two', 'three', 'four'][len(others)]} others |" in credentials


def settings_of_the_sdk() -> set[str]:
    """Return the settings that the SDK adds to the tap's own, in the tap's schema itself."""
    schema: dict[str, Any] = {"properties": {}}
    TapTwilioMedia.append_builtin_config(schema)
    return set(schema["properties"])


class TestSettings:
    def test_are_those_of_the_tap(self) -> None:
        required = set(CONFIG_SCHEMA["required"])
        assert table(README, "setting") == [
            [
                f"`{name}`",
                schema["description"],
                "required"
                if name in required
                else f"`{json.dumps(schema['default'])}`"
                if "default" in schema
                else NONE,
            ]
            for name, schema in CONFIG_SCHEMA["properties"].items()
            if name not in settings_of_the_sdk()
        ]

    def test_of_the_sdk_are_named(self, about: dict[str, Any]) -> None:
        own = {name for row in table(README, "setting") for name in code(row[0])}
        (sentence,) = re.findall(r"The Singer SDK adds (.*?);", README, re.DOTALL)
        assert set(code(sentence)) == about["settings"]["properties"].keys() - own

    def test_in_examples_exist(self, about: dict[str, Any]) -> None:
        settings = about["settings"]["properties"].keys()
        examples = [yaml.safe_load(block) for block in blocks(EVERYTHING, "yaml", "json")]
        assert examples
        for example in examples:
            assert example.keys() <= settings


class TestFiles:
    PAGE = (ROOT / "docs" / "files.md").read_text()

    def test_settings_are_those_of_both_fronts(self) -> None:
        documented = [code(row[0])[0] for row in table(self.PAGE, "setting")]
        assert documented == list(CONFIG_SCHEMA["properties"]["download"]["properties"])
        assert set(documented) <= TARGET_SCHEMA["properties"].keys()

    def test_defaults_are_those_of_the_code(self) -> None:
        defaults = {code(row[0])[0]: row[2] for row in table(self.PAGE, "setting")}
        assert defaults["path_template"] == f"`{DEFAULT_TEMPLATE}`"
        assert defaults["max_file_bytes"] == f"`{MOST_BYTES}` (256 MiB)"

    def test_statuses_are_those_of_the_code(self) -> None:
        documented = [code(row[0])[0] for row in table(self.PAGE, "status")]
        assert documented == list(STATUSES)
        for stream in ("message_media", "mcs_media"):
            described = load(stream)["properties"]["file_status"]["description"]
            assert all(status in described for status in STATUSES)

    def test_columns_are_those_of_the_manifest(self) -> None:
        documented = [name for row in table(self.PAGE, "column") for name in code(row[0])]
        assert sorted(documented) == sorted(field.name for field in fields(Row))


class TestVariables:
    def test_of_twilio_are_those_that_are_read(self) -> None:
        named = set(re.findall(r"(?<![A-Z_])TWILIO_[A-Z_]+[A-Z]", EVERYTHING))
        assert named == set(TWILIO_VARIABLES.values())
        assert all(f"`{name}`" in README for name in named)

    def test_of_the_tap_are_its_settings(self, about: dict[str, Any]) -> None:
        properties = about["settings"]["properties"]
        settings = {name.upper() for name in properties}
        for name, schema in properties.items():
            settings |= {f"{name}_{member}".upper() for member in schema.get("properties", {})}
        # Meltano's own, for what it selects.
        allowed = settings | {"_SELECT"}
        named = re.findall(rf"{PREFIX}(?!HOURLY_)(\w+)", EVERYTHING)
        assert named
        assert set(named) <= allowed

    def test_of_other_extractors_belong_to_one(self) -> None:
        names = {plugin["name"] for plugin in PROJECT["plugins"]["extractors"]}
        for name in re.findall(rf"{PREFIX}(HOURLY)_", EVERYTHING):
            assert f"tap-twilio-media-{name.lower()}" in names

    def test_of_the_target_are_its_settings(self) -> None:
        (target,) = (p for p in PROJECT["plugins"]["loaders"] if p["name"] == "target-postgres")
        settings = {setting["name"].upper() for setting in target["settings"]}
        named = set(re.findall(r"TARGET_POSTGRES_(\w+)", EVERYTHING))
        assert named
        assert named <= settings


class TestCommands:
    COMMANDS = "\n".join([*blocks(EVERYTHING, "sh", "cron"), *code(EVERYTHING)])

    def test_scripts_exist(self) -> None:
        scripts = set(re.findall(r"script/\w+", EVERYTHING))
        assert {"script/demo", "script/test"} <= scripts
        assert all((ROOT / script).is_file() for script in scripts)

    def test_options_of_scripts_exist(self) -> None:
        sources = {
            "demo": (ROOT / "demo" / "__main__.py").read_text(),
            "test": (ROOT / "tests" / "conftest.py").read_text(),
        }
        used = re.findall(r"script/(\w+) (--\w+)", self.COMMANDS)
        assert used
        for script, option in used:
            assert f'"{option}"' in sources[script]

    def test_name_plugins_jobs_and_schedules_of_the_project(self) -> None:
        plugins = {plugin["name"] for kind in PROJECT["plugins"].values() for plugin in kind}
        runnable = plugins | {job["name"] for job in PROJECT["jobs"]}
        runs = re.findall(r"meltano run ((?:[\w=-]+ ?)+)", self.COMMANDS)
        assert runs
        for run in runs:
            assert {word for word in run.split() if not word.startswith("--")} <= runnable
        schedules = {schedule["name"] for schedule in PROJECT["schedules"]}
        assert set(re.findall(r"meltano schedule run (\w+)", self.COMMANDS)) <= schedules
        states = re.findall(r"dev:([\w-]+)-to-([\w-]+)", EVERYTHING)
        assert states
        assert {name for pair in states for name in pair} <= plugins

    def test_schedules_are_those_of_the_project(self) -> None:
        tasks = {job["name"]: job["tasks"] for job in PROJECT["jobs"]}
        documented = [[code(cell)[0] for cell in row[:3]] for row in table(README, "schedule")]
        assert documented == [
            [schedule["name"], schedule["interval"], schedule["job"]]
            for schedule in PROJECT["schedules"]
        ]
        for name, interval, job in documented:
            assert job in tasks
            assert re.search(
                rf"^{re.escape(interval)} .*meltano schedule run {name}$",
                self.COMMANDS,
                re.MULTILINE,
            )

    def test_the_target_is_set_up_as_told(self) -> None:
        (target,) = (p for p in PROJECT["plugins"]["loaders"] if p["name"] == "target-postgres")
        assert target["config"]["default_target_schema"] == "twilio"
        for setting in ("use_copy", "sanitize_null_text_characters"):
            assert target["config"][setting] is True
            assert f"`{setting}: true`" in README


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    text = BLOCK.sub("", page.read_text())
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class TestLinks:
    @pytest.mark.parametrize("page", PAGES, ids=name_of)
    def test_lead_somewhere(self, page: Path) -> None:
        text = BLOCK.sub("", page.read_text())
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if link.startswith("https://"):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link

    def test_reach_every_page_from_the_readme(self) -> None:
        for page in PAGES[1:]:
            assert f"({name_of(page)})" in README

    @pytest.mark.parametrize("page", PAGES[3:], ids=name_of)
    def test_lead_back(self, page: Path) -> None:
        assert "[Back to the README](../README.md#" in page.read_text()


def personal_fields(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield the paths of the properties that a schema calls personal."""
    for name, part in schema.get("properties", {}).items():
        here = f"{path}{name}"
        if part["description"].endswith("Personal data."):
            yield here
        yield from personal_fields(part, f"{here}.")
        yield from personal_fields(part.get("items", {}), f"{here}[].")


def test_personal_fields_are_those_of_the_schemas() -> None:
    rows = table((ROOT / "docs" / "privacy.md").read_text(), "stream")
    assert {code(row[0])[0]: code(row[1]) for row in rows} == {
        stream: list(personal_fields(load(stream))) for stream in STREAMS
    }


def text_of(node: ast.AST | None) -> str:
    """Return the text that a node of source stands for, with `…` wherever a value is put in."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    constants = [part.value if isinstance(part, ast.Constant) else "…" for part in parts]
    return re.sub(r"%(\.\d)?[sdf]", "…", "".join(map(str, constants)))


@cache
def messages_of_the_code() -> str:
    """Return every text in the tap's source, a line each."""
    modules = (ROOT / "tap_twilio_media").rglob("*.py")
    nodes = (node for path in modules for node in ast.walk(ast.parse(path.read_text())))
    return "\n".join(
        text_of(node) for node in nodes if isinstance(node, ast.JoinedStr | ast.Constant)
    )


def quoted_messages() -> list[str]:
    """Return the fragments that the page on troubleshooting quotes."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    return re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)


class TestMessages:
    def test_are_many(self) -> None:
        assert len(quoted_messages()) > 40

    @pytest.mark.parametrize("fragment", quoted_messages())
    def test_are_in_the_code(self, fragment: str) -> None:
        assert fragment in messages_of_the_code()

    def test_about_settings_are_all_told(self) -> None:
        checks = ast.parse((ROOT / "tap_twilio_media" / "checks.py").read_text())
        yielded = (text_of(n.value) for n in ast.walk(checks) if isinstance(n, ast.Yield))
        messages = [text for text in yielded if re.search(r"\w", text)]
        assert messages
        for message in messages:
            assert any(fragment in message for fragment in quoted_messages()), message
