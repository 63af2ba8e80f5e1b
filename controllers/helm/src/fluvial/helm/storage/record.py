"""One revision of a release, as Helm stores it."""

import base64
import gzip
import io
from datetime import datetime
from typing import Any

import msgspec

from fluvial.apis.ids import Unstructured
from fluvial.helm.errors import RecordInvalid
from fluvial.helm.gojson import encode as go_encode

__all__ = ["Hook", "Info", "LastRun", "Record", "decode", "encode", "now_text"]

_GZIP = b"\x1f\x8b\x08"
_LARGEST = 64 << 20
"""Bytes that a record may unpack to; what Helm writes stays under the Secret's 1 MiB packed."""


class LastRun(msgspec.Struct, kw_only=True):
    """How a hook last went; times are RFC 3339, empty when it did not."""

    started_at: str = ""
    completed_at: str = ""
    phase: str = ""


class Hook(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A hook of a release; `last_run` is always written."""

    name: str = ""
    kind: str = ""
    path: str = ""
    manifest: str = ""
    events: list[str] = []
    last_run: LastRun = msgspec.field(default_factory=LastRun)
    weight: int = 0
    delete_policies: list[str] = []
    output_log_policies: list[str] = []


class Info(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a release has gone through; times are RFC 3339 with nanoseconds, empty when absent."""

    first_deployed: str = ""
    last_deployed: str = ""
    deleted: str = ""
    description: str = ""
    status: str = ""
    notes: str = ""


class Record(msgspec.Struct, kw_only=True):
    """One revision.

    `chart` is the JSON of the chart as Helm keeps it, `metadata` among it; `config` the values as
    supplied. `apply_method` is `ssa` or `csa` (also when absent). `labels` are the Secret's own.
    """

    name: str
    info: Info = msgspec.field(default_factory=Info)
    chart: dict[str, Any] = {}
    config: dict[str, Any] | None = None
    manifest: str = ""
    hooks: list[Hook] = []
    version: int = 0
    namespace: str = ""
    apply_method: str = ""

    @property
    def metadata(self) -> Unstructured:
        """The content of Chart.yaml."""
        found: Unstructured = self.chart.get("metadata") or {}
        return found

    @property
    def status(self) -> str:
        """The release's status, in Helm's words."""
        return self.info.status


def now_text(moment: datetime) -> str:
    """Write a time as Go does: RFC 3339, fractions without trailing zeros."""
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".")
    return f"{text}Z"


def encode(record: Record) -> str:
    """Return the value of `data.release`: JSON, gzip, base64, and base64 for the API."""
    body: dict[str, Any] = msgspec.to_builtins(record)
    for hook, original in zip(body["hooks"], record.hooks, strict=True):
        run = msgspec.to_builtins(original.last_run)
        hook["last_run"] = {key: text for key, text in run.items() if text or key == "phase"}
    for key in ("config", "manifest", "hooks", "apply_method"):
        if not body[key]:
            del body[key]
    # Packed without a time, so that equal records are equal bytes.
    packed = gzip.compress(go_encode(body).rstrip(b"\n"), compresslevel=9, mtime=0)
    return base64.b64encode(base64.b64encode(packed)).decode()


def decode(release: str) -> Record:
    """Read `data.release` of a Secret. Raises RecordInvalid."""
    try:
        packed = base64.b64decode(base64.b64decode(release, validate=True), validate=True)
        content = _unpack(packed) if packed.startswith(_GZIP) else packed
        raw = msgspec.json.decode(content, type=dict[str, Any])
        return msgspec.convert(_without_nulls(raw), Record)
    except (ValueError, OSError, EOFError) as error:
        raise RecordInvalid(f"no readable release: {error}") from error


def _unpack(packed: bytes) -> bytes:

    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"it unpacks to more than {_LARGEST} bytes")
    return content


def _without_nulls(raw: dict[str, Any]) -> dict[str, Any]:
    """Leave out what Go writes as null for "not there"; nulls in values have a meaning and stay."""
    return {
        key: [_present(item) for item in value] if key == "hooks" else _present(value, key)
        for key, value in raw.items()
        if value is not None
    }


def _present(value: Any, key: str = "") -> Any:
    if isinstance(value, dict) and key not in {"config", "chart"}:
        return {inner: _present(item) for inner, item in value.items() if item is not None}
    return value
