"""Files named on a command line: JSON objects, or one line that says which is none."""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_twilio_media.errors import ConfigError
from tap_twilio_media.texts import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import IO

FROM_ENVIRONMENT = "ENV"
"""Stands for no file: read the environment, which the tap does anyhow."""


def check_config(paths: Iterable[str]) -> None:
    """Let files of settings pass, or not.

    Raises:
        ConfigError: One is no file with a JSON object. What it holds is not in the text.
    """
    for path in paths:
        if path != FROM_ENVIRONMENT:
            _object("--config", path, partial(Path(path).read_text, encoding="utf-8"))


def checked(option: str, file: IO[str] | None) -> IO[str] | None:
    """Return a file that was opened for an option, its JSON checked to be an object or null.

    Raises:
        ConfigError: It is none. What it holds is not in the text.
    """
    return file and io.StringIO(_object(option, getattr(file, "name", ""), file.read))


def _object(option: str, name: str, read: Callable[[], str]) -> str:
    where = f"{option} {told(name)}"
    try:
        text = read()
        found: Any = json.loads(text)
    except OSError as error:
        raise ConfigError(f"{where}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise ConfigError(f"{where}: is no JSON; look at the file") from None
    if not isinstance(found, dict) and (found is not None or option == "--config"):
        raise ConfigError(f"{where}: must be a JSON object; look at the file")
    return text
