"""Files downloaded as the rows that name them pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_twilio_media.download.downloader import Downloader
from tap_twilio_media.download.references import Reference
from tap_twilio_media.progress import Progress

if TYPE_CHECKING:
    from tap_twilio_media.client.network import Network
    from tap_twilio_media.config import Connection
    from tap_twilio_media.download.settings import DownloadSettings


class Files:
    """The download core, as a run of the tap uses it.

    Attributes:
        mark: Under this name a state tells how far files are complete. Other settings, by which
            other files would be stored, have another name.
        progress: Shows how far it is.
    """

    def __init__(
        self, settings: DownloadSettings, connection: Connection, network: Network
    ) -> None:
        """Prepare; nothing is asked or written yet.

        Raises:
            StorageError: The output_path is none that can be used.
        """
        self.mark = f"files_{settings.fingerprint}"
        self._downloader = Downloader(
            settings,
            connection.hosts,
            connection.manners,
            network,
            connection.file_credentials,
        )
        self.progress = Progress(self._downloader.counts)

    def keep(self, stream: str, row: dict[str, Any]) -> None:
        """Have the file of a row stored, and say in the row what became of it.

        Raises:
            RefusedError: The credentials are not accepted.
            StorageError: Files cannot be written.
            StoppedError: The run is ending.
        """
        outcome = self._downloader.fetch(Reference.of(stream, row))
        row["file_path"] = outcome.path
        row["file_size"] = outcome.bytes
        row["file_sha256"] = outcome.sha256
        row["file_status"] = outcome.status

    def flush(self) -> None:
        """Write down what became of the files so far: to be done before a state says so."""
        self._downloader.flush()

    def close(self) -> None:
        """Write down the rest, and tell the sum."""
        self.progress.stop()
        self._downloader.close()
