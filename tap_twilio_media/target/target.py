"""The target: its name, its settings, and what goes on between records and state."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Sink, Target
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from typing_extensions import override

from tap_twilio_media.checks import connection_problems, download_problems
from tap_twilio_media.client.network import Network
from tap_twilio_media.config import Connection, download_of
from tap_twilio_media.download.downloader import Downloader
from tap_twilio_media.endings import check_reader, end_soon, told_in_one_line
from tap_twilio_media.errors import ConfigError, TapError
from tap_twilio_media.options import check_config
from tap_twilio_media.pool import Pool
from tap_twilio_media.progress import Progress
from tap_twilio_media.sources import PREFIX, merged
from tap_twilio_media.target.downloads import Downloads, FilesMissedError
from tap_twilio_media.target.dry import DryRun
from tap_twilio_media.target.input import Input
from tap_twilio_media.target.settings import SHARED, TARGET_SCHEMA
from tap_twilio_media.target.sinks import FileSink, PassedOver
from tap_twilio_media.target.states import States
from tap_twilio_media.texts import told_ends

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

OWN_PREFIX = "TARGET_TWILIO_MEDIA_"
FILE_STREAMS = {"message_media", "mcs_media"}
FILES_AHEAD = 4
"""So many files for each one that is downloaded are known beforehand."""


class TargetTwilioMedia(Target):
    """Singer target that writes the files of Twilio messages and Conversations."""

    name = "target-twilio-media"
    package_name = "tap-twilio-media"
    config_jsonschema: ClassVar[dict[str, Any]] = TARGET_SCHEMA
    default_sink_class = PassedOver
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(
        self,
        *,
        config: Mapping[str, Any] | None = None,
        parse_env_config: bool = False,  # noqa: ARG002 - the SDK passes it
        **kwargs: Any,
    ) -> None:
        """Merge the sources of settings and check them; nothing is asked or written yet.

        Args:
            config: The settings.
            parse_env_config: Has no effect: the environment is always read, after the config.
            kwargs: Passed on to the SDK.

        Raises:
            ConfigError: The settings cannot be used.
        """
        self._stop = threading.Event()
        self.append_builtin_config(self.config_jsonschema)
        properties = self.config_jsonschema["properties"]
        own = merged(config or {}, os.environ, {OWN_PREFIX: properties, PREFIX: SHARED})
        self._input = Input(self._give_up)
        super().__init__(config=own, message_reader=self._input, **kwargs)
        self.max_parallelism = 1  # one thread takes what the others download

    @cached_property
    def downloader(self) -> Downloader:
        """The download core; made when the first record or the end comes."""
        connection = Connection.of(self.config, f"{self.name}/{self.plugin_version}")
        network = Network.of(connection.max_concurrency, self._stop)
        return Downloader(
            download_of(self.config, self.config),
            connection.hosts,
            connection.manners,
            network,
            connection.file_credentials,
        )

    @cached_property
    def progress(self) -> Progress:
        """What shows how far it is."""
        return Progress(self.downloader.counts)

    @cached_property
    def downloads(self) -> Downloads | DryRun:
        """The files under way."""
        if self.config["dry_run"]:
            return DryRun(self.downloader)
        self.progress.start()
        size = int(self.config["max_concurrency"])
        pool = Pool(size, partial(check_reader, sys.stdout))
        return Downloads(self.downloader, pool, FILES_AHEAD * size, self.states.pass_on)

    @cached_property
    def states(self) -> States:
        """The states on their way out."""
        return States(self.downloader.flush)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        # Without the settings that the SDK has for targets of rows.
        super(Target, cls).append_builtin_config(config_jsonschema)

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        return FileSink if stream_name in FILE_STREAMS else PassedOver

    @override
    def process_endofpipe(self) -> None:
        try:
            self._finish()
        except BaseException:
            self._give_up()
            raise

    def _finish(self) -> None:
        downloads = self.downloads
        downloads.settle()
        super().process_endofpipe()
        self.states.write()
        self.progress.stop()
        self.downloader.close()
        if isinstance(downloads, DryRun):
            self.logger.info("dry run: %s", downloads)
        if self._input.error:
            raise self._input.error
        if downloads.missed:
            msg = (
                f"{downloads.missed} of the files did not come within max_retry_seconds; the state "
                "stays before them, so the next run asks again"
            )
            raise FilesMissedError(msg)

    def _give_up(self) -> None:
        """End what is under way, and write down what is done. No state is written."""
        self._stop.set()
        if "downloads" not in vars(self):
            return
        self.downloads.give_up()
        self.progress.stop()
        with suppress(TapError):  # there is an error to tell already
            self.downloader.close()

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        if not raise_errors:
            return []
        found = [*connection_problems(self._config), *download_problems(self._config)]
        if not self._config.get("output_path"):
            found.append("output_path is not set: say where the files go")
        found = found or list(map(told_ends, super()._validate_config(raise_errors=False)))
        if found:
            raise ConfigError("; ".join(found))
        return found

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self.downloads.mark(message_dict["value"])

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Do nothing: files have no versions of a table."""

    @override
    def _handle_max_record_age(self) -> None:
        # Called after each record, of whatever stream. Nothing has to be drained: a state is
        # passed on as soon as the files before it are settled.
        self.downloads.take_settled()
        self.states.remind()

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # The SDK would wait for what is under way, write the state and exit 0.
        self._stop.set()
        self.logger.info("Stopped by signal %d; the next run goes on from the last state", signum)
        end_soon(128 + signum)
        sys.exit(128 + signum)

    @classmethod
    @override
    def invoke(cls, **kwargs: Any) -> None:
        with told_in_one_line(cls.logger, "who keeps the state"):
            super().invoke(**kwargs)

    @classmethod
    @override
    def cb_config(cls, ctx: Any, param: Any, value: tuple[str, ...]) -> Any:
        check_config(value)
        return super().cb_config(ctx, param, value)
