"""The settings: what is refused and how it is told, and what the accepted ones mean."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_twilio_media.checks import problems
from tap_twilio_media.client.hosts import Hosts
from tap_twilio_media.client.network import Credentials, Manners
from tap_twilio_media.config import Settings
from tap_twilio_media.errors import ConfigError
from tap_twilio_media.settings import CONFIG_SCHEMA
from tap_twilio_media.tap import TapTwilioMedia

SID = "AC" + "0123456789abcdef" * 2
OTHER = "AC" + "0123456789ABCDEF" * 2
KEY = "SK" + "0123456789abcdef" * 2
TOKEN = "zq-token"
SECRET = "zq-secret"

BY_TOKEN = {"account_sid": SID, "auth_token": TOKEN}
BY_KEY = {"account_sid": SID, "api_key_sid": KEY, "api_key_secret": SECRET}
SUB_BY_TOKEN = {"account_sid": OTHER, "auth_token": TOKEN}
SUB_BY_KEY = {"account_sid": OTHER, "api_key_sid": KEY, "api_key_secret": SECRET}
DEFAULTS = {
    name: field["default"]
    for name, field in CONFIG_SCHEMA["properties"].items()
    if "default" in field
}

TODAY = datetime.now(timezone.utc).date()
TOMORROW = str(TODAY + timedelta(days=2))


def found(config: dict[str, Any] | None = None, **changes: Any) -> list[str]:
    return list(problems({**(BY_TOKEN if config is None else config), **changes}))


def refusal(config: dict[str, Any]) -> str | None:
    """Return how the tap itself refuses a config."""
    try:
        TapTwilioMedia(config=config)
    except ConfigError as error:
        return str(error)
    return None


# ---- nothing wrong


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"start_date": "2026-01-31", "end_date": "2026-02-01T12:00:00Z"},
        {"start_date": str(TODAY)},
        {"start_date": "Sat, 31 Jan 2026 12:00:00 +0000"},
        {"start_date": "2026-01-31T12:00:00+14:00", "end_date": "2026-01-31T12:00:00Z"},
        {"end_date": TOMORROW},
        {"start_date": "2026-01-31", "full_scan": True},
        {"end_date": "2026-01-31", "full_scan": False},
        {"start_date": None, "end_date": ""},
        {"account_sids": [SID, OTHER]},
        {"account_sids": []},
        {"account_sids": None},
        {"subaccount_credentials": [SUB_BY_TOKEN, {**SUB_BY_KEY, "account_sid": SID}]},
        {"subaccount_credentials": []},
        {"subaccount_credentials": None},
        *({"region": region} for region in ("us1", "ie1", "au1", "jp12", None, "")),
        *({"edge": edge} for edge in ("dublin", "sao-paulo", "ashburn-ix", "x1", None, "")),
        *(
            {name: url}
            for name in ("api_url", "conversations_url", "mcs_url")
            for url in (
                "https://proxy.example",
                "https://proxy.example:8443/twilio/",
                "HTTPS://PROXY.EXAMPLE",
                "https://10.0.0.1",
                "http://localhost:8080",
                "http://LOCALHOST",
                "http://127.0.0.1",
                "http://127.1.2.3:80/prefix",
                "http://[::1]",
                "http://[::1]:8080/prefix",
                "",
                None,
            )
        ),
        {"user_agent": "acme-warehouse/1.2 (contact@example.com)"},
        {"user_agent": ""},
        {"batch_config": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("pair", [BY_TOKEN, BY_KEY], ids=["token", "key"])
def test_what_is_right_is_not_refused(pair: dict[str, Any], changes: dict[str, Any]) -> None:
    assert found(pair, **changes) == []


def test_empty_members_of_the_other_pair_do_not_count() -> None:
    assert found(BY_TOKEN, api_key_sid="", api_key_secret=None) == []
    assert found(BY_KEY, auth_token="") == []
    assert found(subaccount_credentials=[{**SUB_BY_TOKEN, "api_key_sid": None}]) == []


# ---- one thing wrong: one sentence

NO_SIDS = [
    "AC",
    SID[:-1],
    SID + "0",
    SID + "\n",
    " " + SID,
    SID.lower(),
    "SK" + SID[2:],
    "AC" + "g" * 32,
    "AC" + "٣" * 32,
    5,
    True,
    [SID],
    {"sid": SID},
]
NO_SECRETS = ["zq zq", "zq\n", "\tzq", "zqü", "zq🏢", "zq\0", "zq\x7f", 5, True, ["zq"], {"zq": 1}]
NO_URLS = [
    ("api.twilio.com", "must be an address"),
    ("//api.twilio.com", "must be an address"),
    ("ftp://api.twilio.com", "must be an address"),
    ("https://", "must be an address"),
    ("https:///path", "must be an address"),
    ("https://zq@api.twilio.com", "must have no credentials"),
    ("https://zq:zq@api.twilio.com", "must have no credentials"),
    ("https://:zq@api.twilio.com", "must have no credentials"),
    ("https://api.twilio.com?zq=1", "must have no credentials"),
    ("https://api.twilio.com/#zq", "must have no credentials"),
    ("http://user:zq@localhost", "must have no credentials"),
    ("http://api.twilio.com", "use https"),
    ("http://10.0.0.1", "use https"),
    ("http://0.0.0.0", "use https"),
    ("http://[::2]", "use https"),
    ("http://[::]", "use https"),
    ("http://localhost.example.com", "use https"),
    ("http://127.0.0.1.example.com", "use https"),
    ("http://localhost.", "use https"),
    ("http://2130706433", "use https"),
    ("http://[::1", "not a URL"),
    ("https://host:99999", "not a URL"),
    ("https://host:port", "not a URL"),
    (5, "not a URL"),
    (True, "not a URL"),
    (["https://host"], "not a URL"),
    ({"zq": 1}, "not a URL"),
]
NO_DATES = ["zqsoon", "2026", "2026-13-01", "2026-02-30", "31.01.2026", 20260131, True, ["zq"], {}]

NO_LISTS: list[object] = [5, True, "zq", {}, SUB_BY_TOKEN, [SUB_BY_TOKEN, "zq"], [None], [[]]]

WRONG: list[tuple[str, dict[str, Any], str]] = [
    *(("account_sid:", {"account_sid": value}, "AC and 32 hexadecimal") for value in NO_SIDS),
    *(("auth_token:", {"auth_token": value}, "printable ASCII") for value in NO_SECRETS),
    *(("account_sids:", {"account_sids": [SID, value]}, "each must be AC") for value in NO_SIDS),
    ("account_sids:", {"account_sids": ["", None, 5, "zq"]}, "each must be AC"),
    ("account_sids:", {"account_sids": SID}, "each must be AC"),
    *(
        ("subaccount_credentials:", {"subaccount_credentials": value}, "list of objects")
        for value in NO_LISTS
    ),
    *(
        (f"{name}:", {name: value}, "must be a date such as")
        for name in ("start_date", "end_date")
        for value in NO_DATES
    ),
    ("start_date:", {"start_date": TOMORROW}, "lies in the future"),
    ("end_date:", {"start_date": "2026-01-31", "end_date": "2026-01-30"}, "after start_date"),
    ("end_date:", {"start_date": "2026-01-31", "end_date": "2026-01-31"}, "after start_date"),
    (
        "end_date:",
        {"start_date": "2026-01-31T12:00:00Z", "end_date": "2026-01-31T12:00:00+01:00"},
        "after start_date",
    ),
    ("end_date:", {"end_date": "2026-01-31", "full_scan": True}, "full_scan"),
    *(
        ("region:", {"region": value}, "us1")
        for value in ("ie", "IE1", "ireland", "us1.evil.com", "us1/", "us1\n", "us123", 5, ["us1"])
    ),
    *(
        ("edge:", {"edge": value}, "dublin")
        for value in ("Dublin", "a.b", "a/b", "a@b", "dublin\n", "dub lin", "ü", 5, ["dublin"])
    ),
    *(
        (f"{name}:", {name: value}, why)
        for name in ("api_url", "conversations_url", "mcs_url")
        for value, why in NO_URLS
    ),
    *(
        ("user_agent:", {"user_agent": value}, "printable ASCII")
        for value in ("a\r\nX-Evil: 1", "a\n", "ü", "🏢", "\0", 5, ["a"], {"a": 1})
    ),
    ("batch_config:", {"batch_config": {"encoding": {}}}, "not supported"),
]


@pytest.mark.parametrize(("start", "changes", "why"), WRONG)
def test_one_thing_wrong_is_one_sentence(start: str, changes: dict[str, Any], why: str) -> None:
    (text,) = found(**changes)
    assert text.startswith(start)
    assert why in text
    assert "\n" not in text
    assert "zq" not in text


@pytest.mark.parametrize("secret", NO_SECRETS)
def test_each_secret_is_checked(secret: object) -> None:
    key = {**BY_KEY, "api_key_secret": secret}
    expected = "must be text of printable ASCII characters without spaces"
    assert found(key) == [f"api_key_secret: {expected}"]
    subs = [SUB_BY_TOKEN, {**SUB_BY_KEY, "api_key_secret": secret}]
    assert found(subaccount_credentials=subs) == [
        f"subaccount_credentials[1].api_key_secret: {expected}"
    ]
    subs = [{**SUB_BY_TOKEN, "auth_token": secret}, SUB_BY_KEY]
    assert found(subaccount_credentials=subs) == [
        f"subaccount_credentials[0].auth_token: {expected}"
    ]


@pytest.mark.parametrize("sid", [None, *NO_SIDS])
def test_each_sid_is_checked(sid: object) -> None:
    subs = [SUB_BY_TOKEN, {**SUB_BY_TOKEN, "account_sid": sid}]
    assert found(subaccount_credentials=subs) == [
        "subaccount_credentials[1].account_sid: must be AC and 32 hexadecimal digits"
    ]
    if sid is not None and sid != "SK" + SID[2:]:
        assert found(BY_KEY, api_key_sid=sid) == [
            "api_key_sid: must be SK and 32 hexadecimal digits"
        ]
        subs = [{**SUB_BY_KEY, "api_key_sid": sid}]
        assert found(subaccount_credentials=subs) == [
            "subaccount_credentials[0].api_key_sid: must be SK and 32 hexadecimal digits"
        ]


# ---- pairs

PAIRS: list[tuple[set[str], str]] = [
    (set(), "{0}auth_token is not set: set it, or {0}api_key_sid with {0}api_key_secret"),
    ({"api_key_sid"}, "{0}api_key_secret is not set: an API key needs both"),
    ({"api_key_secret"}, "{0}api_key_sid is not set: an API key needs both"),
    ({"auth_token", "api_key_sid"}, "{0}auth_token and {0}api_key_sid are both set"),
    ({"auth_token", "api_key_secret"}, "{0}auth_token and {0}api_key_sid are both set"),
    (
        {"auth_token", "api_key_sid", "api_key_secret"},
        "{0}auth_token and {0}api_key_sid are both set",
    ),
]


@pytest.mark.parametrize("nothing", [None, "", ...])
@pytest.mark.parametrize(("names", "expected"), PAIRS)
def test_it_is_one_pair_and_whole(names: set[str], expected: str, nothing: object) -> None:
    values = {"auth_token": TOKEN, "api_key_sid": KEY, "api_key_secret": SECRET}
    pair = {name: value if name in names else nothing for name, value in values.items()}
    pair = {name: value for name, value in pair.items() if value is not ...}
    (text,) = found({"account_sid": SID, **pair})
    assert text.startswith(expected.format(""))
    (text,) = found(subaccount_credentials=[{"account_sid": OTHER, **pair}])
    assert text.startswith(expected.format("subaccount_credentials[0]."))
    assert "zq" not in text


@pytest.mark.parametrize("config", [{}, {"auth_token": TOKEN}, {**BY_KEY, "region": "x"}])
def test_without_an_account_that_is_told_first(config: dict[str, Any]) -> None:
    for nothing in ("", None):
        text = found({**config, "account_sid": nothing})[0]
        assert text.startswith("account_sid is not set: ")
    for name in ("auth_token", "api_key_sid", "TAP_TWILIO_MEDIA_", "TWILIO_ACCOUNT_SID"):
        assert name in text


def test_all_that_is_wrong_is_told_at_once() -> None:
    texts = found(
        account_sid="AC1",
        subaccount_credentials=[{}, {}],
        start_date=TOMORROW,
        account_sids=["x"],
        region="x",
        edge="X",
        api_url="x",
        mcs_url="x",
        user_agent="\n",
        batch_config={"x": 1},
    )
    assert [text.split(":")[0].split(" ")[0] for text in texts] == [
        "account_sid",
        "subaccount_credentials[0].account_sid",
        "subaccount_credentials[0].auth_token",
        "subaccount_credentials[1].account_sid",
        "subaccount_credentials[1].auth_token",
        "region",
        "edge",
        "api_url",
        "mcs_url",
        "user_agent",
        "start_date",
        "account_sids",
        "batch_config",
    ]


# ---- what is never told

MARKED = st.text(max_size=8).map(lambda text: f"zq{text}zq")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | MARKED,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MARKED, inner, max_size=3),
    max_leaves=4,
)
MEMBERS = ("auth_token", "api_key_sid", "api_key_secret")
PAIRS_OF_ANYTHING = st.fixed_dictionaries({}, optional=dict.fromkeys(MEMBERS, JSON))


@given(PAIRS_OF_ANYTHING, JSON | st.lists(PAIRS_OF_ANYTHING, max_size=2), st.booleans())
def test_no_problem_shows_a_secret(pair: dict[str, Any], subs: object, with_sid: bool) -> None:  # noqa: FBT001
    if isinstance(subs, list) and with_sid:
        subs = [{"account_sid": OTHER, **item} if isinstance(item, dict) else item for item in subs]
    for text in found({"account_sid": SID, **pair}, subaccount_credentials=subs):
        assert "zq" not in text
        assert "\n" not in text


@given(PAIRS_OF_ANYTHING, JSON | st.lists(PAIRS_OF_ANYTHING, max_size=2))
def test_nor_does_the_tap(pair: dict[str, Any], subs: object) -> None:
    if isinstance(subs, list):
        subs = [{"account_sid": OTHER, **item} if isinstance(item, dict) else item for item in subs]
    config = {"account_sid": SID, **pair, "subaccount_credentials": subs}
    text = refusal({name: value for name, value in config.items() if value is not None})
    assert "zq" not in (text or "")


@pytest.mark.parametrize("name", ["page_size", "max_concurrency", "lookback_days", "full_scan"])
def test_plain_types_are_the_schemas(name: str) -> None:
    assert found({**BY_TOKEN, name: "many"}) == []
    text = refusal({**BY_TOKEN, name: "many"})
    assert text is not None
    assert name in text
    assert "zq" not in text


def test_the_tap_tells_all_problems_in_one_line() -> None:
    text = refusal({**BY_TOKEN, "auth_token": "zq zq", "region": "x", "page_size": 0})
    assert text is not None
    assert [part.partition(":")[0] for part in text.split("; ")[:2]] == ["auth_token", "region"]
    assert "\n" not in text


def test_the_tap_takes_what_is_right() -> None:
    assert refusal(BY_TOKEN) is None
    assert refusal(BY_KEY) is None


# ---- what the settings mean


def settings(**changes: Any) -> Settings:
    return Settings.of({**DEFAULTS, **BY_TOKEN, **changes}, "tap-twilio-media/1.2.3")


def test_the_defaults() -> None:
    assert settings() == Settings(
        account_sid=SID,
        credentials=Credentials(SID, TOKEN),
        subaccount_credentials={},
        start_date=None,
        end_date=None,
        include_subaccounts=False,
        account_sids=(),
        lookback=timedelta(days=3),
        media_lookback=timedelta(days=3),
        full_scan=False,
        strict=False,
        longest_window=timedelta(days=400),
        page_size=1000,
        max_concurrency=10,
        manners=Manners("tap-twilio-media/1.2.3", 60, 600),
        hosts=Hosts.of(None, None),
        download=None,
    )


def test_credentials_are_either_pair() -> None:
    by_key = Settings.of({**DEFAULTS, **BY_KEY}, "tap-twilio-media/1")
    assert by_key.credentials == Credentials(KEY, SECRET)
    assert by_key.account_sid == SID
    subs = [SUB_BY_KEY, {**SUB_BY_TOKEN, "account_sid": SID}]
    assert settings(subaccount_credentials=subs).subaccount_credentials == {
        OTHER: Credentials(KEY, SECRET),
        SID: Credentials(SID, TOKEN),
    }


def test_no_secret_is_in_their_text() -> None:
    assert "zq" not in repr(settings(subaccount_credentials=[SUB_BY_TOKEN, SUB_BY_KEY]))


@pytest.mark.parametrize(
    ("days", "media_days", "lookback", "media_lookback"),
    [
        (3, None, 3, 3),
        (7, None, 7, 7),
        (7, 1, 7, 1),
        (1, 7, 1, 7),
        (7, 0, 7, 0),
        (0, None, 0, 0),
        (0.5, 0.25, 0.5, 0.25),
        (Decimal("0.5"), None, 0.5, 0.5),  # as the SDK reads a config
    ],
)
def test_the_lookback_of_media_follows_unless_it_is_set(
    days: float | Decimal, media_days: float | None, lookback: float, media_lookback: float
) -> None:
    own = {} if media_days is None else {"media_lookback_days": media_days}
    values = settings(lookback_days=days, **own)
    assert values.lookback == timedelta(days=lookback)
    assert values.media_lookback == timedelta(days=media_lookback)


@pytest.mark.parametrize(
    ("days", "longest"), [(None, 400), (30, 30), (0.5, 0.5), (Decimal("0.25"), 0.25), (400, 400)]
)
def test_windows_have_no_cap_unless_it_is_set(days: float | Decimal | None, longest: float) -> None:
    own = {} if days is None else {"window_days": days}
    assert settings(**own).longest_window == timedelta(days=longest)


@pytest.mark.parametrize("days", [0, -1, 401, "many"])
def test_a_window_that_cannot_be(days: object) -> None:
    assert found(window_days=days) == []
    text = refusal({**BY_TOKEN, "window_days": days})
    assert text is not None
    assert "window_days" in text


def test_accounts_are_named_once_and_keep_their_order() -> None:
    assert settings(account_sids=[OTHER, SID, OTHER, SID]).account_sids == (OTHER, SID)
    assert settings(account_sids=None).account_sids == ()


def test_dates_are_moments_in_utc() -> None:
    values = settings(start_date="2026-01-31", end_date="2026-02-28T12:00:00-07:00")
    assert values.start_date == datetime(2026, 1, 31, tzinfo=timezone.utc)
    assert values.end_date == datetime(2026, 2, 28, 19, tzinfo=timezone.utc)
    assert settings(start_date="", end_date=None).start_date is None


@pytest.mark.parametrize(
    ("given_agent", "agent"),
    [
        (None, "tap-twilio-media/1.2.3"),
        ("", "tap-twilio-media/1.2.3"),
        ("acme/1 (x)", "tap-twilio-media/1.2.3 acme/1 (x)"),
    ],
)
def test_a_user_agent_is_added_to_the_taps_own(given_agent: str | None, agent: str) -> None:
    assert settings(user_agent=given_agent).manners.user_agent == agent


def test_the_rest_is_taken_as_it_is() -> None:
    values = settings(
        include_subaccounts=True,
        full_scan=True,
        page_size=7,
        max_concurrency=3,
        request_timeout=1.5,
        max_retry_seconds=2.5,
    )
    assert (values.include_subaccounts, values.full_scan) == (True, True)
    assert (values.page_size, values.max_concurrency) == (7, 3)
    assert (values.manners.request_timeout, values.manners.max_retry_seconds) == (1.5, 2.5)


def test_hosts_come_from_region_and_edge_unless_a_url_is_set() -> None:
    assert settings(region="ie1", edge="dublin").hosts == Hosts.of("ie1", "dublin")
    assert settings(region="ie1", api_url="http://localhost:1/p", mcs_url="").hosts == Hosts(
        api="http://localhost:1/p",
        conversations="https://conversations.ie1.twilio.com",
        mcs="https://mcs.ie1.twilio.com",
    )
    urls = {"api_url": "https://a", "conversations_url": "https://b", "mcs_url": "https://c"}
    assert settings(edge="dublin", **urls).hosts == Hosts("https://a", "https://b", "https://c")


@pytest.mark.parametrize("value", [5, True, 1.5])
def test_account_sids_of_another_type(value: object) -> None:
    assert found(account_sids=value)[0].startswith("account_sids:")


@pytest.mark.parametrize(
    "url",
    [
        "https://h?",
        "https://h#",
        "https://@h",
        "https://h\n",
        "https://h h",
        "https://a..b",
        "https://h\t",
    ],
)
def test_addresses_that_cannot_work(url: str) -> None:
    assert len(found(api_url=url)) == 1


@pytest.mark.parametrize("days", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["lookback_days", "window_days"])
def test_numbers_without_an_end(name: str, days: float) -> None:
    assert found({**BY_TOKEN, name: days}) == [f"{name}: must be a number that ends somewhere"]


def test_a_start_beyond_the_calendar() -> None:
    assert len(found(start_date="Mon, 1 Jan 99999999999999999999 00:00:00 +0000")) == 1
