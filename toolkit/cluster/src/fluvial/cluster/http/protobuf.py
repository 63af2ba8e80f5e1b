r"""Protobuf request bodies of built-in kinds, decoded by a table of field numbers.

A body is `k8s\0` and a `runtime.Unknown` whose `raw` is the message. `data/messages.json` holds
every message: field number to name, type, flag.
"""

from __future__ import annotations

import base64
import datetime as dt
import struct
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from fluvial.cluster.errors import ClusterError, StatusError, bad_request
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import read_data

__all__ = ["MAGIC", "BodyError", "check_envelope", "decode"]

MAGIC = b"k8s\x00"
_META = "~apis.meta.v1."
_ABBREVIATIONS = {
    "core": "@core.v1.",
}
_SCALARS = {"string", "bytes", "bool", "int32", "int64", "double"}


class BodyError(ClusterError):
    """A body that is nothing a decoder can begin with; the message is upstream's."""


_JSON_NAMES = {
    "BoundObjectReference": {"uID": "uid"},
    "IngressClassParametersReference": {"aPIGroup": "apiGroup"},
    "JSONSchemaProps": {
        "ref": "$ref",
        "schema": "$schema",
        "xKubernetesEmbeddedResource": "x-kubernetes-embedded-resource",
        "xKubernetesIntOrString": "x-kubernetes-int-or-string",
        "xKubernetesListMapKeys": "x-kubernetes-list-map-keys",
        "xKubernetesListType": "x-kubernetes-list-type",
        "xKubernetesMapType": "x-kubernetes-map-type",
        "xKubernetesPreserveUnknownFields": "x-kubernetes-preserve-unknown-fields",
        "xKubernetesValidations": "x-kubernetes-validations",
    },
    "MutatingWebhookConfiguration": {"Webhooks": "webhooks"},
    "Validation": {"Expression": "expression"},
    "ValidatingWebhookConfiguration": {"Webhooks": "webhooks"},
    "Variable": {"Expression": "expression", "Name": "name"},
}
"""By message: fields whose name in JSON is another than the table's, which is the message's own."""


@cache
def _messages() -> dict[str, dict[str, list[str]]]:
    table: dict[str, dict[str, list[str]]] = read_data("messages.json")
    for message, fields in table.items():
        others = _JSON_NAMES.get(message.rpartition(".")[2], {})
        for entry in fields.values():
            entry[0] = others.get(entry[0], entry[0])
    return table


