"""What a failed install or upgrade leads to, with the defaults that the API leaves open."""

from dataclasses import dataclass
from typing import Literal

from fluvial.apis.duration import parse_duration
from fluvial.apis.helm import HelmRelease, Install, Upgrade

__all__ = ["Remediation", "active", "of_install", "of_upgrade"]

_RETRY_INTERVAL = "5m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remediation:
    """The rules for one kind of action, and how often it has failed.

    `retry_in_place` is the strategy RetryOnFailure: nothing is remediated, and the next try comes
    after `retry_interval` seconds. Negative `retries` are without end.
    """

    action: Literal["install", "upgrade"]
    failures: int
    retries: int = 0
    last: bool = False
    uninstalls: bool = False
    retry_in_place: bool = False
    retry_interval: float = 0.0

    @property
    def exhausted(self) -> bool:
        """Whether no further try is left; with retries 0 the first failure is the last."""
        return not self.retry_in_place and 0 <= self.retries < self.failures


def of_install(obj: HelmRelease, *, retry_by_default: bool = False) -> Remediation:
    """Return the rules for a failed install: it is uninstalled."""
    spec = obj.spec.install or Install()
    rules = spec.remediation
    in_place = spec.strategy.name == "RetryOnFailure" if spec.strategy else retry_by_default
    interval = (spec.strategy and spec.strategy.retry_interval) or _RETRY_INTERVAL
    return Remediation(
        action="install",
        failures=obj.status.install_failures,
        retries=rules.retries if rules else 0,
        last=bool(rules and rules.remediate_last_failure),
        uninstalls=True,
        retry_in_place=in_place,
        retry_interval=parse_duration(interval),
    )


def of_upgrade(obj: HelmRelease, *, retry_by_default: bool = False) -> Remediation:
    """Return the rules for a failed upgrade: it is rolled back, or uninstalled."""
    spec = obj.spec.upgrade or Upgrade()
    rules = spec.remediation
    in_place = spec.strategy.name == "RetryOnFailure" if spec.strategy else retry_by_default
    interval = (spec.strategy and spec.strategy.retry_interval) or _RETRY_INTERVAL
    retries = rules.retries if rules else 0
    last = rules.remediate_last_failure if rules else None
    return Remediation(
        action="upgrade",
        failures=obj.status.upgrade_failures,
        retries=retries,
        last=retries > 0 if last is None else last,
        uninstalls=bool(rules and rules.strategy == "uninstall"),
        retry_in_place=in_place,
        retry_interval=parse_duration(interval),
    )


def active(obj: HelmRelease, *, retry_by_default: bool = False) -> Remediation | None:
    """Return the rules of the last attempted action; None when there was none."""
    if obj.status.last_attempted_release_action == "install":
        return of_install(obj, retry_by_default=retry_by_default)
    if obj.status.last_attempted_release_action == "upgrade":
        return of_upgrade(obj, retry_by_default=retry_by_default)
    return None
