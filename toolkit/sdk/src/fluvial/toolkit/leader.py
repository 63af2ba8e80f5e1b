"""Leader election by a Lease, with fencing: who may have lost the lease writes nothing more.

Compatible with client-go's elector (same Lease, same fields), so that a Go replica and this one
can stand by for each other.
"""

import hashlib
import os
import random
import secrets
import socket
from typing import Any

from fluvial.apis.ids import Unstructured
from fluvial.toolkit.client import (
    AlreadyExists,
    Client,
    ClientError,
    Conflict,
    LeaseLost,
    NotFound,
    Resource,
)
from fluvial.toolkit.clock import Clock, rfc3339
from fluvial.toolkit.logs import logger
from fluvial.toolkit.metrics import Metrics

__all__ = ["LEASES", "LeaderElector", "lease_name"]

LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
"""The endpoint of Leases."""

_MARGIN = 1.0
"""Seconds before the lease's end at which the last request must be answered."""
_SHORTEST = 2.0
"""A request that is left less time than this is not worth sending."""


def lease_name(controller: str, label_selector: str = "") -> str:
    """Return the lease's name; a shard, named by its label selector, has one of its own."""
    name = f"{controller}-leader-election"
    if label_selector:
        name += "-" + hashlib.sha256(label_selector.encode()).hexdigest()[:8]
    return name


class LeaderElector:
    """Takes a Lease, renews it, and knows at any moment whether it can still be held.

    `client` must be one of its own (its renewals may wait behind nothing, and are not fenced).
    The lease is counted from **before** the request that renewed it was sent, on a clock that goes
    on while the process or the machine is stopped. Another holder's lease is judged by when this
    process last saw it change, never by the other machine's clock.
    """

    def __init__(
        self,
        client: Client,
        name: str,
        namespace: str,
        *,
        clock: Clock,
        metrics: Metrics,
        duration: float = 35.0,
        renew_deadline: float = 30.0,
        retry_period: float = 5.0,
        release: bool = True,
        identity: str | None = None,
    ) -> None:
        self.identity = identity or f"{socket.gethostname()}_{os.getpid()}-{secrets.token_hex(8)}"
        """This process as the lease's `holderIdentity` names it."""
        self._client = client
        self._name = name
        self._namespace = namespace
        self._clock = clock
        self._gauge = metrics.leader.labels(name)
        self._gauge.set(0)
        self._duration = duration
        self._renew_deadline = renew_deadline
        self._retry = retry_period
        self._release = release
        self._held_until: float | None = None
        self._seen: tuple[str, str] = ("", "")
        self._seen_at = 0.0
        self._log = logger("leaderelection", lease=f"{namespace}/{name}")

    @property
    def leading(self) -> bool:
        """Whether the lease is held at this moment."""
        return self._held_until is not None and self._clock.boottime() < self._held_until

    def guard(self, timeout: float) -> float:
        """Return how long a request that changes something may take, at most `timeout` seconds.

        It must be answered before the lease ends. Raises LeaseLost when too little is left.
        """
        if self._held_until is None:
            raise LeaseLost(f"lease {self._namespace}/{self._name} is not held")
        left = self._held_until - _MARGIN - self._clock.boottime()
        if left < min(timeout, _SHORTEST) or left <= 0:
            raise LeaseLost(
                f"lease {self._namespace}/{self._name} ends in {max(left, 0):.1f}s:"
                " too soon to write anything"
            )
        return min(timeout, left)

    async def acquire(self) -> None:
        """Wait until the lease is ours."""
        self._log.info(f"attempting to acquire leader lease {self._namespace}/{self._name}...")
        while not await self._attempt():
            await self._clock.sleep(self._retry * random.uniform(1.0, 2.2))  # noqa: S311
        self._gauge.set(1)
        self._log.info(f"successfully acquired lease {self._namespace}/{self._name}")

    async def hold(self) -> None:
        """Renew until cancelled. Raises LeaseLost when the lease is gone or cannot be renewed."""
        renewed = self._clock.boottime()
        while True:
            await self._clock.sleep(self._retry)
            # A process that was stopped must not take an expired lease for its own again.
            if not self.leading:
                raise self._lost("it expired before it could be renewed")
            if await self._attempt():
                renewed = self._clock.boottime()
            elif self._held_until is None:
                raise self._lost("another holder took it")
            elif self._clock.boottime() - renewed >= self._renew_deadline:
                raise self._lost(f"it could not be renewed for {self._renew_deadline:g}s")

    async def step_down(self) -> None:
        """Give the lease up, so that the next holder need not wait; only if it is still ours."""
        held, self._held_until = self.leading, None
        self._gauge.set(0)
        if not (held and self._release):
            return
        try:
            lease = await self._read()
            if lease is None or (lease.get("spec") or {}).get("holderIdentity") != self.identity:
                return
            now = rfc3339(self._clock.now(), micros=True)
            spec = {
                "holderIdentity": "",
                "leaseDurationSeconds": 1,
                "acquireTime": now,
                "renewTime": now,
            }
            await self._write(lease, spec)
        except ClientError as error:
            self._log.info("the lease was not released", error=str(error))

    def _lost(self, why: str) -> LeaseLost:
        self._held_until = None
        self._gauge.set(0)
        return LeaseLost(f"leader election lost: lease {self._namespace}/{self._name}: {why}")

    async def _attempt(self) -> bool:
        """Try once to take or renew the lease; failures to reach the server are just False."""
        start = self._clock.boottime()
        try:
            lease = await self._read()
            if lease is None:
                await self._create()
            elif not self._may_take(lease, start):
                self._held_until = None
                return False
            else:
                await self._write(lease, self._spec(lease))
        except (Conflict, AlreadyExists):
            # Somebody was quicker; who holds it is seen at the next look.
            return False
        except ClientError as error:
            self._log.info("error retrieving or updating the lease", error=str(error))
            return False
        self._held_until = start + self._duration
        return True

    async def _read(self) -> Unstructured | None:
        try:
            return await self._client.get(LEASES, self._name, self._namespace, deadline=self._retry)
        except NotFound:
            return None

    def _may_take(self, lease: Unstructured, now: float) -> bool:
        spec = lease.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder in {"", self.identity}:
            return True
        seen = (holder, str(spec.get("renewTime")))
        if seen != self._seen:
            self._seen, self._seen_at = seen, now
        return now - self._seen_at >= float(spec.get("leaseDurationSeconds") or self._duration)

    def _spec(self, lease: Unstructured | None) -> dict[str, Any]:
        old = (lease or {}).get("spec") or {}
        now = rfc3339(self._clock.now(), micros=True)
        mine = old.get("holderIdentity") == self.identity
        transitions = int(old.get("leaseTransitions") or 0)
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": int(self._duration),
            "acquireTime": old.get("acquireTime") if mine else now,
            "renewTime": now,
            "leaseTransitions": transitions if mine or lease is None else transitions + 1,
        }

    async def _create(self) -> None:
        metadata = {"name": self._name, "namespace": self._namespace}
        body = {
            "apiVersion": LEASES.api_version,
            "kind": "Lease",
            "metadata": metadata,
            "spec": self._spec(None),
        }
        await self._client.create(LEASES, body, self._namespace, deadline=self._retry)

    async def _write(self, lease: Unstructured, spec: dict[str, Any]) -> None:
        version = lease["metadata"]["resourceVersion"]
        patch = {"metadata": {"resourceVersion": version}, "spec": spec}
        await self._client.patch(LEASES, self._name, patch, self._namespace, deadline=self._retry)
