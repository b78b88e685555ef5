"""Where settings come from."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_twilio_media.errors import ConfigError
from tap_twilio_media.settings import CONFIG_SCHEMA
from tap_twilio_media.sources import IDENTITY, PREFIX, TWILIO_VARIABLES, merged

PROPERTIES = CONFIG_SCHEMA["properties"]
OWN = {name: PREFIX + name.upper() for name in PROPERTIES}


def environment(**values: str) -> dict[str, str]:
    """Return our own variables for settings."""
    return {OWN[name]: value for name, value in values.items()}


def merge(config: dict[str, Any] | None = None, **environ: str) -> dict[str, Any]:
    return merged(config or {}, environ, {PREFIX: PROPERTIES})


# ---- their order


def test_the_config_wins_over_our_variables_and_those_over_twilios() -> None:
    environ = {"TAP_TWILIO_MEDIA_REGION": "ie1", "TWILIO_REGION": "au1"}
    assert merge({"region": "us1"}, **environ) == {"region": "us1"}
    assert merge({}, **environ) == {"region": "ie1"}
    assert merge({}, TWILIO_REGION="au1") == {"region": "au1"}
    assert merge({}) == {}


def test_each_setting_comes_from_the_first_that_has_it() -> None:
    environ = {
        "TAP_TWILIO_MEDIA_EDGE": "dublin",
        "TAP_TWILIO_MEDIA_PAGE_SIZE": "50",
        "TWILIO_EDGE": "sydney",
        "TWILIO_REGION": "au1",
    }
    assert merge({"page_size": 7, "full_scan": True}, **environ) == {
        "page_size": 7,
        "full_scan": True,
        "edge": "dublin",
        "region": "au1",
    }


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_and_empty_count_as_not_set(nothing: str | None) -> None:
    assert merge({"region": nothing}) == {}
    assert merge({"region": nothing}, TAP_TWILIO_MEDIA_REGION="ie1") == {"region": "ie1"}
    environ = {"TAP_TWILIO_MEDIA_REGION": "", "TWILIO_REGION": "au1"}
    assert merge({"region": nothing}, **environ) == {"region": "au1"}
    assert merge({}, TAP_TWILIO_MEDIA_REGION="", TWILIO_REGION="") == {}
    assert merge({}, TAP_TWILIO_MEDIA_FULL_SCAN="", TAP_TWILIO_MEDIA_PAGE_SIZE="") == {}


@pytest.mark.parametrize("value", [False, 0, [], {}])
def test_what_is_false_is_set_nevertheless(value: object) -> None:
    environ = {"TAP_TWILIO_MEDIA_FULL_SCAN": "true", "TAP_TWILIO_MEDIA_LOOKBACK_DAYS": "5"}
    config = {"full_scan": value, "lookback_days": value}
    assert merge(config, **environ) == config


def test_settings_of_the_sdk_pass() -> None:
    config = {"stream_maps": {"messages": {"body": None}}, "unknown": 1}
    assert merge(config, TAP_TWILIO_MEDIA_OTHER="x", TWILIO_OTHER="y") == config


def test_the_config_is_not_changed() -> None:
    config = {"region": None, "account_sid": "AC", "full_scan": False}
    merge(config, TWILIO_REGION="au1", TWILIO_AUTH_TOKEN="t")
    assert config == {"region": None, "account_sid": "AC", "full_scan": False}


# ---- an account and its credentials


@pytest.mark.parametrize(
    ("in_config", "in_own", "in_twilio"), list(product([False, True], repeat=3))
)
@pytest.mark.parametrize("name", IDENTITY)
def test_an_identity_comes_from_one_source_whole(
    name: str, *, in_config: bool, in_own: bool, in_twilio: bool
) -> None:
    """A single member of the group in a source keeps those of all later sources out."""
    config = {name: "config"} if in_config else {}
    environ = environment(**{name: "own"}) if in_own else {}
    if in_twilio:
        environ |= {"TWILIO_ACCOUNT_SID": "twilio", "TWILIO_API_KEY": "twilio"}
    expected: dict[str, str] = {}
    if in_twilio:
        expected = {"account_sid": "twilio", "api_key_sid": "twilio"}
    if in_own:
        expected = {name: "own"}
    if in_config:
        expected = {name: "config"}
    assert merge(config, **environ) == expected


def test_a_token_of_the_environment_never_meets_the_account_of_a_config() -> None:
    environ = {
        "TAP_TWILIO_MEDIA_AUTH_TOKEN": "own",
        "TWILIO_ACCOUNT_SID": "AC2",
        "TWILIO_AUTH_TOKEN": "twilio",
        "TWILIO_REGION": "ie1",
    }
    assert merge({"account_sid": "AC1"}, **environ) == {"account_sid": "AC1", "region": "ie1"}
    assert merge({}, **environ) == {"auth_token": "own", "region": "ie1"}
    # Nothing but empty values is no source.
    assert merge({"account_sid": "", "auth_token": None}, **environ)["auth_token"] == "own"


@pytest.mark.parametrize(
    ("given_too", "taken"),
    [
        (["auth_token"], ["auth_token"]),
        (["api_key_sid", "api_key_secret"], ["api_key_sid", "api_key_secret"]),
        (["auth_token", "api_key_sid", "api_key_secret"], ["auth_token"]),
        (["auth_token", "api_key_sid"], ["auth_token"]),
    ],
)
def test_of_twilios_variables_the_auth_token_wins(given_too: list[str], taken: list[str]) -> None:
    environ = {TWILIO_VARIABLES[name]: name for name in ["account_sid", *given_too]}
    assert merge({}, **environ) == {name: name for name in ["account_sid", *taken]}


def test_of_our_own_both_pairs_are_kept_to_be_refused() -> None:
    both = {name: name for name in IDENTITY}
    assert merge({}, **environment(**both)) == both
    assert merge(dict(both)) == both


def test_the_variables_are_those_of_twilios_tools() -> None:
    assert TWILIO_VARIABLES == {
        "account_sid": "TWILIO_ACCOUNT_SID",
        "auth_token": "TWILIO_AUTH_TOKEN",
        "api_key_sid": "TWILIO_API_KEY",
        "api_key_secret": "TWILIO_API_SECRET",
        "region": "TWILIO_REGION",
        "edge": "TWILIO_EDGE",
    }


# ---- types of variables

PAIRS = [{"account_sid": "AC1", "auth_token": "t"}]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        *(("full_scan", word, True) for word in ("true", "True", "TRUE", "1", "yes", "on", " on ")),
        *(("full_scan", word, False) for word in ("false", "False", "0", "no", "off", "No")),
        ("page_size", "50", 50),
        ("page_size", " 50 ", 50),
        ("lookback_days", "3", 3.0),
        ("lookback_days", "0.5", 0.5),
        ("max_retry_seconds", "1e3", 1000.0),
        ("region", "us1", "us1"),
        ("start_date", "2026-01-31", "2026-01-31"),
        ("account_sid", "5", "5"),
        ("auth_token", "true", "true"),
        ("account_sids", "AC1", ["AC1"]),
        ("account_sids", "AC1,AC2", ["AC1", "AC2"]),
        ("account_sids", " AC1 , AC2, ", ["AC1", "AC2"]),
        ("account_sids", '["AC1", "AC2"]', ["AC1", "AC2"]),
        ("account_sids", ' ["AC1"]', ["AC1"]),
        ("account_sids", "[]", []),
        ("subaccount_credentials", json.dumps(PAIRS), PAIRS),
    ],
)
def test_a_variable_is_read_as_its_type(name: str, text: str, value: object) -> None:
    result = merge({}, **environment(**{name: text}))
    assert result == {name: value}
    assert type(result[name]) is type(value)


@pytest.mark.parametrize("types", ["object", ["object", "null"], ["null", "object"]])
def test_an_object_is_read_as_json(types: object) -> None:
    properties = {"download": {"type": types}}
    environ = {"TAP_TWILIO_MEDIA_DOWNLOAD": '{"output_path": "files"}'}
    assert merged({}, environ, {PREFIX: properties}) == {"download": {"output_path": "files"}}
    with pytest.raises(ConfigError, match="TAP_TWILIO_MEDIA_DOWNLOAD cannot be read as object"):
        merged({}, {"TAP_TWILIO_MEDIA_DOWNLOAD": "files"}, {PREFIX: properties})


# ---- members of an object

MEMBERS = {"output_path": "files", "content_types": ["image/*", "audio/ogg"], "max_file_bytes": 5}
MEMBER_VARIABLES = {
    "TAP_TWILIO_MEDIA_DOWNLOAD_OUTPUT_PATH": "files",
    "TAP_TWILIO_MEDIA_DOWNLOAD_CONTENT_TYPES": "image/*, audio/ogg",
    "TAP_TWILIO_MEDIA_DOWNLOAD_MAX_FILE_BYTES": "5",
}


def test_members_of_an_object_have_a_variable_each() -> None:
    assert merge({}, **MEMBER_VARIABLES) == {"download": MEMBERS}
    assert merge({}, TAP_TWILIO_MEDIA_DOWNLOAD=json.dumps(MEMBERS)) == {"download": MEMBERS}
    types = '["image/*", "audio/ogg"]'
    as_json = merge({}, TAP_TWILIO_MEDIA_DOWNLOAD_CONTENT_TYPES=types)
    assert as_json == {"download": {"content_types": MEMBERS["content_types"]}}
    assert merge({}, TAP_TWILIO_MEDIA_DOWNLOAD_OUTPUT_PATH="") == {}


def test_each_member_comes_from_the_first_that_has_it() -> None:
    both = MEMBER_VARIABLES | {
        "TAP_TWILIO_MEDIA_DOWNLOAD": '{"output_path": "json", "path_template": "{sid}"}'
    }
    own = MEMBERS | {"output_path": "json", "path_template": "{sid}"}
    assert merge({}, **both) == {"download": own}, "the object counts before its members"
    config = {"download": {"output_path": "config", "max_file_bytes": None}}
    assert merge(config, **both) == {"download": own | {"output_path": "config"}}
    assert merge({"download": {"content_types": []}}, **MEMBER_VARIABLES) == {
        "download": MEMBERS | {"content_types": []}
    }
    assert config == {"download": {"output_path": "config", "max_file_bytes": None}}


def test_an_object_that_is_none_is_kept_to_be_refused() -> None:
    assert merge({"download": "files"}, **MEMBER_VARIABLES) == {"download": "files"}
    assert merge({}, **MEMBER_VARIABLES, TAP_TWILIO_MEDIA_DOWNLOAD="[1]") == {"download": [1]}


def test_a_member_that_cannot_be_read_names_its_variable_alone() -> None:
    with pytest.raises(ConfigError) as caught:
        merge({}, TAP_TWILIO_MEDIA_DOWNLOAD_MAX_FILE_BYTES="zqmany")
    name = "TAP_TWILIO_MEDIA_DOWNLOAD_MAX_FILE_BYTES"
    assert str(caught.value) == f"environment variable {name} cannot be read as integer"


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("full_scan", "zqmaybe", "boolean"),
        ("full_scan", "2", "boolean"),
        ("include_subaccounts", "truezq", "boolean"),
        ("page_size", "zqmany", "integer"),
        ("page_size", "50.5", "integer"),
        ("lookback_days", "threezq", "number"),
        ("account_sids", '["zq', "array"),
        ("subaccount_credentials", '[{"auth_token": "zqsecret"', "array"),
    ],
)
def test_what_cannot_be_read_names_the_variable_alone(name: str, text: str, kind: str) -> None:
    with pytest.raises(ConfigError) as caught:
        merge({}, **environment(**{name: text}))
    assert str(caught.value) == f"environment variable {OWN[name]} cannot be read as {kind}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_variable_is_read_even_where_the_config_wins() -> None:
    """A mistake is told when it is made, and not when the config changes."""
    with pytest.raises(ConfigError):
        merge({"page_size": 5}, TAP_TWILIO_MEDIA_PAGE_SIZE="many")


SECRETS = st.text(min_size=1).map(lambda text: f"zq{text}zq")


@given(st.sampled_from(sorted(PROPERTIES)), SECRETS | SECRETS.map(lambda text: "[" + text))
def test_no_error_shows_a_value(name: str, text: str) -> None:
    try:
        merge({}, **environment(**{name: text}))
    except ConfigError as error:
        assert "zq" not in str(error)  # noqa: PT017 - most texts are no error
        assert OWN[name] in str(error)  # noqa: PT017
