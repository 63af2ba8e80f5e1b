"""The command line."""

import pytest

from fluvial.helm.flags import HelmFlags
from fluvial.toolkit import FlagError
from fluvial.toolkit.flags import parse


def test_names_and_defaults_are_upstreams():
    flags = parse(HelmFlags, [])
    assert (flags.snapshot_digest_algo, flags.http_retry, flags.concurrent) == ("sha256", 9, 4)
    assert flags.requeue_dependency == 30
    flags = parse(HelmFlags, ["--no-cross-namespace-refs", "--default-service-account=a"])
    assert (flags.no_cross_namespace_refs, flags.default_service_account) == (True, "a")
    assert parse(HelmFlags, ["--feature-gates=DefaultToRetryOnFailure=true"]).enabled(
        "DefaultToRetryOnFailure"
    )


def test_an_algorithm_that_is_not_known_is_refused():
    with pytest.raises(FlagError, match="'blake3' is none of sha256"):
        parse(HelmFlags, ["--snapshot-digest-algo=blake3"])
