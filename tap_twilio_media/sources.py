"""Where settings come from: the config, then our own variables, then what Twilio's tools read."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from tap_twilio_media.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "TAP_TWILIO_MEDIA_"

IDENTITY = ("account_sid", "auth_token", "api_key_sid", "api_key_secret")
"""An account and its credentials: they come from one source, whole, so that a token left in the
environment never meets the account of a config."""

TWILIO_VARIABLES = {
    "account_sid": "TWILIO_ACCOUNT_SID",
    "auth_token": "TWILIO_AUTH_TOKEN",
    "api_key_sid": "TWILIO_API_KEY",
    "api_key_secret": "TWILIO_API_SECRET",
    "region": "TWILIO_REGION",
    "edge": "TWILIO_EDGE",
}
"""The variables that Twilio's CLI and SDKs read."""

_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}


def merged(
    config: Mapping[str, Any],
    environ: Mapping[str, str],
    variables: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the settings of all sources together, each taken from the first that has it.

    The members of an object are settings, too.

    Args:
        config: The config that was passed in. Null counts as not set.
        environ: Environment variables. Empty counts as not set.
        variables: What the names of our own variables begin with, the first to count first, each
            with the JSON Schema properties of the settings that they set.

    Raises:
        ConfigError: A variable cannot be read as its type. Its value is not in the text.
    """
    own = [_variables(prefix, environ, properties) for prefix, properties in variables.items()]
    properties = {name: each[name] for each in variables.values() for name in each}
    twilio = {name: text for name, key in TWILIO_VARIABLES.items() if (text := environ.get(key))}
    if "auth_token" in twilio:  # Twilio's own tools prefer it where both pairs are set
        twilio = {k: v for k, v in twilio.items() if not k.startswith("api_key")}
    sources = [_set(config), *own, twilio]
    result: dict[str, Any] = {}
    for source in reversed(sources):
        result = _over(source, result, properties)
    for name in IDENTITY:
        result.pop(name, None)
    for source in sources:
        identity = {name: source[name] for name in IDENTITY if name in source}
        if identity:
            return result | identity
    return result


def _set(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if value is not None and value != ""}


def _over(
    source: Mapping[str, Any], rest: Mapping[str, Any], properties: Mapping[str, Any]
) -> dict[str, Any]:
    """Return one source over the others, the members of an object each by itself."""
    result = {**rest, **source}
    for name, schema in properties.items():
        members = schema.get("properties")
        value = result.get(name)
        if members and isinstance(value, dict):
            others = rest.get(name)
            others = others if isinstance(others, dict) else {}
            result[name] = _over(_set(value), others, members)
    return result


def _variables(
    prefix: str, environ: Mapping[str, str], properties: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the settings that variables name; the members of an object have one each, too."""
    found: dict[str, Any] = {}
    for name, schema in properties.items():
        variable = prefix + name.upper()
        members = _variables(f"{variable}_", environ, schema.get("properties") or {})
        text = environ.get(variable)
        whole = {name: _value(variable, text, schema)} if text else {}
        found |= _over(whole, {name: members} if members else {}, {name: schema})
    return found


def _value(variable: str, text: str, schema: Mapping[str, Any]) -> object:
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    try:
        if "boolean" in types:
            return _boolean(text)
        if "integer" in types:
            return int(text)
        if "number" in types:
            return _finite(text)
        if "object" in types or ("array" in types and text.lstrip().startswith("[")):
            return json.loads(text)
        if "array" in types:
            return [part.strip() for part in text.split(",") if part.strip()]
    except ValueError:
        expected = next(kind for kind in types if kind != "null")
        msg = f"environment variable {variable} cannot be read as {expected}"
        raise ConfigError(msg) from None
    return text


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError
    return word in _TRUE
