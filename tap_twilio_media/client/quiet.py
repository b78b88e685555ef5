"""What urllib3 logs of requests, without what signs them: the query of an address."""

from __future__ import annotations

import logging

from tap_twilio_media.texts import told

_LOGGERS = (
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.response",
    "urllib3.util.retry",
)


def keep_queries_quiet() -> None:
    """Have urllib3 log no query from now on. Done again, it changes nothing."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_without_queries)


def _without_queries(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(
            arg
            if arg is None or isinstance(arg, (int, float))
            else told(str(arg).partition("?")[0])
            for arg in record.args
        )
    # A warning of headers that cannot be read would show them, a Location among them, in full.
    record.exc_info = record.exc_text = None
    return True


def _shown(arg: object) -> object:
    return arg if arg is None or isinstance(arg, (int, float)) else told(str(arg).partition("?")[0])
