import ipaddress
import socket

import pytest

from fluvial.cluster.node import addresses as module
from fluvial.cluster.node.addresses import AddressError, Addresses


@pytest.fixture
def addresses():
    given = Addresses()
    yield given
    given.close()


def test_each_is_another_loopback_address_that_can_be_bound(addresses):
    taken = [addresses.take(claim=True) for _ in range(20)]
    assert len(set(taken)) == 20
    for each in taken:
        assert ipaddress.ip_address(each) in ipaddress.ip_network("127.0.0.0/8")
        assert not each.startswith(("127.0.", "127.1."))
        socket.create_server((each, 0)).close()


def test_two_planes_with_the_same_luck_do_not_share_an_address():
    one, two = Addresses(seed=7), Addresses(seed=7)
    try:
        first = one.take(claim=True)
        assert two.take(claim=True) != first
        one.give_back(first)
        assert Addresses(seed=7).take(claim=False) == first
    finally:
        one.close()
        two.close()


def test_a_simulated_pod_holds_no_socket(addresses):
    assert addresses._taken[addresses.take(claim=False)] is None


def test_a_machine_with_one_loopback_address_is_told_so(addresses, monkeypatch):
    def refuse(_address):
        raise OSError(99, "Cannot assign requested address")

    monkeypatch.setattr(module, "_hold", refuse)
    with pytest.raises(AddressError, match=r"real pods need the whole of 127\.0\.0\.0/8"):
        addresses.take(claim=True)
