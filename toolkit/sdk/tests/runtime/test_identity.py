"""The flags of controllers that act for tenants."""

import pytest

from fluvial.toolkit import FlagError
from fluvial.toolkit.flags import parse
from fluvial.toolkit.identity import IdentityFlags


def test_defaults():
    flags = parse(IdentityFlags, [], {})
    assert (flags.token_cache_max_size, flags.token_cache_max_duration) == (100, 3600.0)
    assert not flags.access.object_identity


def test_the_gate_lets_accounts_of_objects_act():
    arguments = [
        "--feature-gates=ObjectLevelWorkloadIdentity=true",
        "--default-kubeconfig-service-account=tenant",
        "--token-cache-max-size=0",
        "--token-cache-max-duration=5m",
    ]
    flags = parse(IdentityFlags, arguments, {})
    assert flags.access.object_identity
    assert flags.access.default_account == "tenant"
    assert (flags.token_cache_max_size, flags.token_cache_max_duration) == (0, 300.0)


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("--default-kubeconfig-service-account=a", "needs --feature-gates=ObjectLevelWorkload"),
        ("--token-cache-max-size=-1", "--token-cache-max-size must be 0 or more"),
        ("--token-cache-max-duration=0s", "--token-cache-max-duration must be above 0"),
    ],
)
def test_what_does_not_go_together(argument, says):
    with pytest.raises(FlagError, match=says):
        parse(IdentityFlags, [argument], {})
