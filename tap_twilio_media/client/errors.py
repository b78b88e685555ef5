"""How a request to Twilio can end badly, sorted by what the caller does next."""

from __future__ import annotations

from tap_twilio_media.errors import TapError


class TwilioError(TapError):
    """A request that did not give what was asked for.

    Attributes:
        status: The HTTP status, or None when no reply came.
        code: Twilio's own error code, or None.
    """

    def __init__(self, text: str, *, status: int | None = None, code: int | None = None) -> None:
        """Keep what the handler of the error decides by."""
        super().__init__(text)
        self.status = status
        self.code = code


class UnavailableError(TwilioError):
    """No usable answer within the retry budget: network, overload or a fault on Twilio's side."""


class RefusedError(TwilioError):
    """Twilio knows the credentials or the account, and says no."""


class GoneError(TwilioError):
    """What was asked for does not exist, no longer exists, or is hidden from these credentials."""


class InvalidRequestError(TwilioError):
    """Twilio did not accept the request itself."""


class OutOfRangeError(InvalidRequestError):
    """The dates asked for reach back beyond what the account retains (Twilio's error 20004)."""


class PageLostError(TwilioError):
    """A later page was refused: the row that its PageToken points at is gone."""


class PagingLoopError(TwilioError):
    """Twilio sent a link to a page that was already read."""


class StoppedError(TapError):
    """The run is ending, so the request was given up."""
