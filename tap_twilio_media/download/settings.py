"""Which files are wanted, and where they go."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from tap_twilio_media.download.names import DEFAULT_TEMPLATE

MOST_BYTES = 268_435_456


@dataclass(frozen=True, slots=True)
class DownloadSettings:
    """Which files are had, and where they go. Names as in the settings.

    Attributes:
        output_path: A folder, or a URL that fsspec knows.
        path_template: See `names`.
        content_types: Patterns such as `image/*`; none for all.
        max_file_bytes: A larger file is not had.
        media_hosts: Hosts, beyond Twilio's own, that a redirect may lead to.
    """

    output_path: str
    path_template: str = DEFAULT_TEMPLATE
    content_types: tuple[str, ...] = ()
    max_file_bytes: int = MOST_BYTES
    media_hosts: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """What tells these settings from others under which other files would be stored."""
        wanted = json.dumps([self.output_path, sorted(self.content_types), self.max_file_bytes])
        return hashlib.sha256(wanted.encode()).hexdigest()[:8]
