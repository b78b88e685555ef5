"""Where the JSON Schemas of the streams are.

They live in `schemas/` at the top of the repository. A wheel holds them inside this package; a
checkout, editable install or not, is read where it stands.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

_PACKAGED = files(__name__)

SCHEMAS_DIR = (
    _PACKAGED
    if _PACKAGED.joinpath("messages.json").is_file()
    else Path(__file__).resolve().parents[2] / "schemas"
)
"""The folder that holds one `<stream>.json` per stream."""
