"""`toToml` and `fromToml`, as the library BurntSushi/toml writes and reads."""

import datetime as dt
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, Final

from fluvial.render.gotemplate import FunctionError, Int64
from fluvial.render.gotemplate._format import DEEPEST, format_float
from fluvial.render.gotemplate._values import Maps, is_nil, kind_of, type_of
from fluvial.render.gotemplate.gojson import well_formed
from fluvial.render.gotemplate.sprig.durations import GoDuration
from fluvial.render.gotemplate.sprig.moments import GoTime, days_from
from fluvial.render.gotemplate.sprig.zones import LOCAL, UNIVERSAL, fixed_zone
from fluvial.render.helm._reading import utf8_problem

__all__ = ["from_toml", "to_toml"]

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ESCAPES: Final = {
    '"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r",
    **{chr(n): f"\\u{n:04x}" for n in (*range(8), 11, *range(14, 32), 127)},
}  # fmt: skip
_HEADER: Final = re.compile(r"^[ \t]*\[\[(.+?)\]\]", re.MULTILINE)
_LAYOUTS: Final = {
    "datetime-local": "2006-01-02T15:04:05.999999999",
    "date-local": "2006-01-02",
    "time-local": "15:04:05.999999999",
}


def to_toml(value: Any) -> str:
    """Print TOML: scalars first, then tables, nested ones indented. Raises FunctionError."""
    writer = _Writer()
    writer.encode((), value)
    return "".join(writer.out)


def _fields(value: Any) -> Mapping[str, Any] | None:
    """Return the entries of what is written as a table, None for what is not."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, int | float | str | list | bytes | GoTime) or value is None:
        return None
    if callable(getattr(value, "json_text", None)):
        return None
    as_json = getattr(value, "as_json", None)
    fields = as_json() if callable(as_json) else getattr(value, "go_fields", None)
    if fields is None:
        raise FunctionError(f"unsupported type: {kind_of(value)}")
    return dict(fields)


def _is_tables(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    tables = True
    for item in value:
        if is_nil(item):
            raise FunctionError("toml: cannot encode array with nil element")
        if isinstance(item, list):
            _is_tables(item)  # a nil deeper down is an error, too
        tables = tables and _fields(item) is not None
    return tables


class _Writer:
    """Writes one document."""

    def __init__(self) -> None:
        self.out: list[str] = []

    def _newline(self) -> None:
        if self.out:
            self.out.append("\n")

    def encode(self, key: tuple[str, ...], value: Any) -> None:
        """Write a value at its key, which has the names of all tables around it."""
        if len(key) > DEEPEST:
            raise FunctionError("toml: the value is nested too deep, or holds itself")
        fields = _fields(value)
        if fields is not None:
            self._table(key, fields)
        elif _is_tables(value):
            self._tables(key, value)
        else:
            if key:
                self.out.append(f"{'  ' * (len(key) - 1)}{_key(key[-1])} = ")
            self._element(value, len(key))
            if key:
                self._newline()

    def _header(self, key: tuple[str, ...], opening: str, closing: str) -> None:
        name = ".".join(map(_key, key))
        self.out.append(f"{'  ' * (len(key) - 1)}{opening}{name}{closing}")
        self._newline()

    def _tables(self, key: tuple[str, ...], items: list[Any]) -> None:
        if not key:
            raise FunctionError("toml: top-level values must be Go maps or structs")
        for item in items:
            self._newline()
            self._header(key, "[[", "]]")
            self._entries(key, _fields(item) or {})

    def _table(self, key: tuple[str, ...], fields: Mapping[str, Any]) -> None:
        if len(key) == 1:
            self._newline()
        if key:
            self._header(key, "[", "]")
        self._entries(key, fields)

    def _entries(self, key: tuple[str, ...], fields: Mapping[str, Any]) -> None:
        for name, value in _ordered(fields):
            if not is_nil(value):
                self.encode((*key, name), value)

    def _element(self, value: Any, depth: int) -> None:
        if depth > DEEPEST:
            raise FunctionError("toml: the value is nested too deep, or holds itself")
        if isinstance(value, list):
            self.out.append("[")
            for index, item in enumerate(value):
                self.out.append(", " if index else "")
                self._element(item, depth + 1)
            self.out.append("]")
            return
        fields = _fields(value)
        self.out.append(_scalar(value) if fields is None else "{")
        if fields is None:
            return
        ordered = _ordered(fields)
        tables = sum(_is_table(item) for _, item in ordered)
        for index, (name, item) in enumerate(ordered):
            if is_nil(item):
                continue
            self.out.append(f"{_key(name)} = ")
            self._element(item, depth + 1)
            # the last of the plain entries is followed by a comma when there are tables
            last = index == len(ordered) - 1 or (index == len(ordered) - tables - 1 and not tables)
            self.out.append("" if last else ", ")
        self.out.append("}")


def _is_table(value: Any) -> bool:
    return not is_nil(value) and (_fields(value) is not None or _is_tables(value))


def _ordered(fields: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Put plain entries first, then tables, each by name."""
    return sorted(fields.items(), key=lambda entry: (_is_table(entry[1]), entry[0]))


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(char, char) for char in well_formed(text)) + '"'


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, GoTime):
        layout = _LAYOUTS.get(value.zone.at(value.seconds).name)
        return value.formatted(layout) if layout else value.json_text()
    if isinstance(value, GoDuration):
        return _text(str(value))
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        if value - value != 0:
            return {"+": "inf", "-": "-inf"}.get(format_float(value)[0], "nan")
        digits = format_float(value)
        return digits if "e" in digits or "." in digits else f"{digits}.0"
    if isinstance(value, bytes):
        return "[" + ", ".join(map(str, value)) + "]"
    text = getattr(value, "json_text", None)
    if callable(text):
        return _text(text())
    raise FunctionError(f"unexpected type: {type_of(value)}")


