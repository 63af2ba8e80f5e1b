"""Digests: the vectors of upstream's own libraries, and what must or must not move them."""

import pytest

from fluvial.helm.digests import (
    common_metadata_digest,
    config_digest,
    post_renderers_digest,
    same_snapshot,
    snapshot_digest,
)
from fluvial.helm.storage import Hook, Info, LastRun, Record

TIME = "2024-05-07T04:54:21.123456789Z"
IDS = {
    "632bd80235a05f4192aefade": "value1",
    "632bd80ddf416cf32fd50679": "value2",
    "632bd817c559818a52307da2": "value3",
    "632bd82398e71231a98004b6": "value4",
}
PORTS = [{"protocol": "TCP", "port": 8080.0}, {"port": 9090.0, "protocol": "UDP"}]
IMAGE = {"tag": "latest", "repository": "nginx"}


@pytest.mark.parametrize(
    ("values", "digest", "reason"),
    [
        (
            None,
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "no values are no bytes",
        ),
        (
            {},
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "empty values as well",
        ),
        (
            {"replicas": 3.0, "image": IMAGE, "ports": PORTS},
            "sha256:fcdc2b0de1581a3633ada4afee3f918f6eaa5b5ab38c3fef03d5b48d3f85d9f6",
            "whole floats print as integers",
        ),
        (
            {"ports": PORTS, "image": IMAGE, "replicas": 3},
            "sha256:fcdc2b0de1581a3633ada4afee3f918f6eaa5b5ab38c3fef03d5b48d3f85d9f6",
            "order and kind of number do not matter",
        ),
        (
            {"replicas": 3.0, "test": IDS},
            "sha256:8a980fcbeadd6f05818f07e8aec14070c22250ca3d96af1fcd5f93b3e85b4d70",
            "keys sort bytewise, not by the numbers in them",
        ),
    ],
)
def test_config_digest(values, digest, reason):
    assert config_digest(values) == digest, reason


def observed(**changes):
    fields = {
        "name": "app",
        "version": 1,
        "info": Info(
            first_deployed=TIME,
            last_deployed=TIME,
            description="Install complete",
            status="deployed",
        ),
        "chart": {"metadata": {"name": "podinfo", "version": "6.6.1", "apiVersion": "v1"}},
        "manifest": "---\n# Source: podinfo/templates/a.yaml\ndata: <a&b>\n",
        "namespace": "default",
    }
    return Record(**{**fields, **changes})


VECTOR = "sha256:99c9498bb569ff096d9e41f0a8500c5ded26057e601493084cd0d02b93da9078"


def test_snapshot_digest_of_the_vector():
    assert snapshot_digest(observed()) == VECTOR


@pytest.mark.parametrize(
    ("changes", "same", "reason"),
    [
        ({"config": {}}, True, "empty values are null"),
        ({"hooks": [Hook(name="t", events=["test"])]}, True, "test hooks do not count"),
        ({"hooks": [Hook(name="t", events=["pre-install"])]}, False, "other hooks do"),
        ({"chart": {"metadata": {"name": "podinfo", "version": "6.6.1", "apiVersion": "v1",
                                 "keywords": [], "deprecated": False}}}, True, "empty is absent"),
        ({"chart": {"metadata": {"apiVersion": "v1", "version": "6.6.1", "name": "podinfo"},
                    "values": {"a": 1}}}, True, "of the chart only metadata counts, in any order"),
        ({"config": {"a": 1.0}}, False, "values count"),
        ({"version": 2}, False, "the number counts"),
        ({"apply_method": "ssa"}, True, "how it was applied does not"),
    ],
)  # fmt: skip
def test_what_moves_a_snapshot_digest(changes, same, reason):
    assert (snapshot_digest(observed(**changes)) == VECTOR) is same, reason


def test_a_hook_that_ran_moves_the_digest():
    hook = Hook(name="h", events=["pre-install"])
    ran = Hook(name="h", events=["pre-install"], last_run=LastRun(phase="Succeeded"))
    assert snapshot_digest(observed(hooks=[hook])) != snapshot_digest(observed(hooks=[ran]))


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512", "sha1"])
def test_a_digest_is_verified_by_the_algorithm_that_it_names(algorithm):
    digest = snapshot_digest(observed(), algorithm)
    assert digest.startswith(f"{algorithm}:")
    assert same_snapshot(observed(), digest)
    assert not same_snapshot(observed(version=2), digest)


def test_an_unknown_algorithm_is_never_the_same():
    assert not same_snapshot(observed(), "blake3:00")


def test_the_oci_digest_is_part_of_the_snapshot():
    digest = snapshot_digest(observed(), oci_digest="sha256:1")
    assert same_snapshot(observed(), digest, "sha256:1")
    assert not same_snapshot(observed(), digest)


def test_decorations_have_digests_of_their_own(model):
    plain = model()
    assert post_renderers_digest(plain) == ""
    assert common_metadata_digest(plain) == ""
    one = model(commonMetadata={"labels": {"b": "2", "a": "1"}})
    other = model(commonMetadata={"labels": {"a": "1", "b": "2"}})
    assert common_metadata_digest(one) == common_metadata_digest(other) != ""
    patched = model(postRenderers=[{"kustomize": {"images": [{"name": "a", "newTag": "2"}]}}])
    assert post_renderers_digest(patched).startswith("sha256:")
