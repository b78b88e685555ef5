"""Paths: made of identifiers and dates, and never of what a sender chose."""

from __future__ import annotations

import string
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_twilio_media.download.names import (
    DEFAULT_TEMPLATE,
    extension_of,
    path_of,
    problem_of,
)
from tap_twilio_media.download.references import Reference
from tap_twilio_media.download.storage import is_inside
from tests.simulator.messaging import CONTENT_TYPES

AC, MM, ME = "AC" + "a" * 32, "MM" + "b" * 32, "ME" + "c" * 32
IM, CH, IS = "IM" + "d" * 32, "CH" + "e" * 32, "IS" + "f" * 32
MESSAGE_MEDIA = {
    "sid": ME,
    "account_sid": AC,
    "message_sid": MM,
    "content_type": "image/jpeg",
    "date_created": "2026-01-31T23:59:59Z",
}
MCS_MEDIA = MESSAGE_MEDIA | {
    "message_sid": IM,
    "conversation_sid": CH,
    "chat_service_sid": IS,
    "size": 5,
    "filename": "../../passwd",
}


def named(template: str, stream: str = "message_media", **changes: Any) -> str:
    record = MESSAGE_MEDIA if stream == "message_media" else MCS_MEDIA
    return path_of(template, Reference.of(stream, record | changes))


@pytest.mark.parametrize(
    ("template", "path"),
    [
        (DEFAULT_TEMPLATE, f"{AC}/{MM}/{ME}.jpg"),
        ("{sid}", ME),
        ("{stream}/{date}/{sid}{ext}", f"message_media/2026-01-31/{ME}.jpg"),
        ("year={year}/{month}-{day}/{sid}", f"year=2026/01-31/{ME}"),
        ("{chat_service_sid}/{conversation_sid}/{sid}", f"none/none/{ME}"),
        ("{{x}}/{sid}", f"{{x}}/{ME}"),
    ],
)
def test_templates(template: str, path: str) -> None:
    assert problem_of(template) is None
    assert named(template) == path


def test_a_file_of_a_conversation() -> None:
    path = named("{chat_service_sid}/{conversation_sid}/{message_sid}/{sid}{ext}", "mcs_media")
    assert path == f"{IS}/{CH}/{IM}/{ME}.jpg"


@pytest.mark.parametrize("date", [None, "", "soon", "2026-13-01", "0000-00-00", 5])
def test_a_date_that_is_none(date: object) -> None:
    path = named("{date}/{year}/{month}/{day}/{sid}", date_created=date)
    assert path == f"none/none/none/none/{ME}"


@pytest.mark.parametrize(
    "template",
    [
        None,
        5,
        "",
        "{account_sid}/file{ext}",
        "{sid}{filename}",
        "{sid}{sid.x}",
        "{sid}{ext[0]}",
        "{sid:>99}",
        "{sid!r}",
        "{0}{sid}",
        "{}{sid}",
        "{sid",
        "sid}",
        "/{sid}",
        "../{sid}",
        "a/../{sid}",
        "./{sid}",
        "a//{sid}",
        "{sid}/",
        "a/{sid}/..",
        "a\\{sid}",
        "C:/{sid}",
        "a\n{sid}",
        "a\x00{sid}",
        "a\x7f{sid}",
        "{sid}?x",
        "x#{sid}",
        "*{sid}",
        "a /{sid}",
        "manifest/{sid}",
        "{sid}.part",
        "x" * 230 + "/{sid}" + "y" * 230,
        "é" * 110 + "{sid}",
        "a/" * 400 + "{sid}",
    ],
)
def test_templates_that_are_refused(template: object) -> None:
    problem = problem_of(template)
    assert problem
    assert "\n" not in problem