@cache
def _message_of(group: str, version: str, kind: str) -> str | None:
    suffix = f".{version}.{kind}"
    stem = group.partition(".")[0] or "core"
    candidates = [name for name in _messages() if name.endswith(suffix)]
    for name in candidates:
        middle = name[: -len(suffix)].lstrip("@").rpartition(".")[2]
        if middle == stem or (stem == "apiextensions" and "apiextensions" in name):
            return name
    if kind in ("DeleteOptions", "Status"):
        return _META + kind
    return None


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, wire, value
        elif wire == 1:
            yield number, wire, data[at : at + 8]
            at += 8
        elif wire == 2:
            size, at = _varint(data, at)
            yield number, wire, data[at : at + size]
            at += size
        elif wire == 5:
            yield number, wire, data[at : at + 4]
            at += 4
        else:
            raise ValueError(f"unknown wire type {wire}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return result, at
        shift += 7
        if shift > 63:
            raise ValueError("varint is too long")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _scalar(kind: str, value: Any) -> Any:
    if kind == "string":
        return bytes(value).decode()
    if kind == "bytes":
        return base64.b64encode(value).decode()
    if kind == "bool":
        return bool(value)
    if kind == "double":
        return struct.unpack("<d", value)[0]
    return _signed(value)


def _time(data: bytes, *, micro: bool) -> str | None:
    seconds = nanos = 0
    for number, _, value in _fields(data):
        if number == 1:
            seconds = _signed(value)
        elif number == 2:
            nanos = _signed(value)
    if seconds == 0 and nanos == 0:
        return None
    if seconds < -62135596800 or seconds == -62135596800:
        return None
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{nanos // 1000:06d}Z" if micro else f"{text}Z"


def _special(kind: str, data: bytes) -> tuple[bool, Any]:
    short = kind.rpartition(".")[2]
    if short in ("Time", "MicroTime") and "meta.v1" in kind:
        return True, _time(data, micro=short == "MicroTime")
    if short == "Quantity":
        return True, next((bytes(v).decode() for n, _, v in _fields(data) if n == 1), "0")
    if short == "IntOrString":
        values = {number: value for number, _, value in _fields(data)}
        if values.get(1, 0) == 0:
            return True, _signed(values.get(2, 0))
        return True, bytes(values.get(3, b"")).decode()
    if short in ("FieldsV1", "RawExtension", "JSON") and short != "RawJSON":
        raw = next((bytes(v) for n, _, v in _fields(data) if n == 1), b"")
        return True, msgspec.json.decode(raw) if raw else None
    if short in ("Verbs", "ExtraValue"):
        return True, [bytes(v).decode() for n, _, v in _fields(data) if n == 1]
    if short in ("JSONSchemaPropsOrBool", "JSONSchemaPropsOrArray", "JSONSchemaPropsOrStringArray"):
        return True, _either(kind, data)
    return False, None


def _either(kind: str, data: bytes) -> Any:
    fields = _messages()[kind]
    plain: Any = None
    items: list[Any] = []
    for number, _, value in _fields(data):
        name, inner, *_ = fields[str(number)]
        if name.lower() == "allows":
            plain = bool(value)
        elif name.lower() == "schema":
            return _message(inner, value)
        elif inner == "string":
            items.append(bytes(value).decode())
        else:
            items.append(_message(inner, value))
    return items or plain


def _message(kind: str, data: bytes) -> Any:
    done, special = _special(kind, data)
    if done:
        return special
    fields, result = _messages()[kind], {}
    for number, wire, value in _fields(data):
        entry = fields.get(str(number))
        if entry is None:
            continue
        name, inner, *flags = entry
        if "inline" in flags:
            result.update(_message(inner, value))
        elif inner.startswith("map<"):
            key, item = _pair(inner, value)
            result.setdefault(name, {})[key] = item
        elif "repeated" in flags:
            bucket = result.setdefault(name, [])
            if inner in _SCALARS and inner not in ("string", "bytes") and wire == 2:
                bucket.extend(_packed(inner, value))
            else:
                bucket.append(_value(inner, value))
        else:
            result[name] = _value(inner, value)
    return result


def _packed(kind: str, data: bytes) -> Iterator[Any]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield _scalar(kind, value)


def _value(kind: str, value: Any) -> Any:
    return _scalar(kind, value) if kind in _SCALARS else _message(kind, value)


def _pair(kind: str, data: bytes) -> tuple[str, Any]:
    inner = kind[4:-1].partition(",")[2]
    key, item = "", None
    for number, _, value in _fields(data):
        if number == 1:
            key = bytes(value).decode()
        else:
            item = _value(inner, value)
    if item is None:
        item = "" if inner in ("string", "bytes") else {}
    return key, item


def decode(body: bytes, api_version: str = "", kind: str = "") -> Object:
    """Decode a request body; raises `BodyError` for what is no message.

    `api_version` and `kind` are what a message is that does not say it. Of another kind that has
    no message here only its name is read. Raises 400 when even the wanted kind has none.
    """
    check_envelope(body)
    try:
        return _decode(body, api_version, kind or "DeleteOptions")
    except (ValueError, IndexError, struct.error, KeyError) as error:
        raise BodyError(f"proto: {error}") from error


def check_envelope(body: bytes) -> None:
    """Raise `BodyError` for what does not begin as a message does."""
    if not body:
        raise BodyError("empty data")
    if not body.startswith(MAGIC):
        prefix = " ".join(str(byte) for byte in MAGIC)
        raise BodyError(
            f"provided data does not appear to be a protobuf message, expected prefix [{prefix}]"
        )
    if body == MAGIC:
        raise BodyError("empty body")


def _decode(body: bytes, wanted_version: str, wanted_kind: str) -> Object:
    api_version = kind = ""
    raw = b""
    for number, _, value in _fields(body[len(MAGIC) :]):
        if number == 1:
            for inner, _, text in _fields(value):
                if inner == 1:
                    api_version = bytes(text).decode()
                elif inner == 2:
                    kind = bytes(text).decode()
        elif number == 2:
            raw = bytes(value)
    api_version, kind = api_version or wanted_version, kind or wanted_kind
    group, _, version = api_version.rpartition("/")
    message = _message_of(group, version, kind)
    if message is None and (api_version, kind) != (wanted_version, wanted_kind):
        return {"apiVersion": api_version, "kind": kind}
    if message is None:
        raise _unknown_kind(api_version, kind)
    obj: Object = {"apiVersion": api_version, "kind": kind}
    obj.update(_message(message, raw))
    return obj


def _unknown_kind(api_version: str, kind: str) -> StatusError:
    return bad_request(
        f'no kind "{kind}" is registered for version "{api_version}" in the protobuf table of '
        "built-in kinds; send JSON"
    )
