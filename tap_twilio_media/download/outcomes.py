"""How a file can end: the statuses, and the errors that lead to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from tap_twilio_media.client.errors import TwilioError
from tap_twilio_media.client.outcomes import Outcome as Meaning

Status = Literal[
    "stored",
    "not_found",
    "forbidden",
    "too_large",
    "refused_host",
    "redirect_loop",
    "not_a_file",
    "wrong_size",
    "invalid",
    "not_selected",
    "unavailable",
]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file.

    Attributes:
        status: All but "unavailable" are for good, until something changes.
        path: Where it is, relative to output_path; None unless stored.
        bytes: Its size.
        sha256: In hexadecimal digits.
        detail: Why it is not stored, in one line.
        attempts: How often it was asked for, now.
        fetched: Whether it was downloaded now; False for one that was already there.
    """

    status: Status
    path: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    detail: str | None = None
    attempts: int = 0
    fetched: bool = False

    @property
    def is_transient(self) -> bool:
        """Whether to ask again in a later run, with the state before this file."""
        return self.status == "unavailable"


class FileError(TwilioError):
    """A file that cannot be had."""

    kind: Status


class NotFoundError(FileError):
    """It does not exist, no longer exists, or is hidden from these credentials."""

    kind = "not_found"


class ForbiddenError(FileError):
    """Twilio, or who keeps the file for it, says no."""

    kind = "forbidden"


class TooLargeError(FileError):
    """It has more bytes than max_file_bytes."""

    kind = "too_large"


class RefusedHostError(FileError):
    """Twilio points at a host that files are not fetched from."""

    kind = "refused_host"


class RedirectLoopError(FileError):
    """Redirects that do not end."""

    kind = "redirect_loop"


class NotAFileError(FileError):
    """What came is an error page, or nothing."""

    kind = "not_a_file"


class WrongSizeError(FileError):
    """What came is not as long as Twilio says that the file is."""

    kind = "wrong_size"


# A link to a file is valid for a while: each new try asks for a new one.
LINK_REFUSED = Meaning(ForbiddenError, 5, "check that the account may read its media")
NOT_FOUND = Meaning(NotFoundError, 3, "Twilio has it no longer, or hides it from the credentials")
FORBIDDEN = Meaning(ForbiddenError, 1, "give the API key permission to read this resource")
TOO_LARGE = Meaning(TooLargeError, 1, "raise max_file_bytes to have it")
REFUSED_HOST = Meaning(RefusedHostError, 1, "nothing was asked there")
REDIRECT_LOOP = Meaning(RedirectLoopError, 1, "report this")
NOT_A_FILE = Meaning(NotAFileError, 3, "look at it in Twilio's Console")
WRONG_SIZE = Meaning(WrongSizeError, 3, "look at it in Twilio's Console")