def from_toml(text: str) -> dict[str, Any]:
    """Read TOML: integers are int64, dates are times; a bad text gives a map with `Error`."""
    if utf8_problem(text):
        invalid = next(ord(char) - 0xDC00 for char in text if "\ud800" <= char <= "\udfff")

        return {"Error": f"toml: invalid UTF-8 byte: 0x{invalid:02x}"}
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return {"Error": f"toml: {error}"}
    listed = {header.rpartition(".")[2].strip(" \t\"'") for header in _HEADER.findall(text)}
    read: dict[str, Any] = _read(document, lambda name: name in listed)
    return read


def _read(value: Any, is_header: Callable[[str], bool]) -> Any:
    """Give values Go's types; `is_header` knows the names of lists of tables."""
    if isinstance(value, bool | float | str):
        return value
    if isinstance(value, int):
        return Int64(value)
    if isinstance(value, dict):
        return {key: _entry(key, item, is_header) for key, item in value.items()}
    if isinstance(value, list):
        return [_read(item, is_header) for item in value]
    return _moment(value)


def _entry(key: str, value: Any, is_header: Callable[[str], bool]) -> Any:
    read = _read(value, is_header)
    tables = isinstance(value, list) and value and all(isinstance(one, dict) for one in value)
    return Maps(read) if tables and is_header(key) else read


def _moment(value: Any) -> GoTime:
    """Turn a date or a time of day into a Go time; what is local has a zone that says so."""
    day = value if isinstance(value, dt.date) else dt.date(1, 1, 1)
    days = days_from(day.year if isinstance(value, dt.date) else 0, day.month, day.day)
    clock = value if isinstance(value, dt.datetime | dt.time) else dt.time()
    wall = days * 86400 + clock.hour * 3600 + clock.minute * 60 + clock.second
    nanosecond = clock.microsecond * 1000
    shift = value.utcoffset() if isinstance(value, dt.datetime) else None
    if shift is not None:
        offset = int(shift.total_seconds())
        zone = fixed_zone("", offset) if offset else UNIVERSAL
        return GoTime(wall - offset, nanosecond, zone)
    kind = {dt.datetime: "datetime-local", dt.date: "date-local", dt.time: "time-local"}
    offset = LOCAL.at(0).offset
    return GoTime(wall - offset, nanosecond, fixed_zone(kind[type(value)], offset))
