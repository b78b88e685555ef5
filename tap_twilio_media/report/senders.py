"""Who sent it, told so that nobody can read it back."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from tap_twilio_media.report.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Callable

SHORTEST_SALT = 16
"""Characters. A shorter one could be found by trying, and then all numbers with it."""
_SHOWN = 10
_LONGEST = 80
UNKNOWN = "not told"


def names_of_senders(salt: str | None, *, plain: bool = False) -> Callable[[str | None], str]:
    """Return the function that names a sender on the page.

    There are so few telephone numbers that a plain hash of one is read back within a second by
    hashing them all. Hence a hash with a key: of each page its own, forgotten when the page is
    written, or made of a secret salt, for names that are the same on every page.

    Args:
        salt: The secret, None for a new key.
        plain: Show senders as they are.

    Raises:
        ReportError: The salt is too short to keep anything secret.
    """
    if plain:
        return lambda sender: (sender or UNKNOWN)[:_LONGEST]
    if salt is not None and len(salt) < SHORTEST_SALT:
        raise ReportError(f"the salt must be a secret of at least {SHORTEST_SALT} characters")
    key = salt.encode("utf-8", "surrogateescape") if salt else secrets.token_bytes(32)

    def hashed(sender: str | None) -> str:
        if not sender:
            return UNKNOWN
        data = sender.encode("utf-8", "surrogatepass")
        return hmac.new(key, data, hashlib.sha256).hexdigest()[:_SHOWN]

    return hashed
