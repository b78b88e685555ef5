"""The tap: its name, its settings and its streams."""

from __future__ import annotations

import os
import sys
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk import Tap
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities, TapCapabilities
from singer_sdk.singerlib import Catalog
from typing_extensions import override

from tap_twilio_media.bookmarks import Bookmarks, check_shape
from tap_twilio_media.catalogs import mend
from tap_twilio_media.checks import problems
from tap_twilio_media.config import Settings
from tap_twilio_media.endings import end_soon, told_in_one_line
from tap_twilio_media.errors import ConfigError
from tap_twilio_media.options import check_config, checked
from tap_twilio_media.output import Output
from tap_twilio_media.run import Run
from tap_twilio_media.settings import CONFIG_SCHEMA
from tap_twilio_media.sources import PREFIX, merged
from tap_twilio_media.streams.accounts import Accounts
from tap_twilio_media.streams.base import IncrementalStream
from tap_twilio_media.streams.conversations import ConversationMessages, Conversations
from tap_twilio_media.streams.mcs import McsMedia
from tap_twilio_media.streams.messaging import MessageMedia, Messages
from tap_twilio_media.streams.services import ConversationServices
from tap_twilio_media.texts import told_ends

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

    from singer_sdk.streams import Stream

STREAM_TYPES: tuple[type[Stream], ...] = (
    Accounts,
    Messages,
    MessageMedia,
    ConversationServices,
    Conversations,
    ConversationMessages,
    McsMedia,
)
"""In reading order: a parent before its children."""

INCREMENTAL = {vars(kind)["name"] for kind in STREAM_TYPES if issubclass(kind, IncrementalStream)}


class TapTwilioMedia(Tap):
    """Singer tap for Twilio messages, their media and the media of Twilio Conversations."""

    name = "tap-twilio-media"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIG_SCHEMA
    message_writer_class = Output

    # Without BATCH, as the SDK may put a STATE out before the BATCH that holds its rows, and
    # without ACTIVATE_VERSION, as a refused service must not delete rows downstream.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(
        self,
        *,
        config: Mapping[str, Any] | None = None,
        catalog: Catalog | Mapping[str, Any] | None = None,
        parse_env_config: bool = False,  # noqa: ARG002 - the SDK passes it
        **kwargs: Any,
    ) -> None:
        """Merge the sources of settings and check them; nothing is asked of Twilio yet.

        Args:
            config: The settings.
            catalog: What is selected.
            parse_env_config: Has no effect: the environment is always read, after the config.
            kwargs: Passed on to the SDK: state, validate_config, ...

        Raises:
            ConfigError: The settings, or the catalog, cannot be used.
            StateError: The state has another shape than those that a tap writes.
        """
        self._stop = threading.Event()
        self.append_builtin_config(self.config_jsonschema)  # stream maps come by variable, too
        properties = self.config_jsonschema["properties"]
        if isinstance(state := kwargs.get("state"), dict):
            check_shape(state)
        if catalog is not None and not isinstance(catalog, Catalog):
            try:
                catalog = Catalog.from_dict(cast("dict[str, Any]", catalog))
            except (TypeError, ValueError, LookupError, AttributeError):
                msg = "catalog: is none that a tap wrote; make a new one with --discover"
                raise ConfigError(msg) from None
        if catalog is not None:
            mend(catalog, INCREMENTAL)
        own = merged(config or {}, os.environ, {PREFIX: properties})
        super().__init__(config=own, catalog=catalog, **kwargs)

    @cached_property
    def run(self) -> Run:
        """What the streams share; made when the sync starts."""
        settings = Settings.of(self.config, f"{self.name}/{self.plugin_version}")
        bookmarks = Bookmarks(cast("dict[str, Any]", self.state), self._write_state)
        writer = self.message_writer
        output = writer if isinstance(writer, Output) else None
        return Run(settings, bookmarks, self._stop, output)

    def _write_state(self, state: Any) -> None:  # noqa: ANN401 - as the SDK has it
        if self.run.files:
            self.run.files.flush()
        self.state_writer.write_state(state)

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return [stream_type(tap=self) for stream_type in STREAM_TYPES]

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        # `--discover` needs no settings. Secrets are checked first and in code, because the
        # errors of a JSON schema quote the value that failed.
        if not raise_errors:
            return []
        found = list(problems(self._config))
        found = found or list(map(told_ends, super()._validate_config(raise_errors=False)))
        if found:
            raise ConfigError("; ".join(found))
        return found

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # The SDK would write the state and exit 0, as if the run had come to its end.
        self._stop.set()
        self.logger.info("Stopped by signal %d; the next run goes on from the last state", signum)
        code = 128 + signum
        end_soon(code)
        writer = self.message_writer
        if isinstance(writer, Output) and writer.is_writing:
            writer.exit_code = code
        else:
            sys.exit(code)

    @classmethod
    @override
    def invoke(cls, **kwargs: Any) -> None:
        with told_in_one_line(cls.logger):
            for option in ("state", "catalog"):
                kwargs[option] = checked(f"--{option}", kwargs.get(option))
            super().invoke(**kwargs)

    @classmethod
    @override
    def cb_config(cls, ctx: Any, param: Any, value: tuple[str, ...]) -> Any:
        check_config(value)
        return super().cb_config(ctx, param, value)
