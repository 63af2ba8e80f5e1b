"""Logs as the field's tools read them: one JSON object per line on standard error.

Keys: `level` (trace, debug, info, error), `ts` (ISO 8601 with milliseconds), `msg`, `error`,
`logger`, and whatever a logger was bound to. Other libraries' `logging` records come out the same.
"""

import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec

from fluvial.toolkit.redact import redact

__all__ = ["Logger", "configure", "logger"]

_TRACE = 5
_LEVELS = {"trace": _TRACE, "debug": logging.DEBUG, "info": logging.INFO, "error": logging.ERROR}
_FIELDS = "fluvial_fields"


class Logger:
    """A logger with fields that go into each of its lines.

    `log.info("applied", revision=…)`; `bind` returns a logger with further fields.
    """

    __slots__ = ("_fields", "_logger")

    def __init__(self, name: str, fields: Mapping[str, Any] | None = None) -> None:
        self._logger = logging.getLogger(name)
        self._fields = dict(fields or {})

    def bind(self, fields: Mapping[str, Any] | None = None, **more: Any) -> "Logger":
        """Return a logger with these fields as well; the mapping is for keys with spaces."""
        return Logger(self._logger.name, {**self._fields, **(fields or {}), **more})

    def trace(self, msg: str, **fields: Any) -> None:
        """Log what only a developer wants to see."""
        self._log(_TRACE, msg, fields)

    def debug(self, msg: str, **fields: Any) -> None:
        """Log what helps to find out why."""
        self._log(logging.DEBUG, msg, fields)

    def info(self, msg: str, **fields: Any) -> None:
        """Log what happened."""
        self._log(logging.INFO, msg, fields)

    def error(self, msg: str, error: BaseException | str | None = None, **fields: Any) -> None:
        """Log what went wrong; a stack trace is added where the level is debug or trace."""
        if error is not None:
            fields["error"] = str(error) or type(error).__name__
        if isinstance(error, BaseException) and self._logger.isEnabledFor(logging.DEBUG):
            fields["stacktrace"] = "".join(traceback.format_exception(error))
        self._log(logging.ERROR, msg, fields)

    def _log(self, level: int, msg: str, fields: Mapping[str, Any]) -> None:
        if self._logger.isEnabledFor(level):
            # The message is data: it must not be taken for a format.
            self._logger.log(level, "%s", msg, extra={_FIELDS: {**self._fields, **fields}})


def logger(name: str, **fields: Any) -> Logger:
    """Return the logger of this name, with fields."""
    return Logger(name, fields)


def configure(
    level: str = "info",
    encoding: str = "json",
    stream: TextIO | None = None,
) -> None:
    """Send everything to `stream` (default: standard error), replacing earlier handlers.

    Raises ValueError for a level other than trace, debug, info and error, or an encoding other
    than json and console.
    """
    if level not in _LEVELS:
        raise ValueError(f"--log-level {level!r}: use one of {', '.join(_LEVELS)}")
    formatters: dict[str, logging.Formatter] = {"json": _Json(), "console": _Console()}
    if encoding not in formatters:
        raise ValueError(f"--log-encoding {encoding!r}: use json or console")
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatters[encoding])
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    # Request lines of the servers, once per probe and scrape.
    logging.getLogger("aiohttp.access").setLevel(logging.ERROR)
    for library in ("aiobotocore", "botocore"):
        # On debug they print requests and answers as they are: keys and tokens.
        logging.getLogger(library).setLevel(max(logging.INFO, _LEVELS[level]))
    if _LEVELS[level] > logging.DEBUG:
        logging.getLogger("asyncio").setLevel(logging.ERROR)


def _level_name(number: int) -> str:
    if number >= logging.ERROR:
        return "error"
    if number >= logging.INFO:
        return "info"
    return "debug" if number >= logging.DEBUG else "trace"


def _line(record: logging.LogRecord) -> dict[str, Any]:
    stamp = datetime.fromtimestamp(record.created, UTC)
    line: dict[str, Any] = {
        "level": _level_name(record.levelno),
        "ts": f"{stamp:%Y-%m-%dT%H:%M:%S}.{stamp.microsecond // 1000:03d}Z",
        "logger": record.name,
        "msg": redact(record.getMessage()),
    }
    for key, value in getattr(record, _FIELDS, {}).items():
        line[key] = redact(value) if isinstance(value, str) else value
    if record.exc_info and record.exc_info[1] is not None:
        line.setdefault("error", redact(str(record.exc_info[1])))
        if logging.getLogger(record.name).isEnabledFor(logging.DEBUG):
            line["stacktrace"] = "".join(traceback.format_exception(record.exc_info[1]))
    return line


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return msgspec.json.encode(_line(record), enc_hook=str).decode()


class _Console(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = _line(record)
        head = "\t".join(
            (line.pop("ts"), line.pop("level").upper(), line.pop("logger"), line.pop("msg"))
        )
        trace = line.pop("stacktrace", "")
        rest = msgspec.json.encode(line, enc_hook=str).decode() if line else ""
        return "\t".join(filter(None, (head, rest))) + (f"\n{trace}" if trace else "")
