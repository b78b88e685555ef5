"""Texts of others: what may be told of them, and whether they can be asked by."""

from __future__ import annotations

import re

MOST_TOLD = 200
"""So many characters of a text of others stand in a line of the log."""
_SID = re.compile(r"[0-9A-Za-z_-]{2,64}")


def told(text: object) -> str:
    """Return a text in one line, short and without anything that a terminal would act on."""
    start = str(text)[: 10 * MOST_TOLD]
    return "".join(char for char in " ".join(start.split()) if char.isprintable())[:MOST_TOLD]


def told_ends(text: str) -> str:
    """Return a text in the same way; of a long one its beginning and its end."""
    if len(text) <= MOST_TOLD:
        return told(text)
    return f"{told(text[: MOST_TOLD // 3])} ... {told(text[-MOST_TOLD // 2 :])}"


def is_sid(text: str) -> bool:
    """Return whether a key could be a sid. By what is none nobody is asked.

    Sids are two letters and 32 hexadecimal digits (Twilio: "What is a String Identifier"); of a
    new form it is enough that it stays one part of a path.
    """
    return _SID.fullmatch(text) is not None
