"""Records in Helm's format."""

import base64
import gzip
from datetime import UTC, datetime

import msgspec
import pytest

from fluvial.helm.errors import RecordInvalid
from fluvial.helm.storage import Hook, LastRun, now_text
from fluvial.helm.storage.record import decode, encode


def content(encoded):
    return msgspec.json.decode(gzip.decompress(base64.b64decode(base64.b64decode(encoded))))


def test_a_record_reads_back(record):
    hook = Hook(name="h", kind="Job", path="t/h.yaml", manifest="a", events=["pre-install"],
                weight=-5, delete_policies=["hook-failed"],
                last_run=LastRun(started_at="2026-01-01T00:00:00Z", phase="Running"))  # fmt: skip
    one = record(config={"a": {"b": None}}, hooks=[hook], manifest="---\n", apply_method="ssa")
    assert decode(encode(one)) == one


def test_the_form_is_helms(record):
    body = content(encode(record(hooks=[Hook(name="h")], config={"n": 3.0})))
    assert body["chart"]["metadata"]["name"] == "app"
    assert body["hooks"] == [{"name": "h", "last_run": {"phase": ""}}]
    assert b'"n":3}' in msgspec.json.encode(body["config"])
    assert "deleted" not in body["info"]


def test_empty_parts_are_left_out(record):
    assert not {"config", "manifest", "hooks", "apply_method"} & content(encode(record())).keys()


def test_equal_records_are_equal_bytes(record):
    assert encode(record()) == encode(record())


@pytest.mark.parametrize("packed", [True, False])
def test_what_the_go_helm_writes_is_read(packed):
    body = {
        "name": "app",
        "info": {"first_deployed": "2026-01-01T00:00:00+02:00", "deleted": "", "status": "failed"},
        "chart": {"metadata": {"name": "app", "version": "1.0.0"}, "lock": None, "schema": None},
        "config": {"gone": None},
        "hooks": [{"name": "h", "last_run": {"started_at": "", "phase": ""}, "weight": 1}],
        "manifest": "x",
        "version": 3,
        "namespace": "default",
        "future": {"field": 1},
    }
    raw = msgspec.json.encode(body)
    data = base64.b64encode(gzip.compress(raw) if packed else raw)
    one = decode(base64.b64encode(data).decode())
    assert (one.version, one.status, one.config) == (3, "failed", {"gone": None})
    assert one.info.first_deployed.endswith("+02:00")
    assert one.chart["lock"] is None


@pytest.mark.parametrize(
    "text", ["", "!", base64.b64encode(b"!").decode(), base64.b64encode(b"e30=").decode()]
)
def test_what_is_no_release_is_refused(text):
    with pytest.raises(RecordInvalid):
        decode(text)


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "2026-01-02T03:04:05Z"),
        (500_000, "2026-01-02T03:04:05.5Z"),
        (1, "2026-01-02T03:04:05.000001Z"),
    ],
)
def test_times_have_no_trailing_zeros(micros, text):
    assert now_text(datetime(2026, 1, 2, 3, 4, 5, micros, UTC)) == text
