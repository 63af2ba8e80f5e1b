"""An address of its own for each pod, in 127.0.0.0/8."""

from __future__ import annotations

import errno
import random
import socket

__all__ = ["AddressError", "Addresses"]

_CLAIM_PORT = 10255
_ATTEMPTS = 64


class AddressError(OSError):
    """No free loopback address could be bound."""


class Addresses:
    """Gives out addresses, each to one pod at a time.

    A pod with real processes also claims its address on the whole machine, so that two control
    planes never share one: a UDP socket is held on a fixed port of the address.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311  collisions matter, secrecy does not
        self._taken: dict[str, socket.socket | None] = {}

    def take(self, *, claim: bool) -> str:
        """Return a free address; raises `AddressError` when none can be bound."""
        for _ in range(_ATTEMPTS):
            address = ".".join(("127", *(str(self._random.randint(low, 254)) for low in (2, 1, 1))))
            if address in self._taken:
                continue
            held = None
            if claim:
                try:
                    held = _hold(address)
                except OSError as error:
                    if error.errno == errno.EADDRINUSE:
                        continue
                    raise AddressError(
                        error.errno,
                        f"cannot bind {address}: {error.strerror}; real pods need the whole of "
                        "127.0.0.0/8 (on macOS: ifconfig lo0 alias)",
                    ) from error
            self._taken[address] = held
            return address
        raise AddressError(errno.EADDRNOTAVAIL, "no free address found in 127.0.0.0/8")

    def give_back(self, address: str) -> None:
        """Free an address."""
        held = self._taken.pop(address, None)
        if held is not None:
            held.close()

    def close(self) -> None:
        """Free every address."""
        for address in list(self._taken):
            self.give_back(address)


def _hold(address: str) -> socket.socket:
    held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        held.bind((address, _CLAIM_PORT))
    except OSError:
        held.close()
        raise
    return held
