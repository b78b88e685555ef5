"""What can go wrong with a report, said in one line each."""

from __future__ import annotations

from tap_twilio_media.errors import TapError


class ReportError(TapError):
    """No report can be made; the text says why, without the password of any database."""


class MissingPackageError(ReportError):
    """A package that only the report needs is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(
            f"the package {package} is not installed; it comes with"
            " `pip install 'tap-twilio-media[report]'`"
        )
