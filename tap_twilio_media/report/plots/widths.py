"""How wide a text is on a plot: an estimate, rather too wide than too narrow."""

from __future__ import annotations

from tap_twilio_media.report.plots.common import LAID_OUT

_SLIM = frozenset(" !'(),.:;I[]fijlrt|")
_WIDE = frozenset("%@MWmw")
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def width_of(text: str) -> float:
    """Return the width of a text, in pixels."""
    return sum(map(_width, text)) * LAID_OUT


def cut(text: str, room: float) -> str:
    """Return a text, with an ellipsis for its end where it is wider than there is room."""
    if width_of(text) <= room:
        return text
    left = room - width_of(_ELLIPSIS)
    for number, letter in enumerate(text):
        left -= _width(letter) * LAID_OUT
        if left < 0:
            return text[:number] + _ELLIPSIS
    return text


def _width(letter: str) -> float:
    """Return the width of a letter, as a part of the height of its font."""
    if letter in _SLIM:
        return 0.4
    # Of most scripts we know nothing; few have wider letters than these.
    return 0.62 if letter.isascii() and letter not in _WIDE else 1.0