@pytest.mark.parametrize(
    ("content_type", "extension"),
    [
        ("image/jpeg", ".jpg"),
        ("IMAGE/JPEG", ".jpg"),
        (" image/jpeg ; charset=binary", ".jpg"),
        ("audio/ogg; codecs=opus", ".ogg"),
        ("audio/opus", ".opus"),
        ("audio/amr", ".amr"),
        ("video/3gpp", ".3gp"),
        ("video/quicktime", ".mov"),
        ("image/heic", ".heic"),
        ("image/heif", ".heif"),
        ("image/webp", ".webp"),
        ("text/vcard; charset=utf-8", ".vcf"),
        ("text/x-vcard", ".vcf"),
        ("text/calendar", ".ics"),
        ("application/rtf", ".rtf"),
        ("application/vnd.apple.pkpass", ".pkpass"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"),
        ("application/x-tar", ".tar"),
        (None, ".bin"),
        ("", ".bin"),
        (";", ".bin"),
        ("image", ".bin"),
        ("image/", ".bin"),
        ("image/no-such-type", ".bin"),
        ("image/jpeg\r\nSet-Cookie: x", ".bin"),
        ("image/../../etc", ".bin"),
        ("x" * 300 + "/" + "y" * 300, ".bin"),
    ],
)
def test_extensions(content_type: str | None, extension: str) -> None:
    assert extension_of(content_type) == extension


def test_every_type_of_the_simulator_has_an_extension() -> None:
    assert ".bin" not in map(extension_of, CONTENT_TYPES)


anything = st.one_of(
    st.none(),
    st.text(),
    st.integers(),
    st.sampled_from([AC, MM, ME, CH, IM, IS, "../x", "/etc/passwd", "a\x00b", "x" * 300, "\ud800"]),
)
fields = st.sampled_from(
    ["{sid}", "{ext}", "{date}", "{stream}", "{message_sid}", "{account_sid}", "{conversation_sid}"]
)
templates = st.lists(
    st.one_of(fields, st.text(string.printable + "é\u202e", max_size=8), st.just("/"))
).map("".join)


@given(
    template=templates,
    stream=st.sampled_from(["message_media", "mcs_media", "../x"]),
    record=st.fixed_dictionaries({}, optional=dict.fromkeys(MCS_MEDIA, anything)),
)
@example(template=DEFAULT_TEMPLATE, stream="mcs_media", record={"sid": "../" * 9})
def test_a_path_never_leaves_the_folder(template: str, stream: str, record: dict[str, Any]) -> None:
    if problem_of(template):
        template = DEFAULT_TEMPLATE
    path = path_of(template, Reference.of(stream, record))
    assert is_inside(path)
    assert path.isprintable()
    assert not PurePosixPath(path).is_absolute()
    assert all(len(part.encode()) < 250 for part in path.split("/"))


@given(filename=st.text())
def test_what_a_sender_calls_it_changes_nothing(filename: str) -> None:
    assert named(DEFAULT_TEMPLATE, "mcs_media", filename=filename) == f"{AC}/{IM}/{ME}.jpg"


@pytest.mark.parametrize("stream", ["message_media", "mcs_media"])
def test_good_references(stream: str) -> None:
    record = MESSAGE_MEDIA if stream == "message_media" else MCS_MEDIA
    assert Reference.of(stream, record).problem() is None


def test_what_mcs_may_leave_out() -> None:
    record = MCS_MEDIA | {"message_sid": None, "conversation_sid": None, "size": None}
    record["service_sid"] = record.pop("chat_service_sid")
    reference = Reference.of("mcs_media", record)
    assert reference.problem() is None
    assert reference.chat_service_sid == IS


HOSTILE = [
    "",
    None,
    5,
    {"a": 1},
    "../" + ME,
    "/etc/passwd",
    ME + "\x00",
    ME + "\n",
    "ME" + "c" * 298,
    "ME" + "c" * 31,
    "ME" + "g" * 32,
    "XX" + "c" * 32,
    "ME" + "\u0661" * 32,
    "\ud800",
]


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
@pytest.mark.parametrize("field", ["sid", "account_sid", "message_sid", "chat_service_sid"])
def test_identifiers_that_are_none(field: str, value: object) -> None:
    stream = "mcs_media" if field == "chat_service_sid" else "message_media"
    record = MCS_MEDIA if field == "chat_service_sid" else MESSAGE_MEDIA
    problem = Reference.of(stream, record | {field: value}).problem()
    assert problem
    assert problem.startswith(field)


def test_a_message_of_another_stream() -> None:
    assert Reference.of("message_media", MESSAGE_MEDIA | {"message_sid": IM}).problem()
    assert Reference.of("mcs_media", MCS_MEDIA | {"message_sid": MM}).problem()
    assert Reference.of("messages", MESSAGE_MEDIA).problem()


@pytest.mark.parametrize("size", [-1, "5", 5.0, True, None])
def test_a_size_that_is_none(size: object) -> None:
    assert Reference.of("mcs_media", MCS_MEDIA | {"size": size}).size is None
