import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.canary.checksum import (
    config_checksum,
    is_ours,
    run_checksum,
    secret_checksum,
    spec_hash,
    string_hash,
)


@pytest.mark.parametrize(
    ("data", "checksum", "reason"),
    [
        ({"a": "é", "b": "x<y&z"}, "27a31671072c593c", "UTF-8, and the escapes of Go's JSON"),
        (None, "74234e98afe7498f", "no data is null"),
    ],
)
def test_checksums_of_config_maps_are_flaggers(data, checksum, reason):
    assert config_checksum(data) == checksum, reason


def test_checksums_of_secrets_are_flaggers():
    assert secret_checksum({"k": b"v"}) == "55cb228b342ed33e"
    assert config_checksum({"k": "dg=="}) == "55cb228b342ed33e"


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", ">"])
def test_what_go_escapes_is_escaped(separator):
    assert config_checksum({"a": separator}) != config_checksum({"a": "x"})
    assert config_checksum({"a": separator}) == config_checksum({"a": separator})


def test_the_hash_of_a_string_is_flaggers():
    assert string_hash("podinfo-00001") == "5498f4fcd6"


@pytest.mark.parametrize(
    ("tracked", "applied", "checksum"),
    [
        (None, "", "758df7c9fc"),
        ({"configmap/a": "1", "secret/b": "2"}, "85d557f47b", "78d86fc4c"),
        ({"secret/b": "2", "configmap/a": "1"}, "85d557f47b", "78d86fc4c"),
    ],
)
def test_the_checksum_of_a_run_is_flaggers(tracked, applied, checksum):
    assert run_checksum(tracked, applied) == checksum


@pytest.mark.parametrize(
    ("one", "other", "equal", "reason"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True, "the order of keys says nothing"),
        ({"a": 1, "b": None}, {"a": 1}, True, "a null is an absent field"),
        ({"a": [{"b": None}]}, {"a": [{}]}, True, "in lists as well"),
        ({"emptyDir": {}}, {}, False, "an empty object says something"),
        ({"a": ""}, {}, False, "an empty text as well: labels may have it"),
        ({"a": [1, 2]}, {"a": [2, 1]}, False, "the order of lists counts"),
    ],
)
def test_hashes_of_specs(one, other, equal, reason):
    assert (spec_hash(one) == spec_hash(other)) is equal, reason


def test_our_hashes_are_told_from_others():
    assert is_ours(spec_hash({"a": 1}))
    assert not is_ours("85d557f47b")


@given(st.dictionaries(st.text(), st.text()))
def test_a_checksum_is_always_sixteen_hexadecimal_digits(data):
    assert len(config_checksum(data)) == 16
    assert int(config_checksum(data), 16) >= 0
