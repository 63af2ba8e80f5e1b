"""The state of a release, and the decision what to do next; nothing here asks anyone."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from fluvial.apis.helm import HelmRelease, ReleaseSnapshot
from fluvial.helm import remediation, snapshots
from fluvial.helm.digests import common_metadata_digest, config_digest, post_renderers_digest
from fluvial.helm.storage import Record

__all__ = [
    "Action",
    "Desired",
    "Finish",
    "Install",
    "Rollback",
    "Stall",
    "State",
    "Unexpected",
    "Uninstall",
    "Unlock",
    "Upgrade",
    "decide",
    "determine",
]


class State(Enum):
    """What a release is, compared with what is wanted."""

    ABSENT = "absent"
    LOCKED = "locked"
    UNMANAGED = "unmanaged"
    FAILED = "failed"
    OUT_OF_SYNC = "out-of-sync"
    IN_SYNC = "in-sync"
    UNEXPECTED = "unexpected"


@dataclass(frozen=True, slots=True)
class Desired:
    """The chart and the values that are wanted."""

    chart_name: str
    chart_version: str
    config_digest: str


@dataclass(frozen=True, slots=True)
class Install:
    """Install the release."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Upgrade the release; with `anew` the history starts again, it speaks of another release."""

    anew: bool = False


@dataclass(frozen=True, slots=True)
class Rollback:
    """Go back to the release that this snapshot shows."""

    target: ReleaseSnapshot


@dataclass(frozen=True, slots=True)
class Uninstall:
    """Remove the release, because it failed."""


@dataclass(frozen=True, slots=True)
class Unlock:
    """Mark a record as failed that an interrupted action has left pending."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Do nothing until something changes."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Unexpected:
    """The newest record has a status in which nothing can be done."""

    status: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The release is as wanted."""


Action: TypeAlias = Install | Upgrade | Rollback | Uninstall | Unlock | Stall | Unexpected | Finish


def determine(obj: HelmRelease, records: Sequence[Record], desired: Desired) -> State:
    """Compare the newest record with the newest snapshot and with what is wanted, in that order."""
    if not records:
        return State.ABSENT
    record, snapshot = records[0], snapshots.latest(obj)
    if record.status.startswith("pending-"):
        return State.LOCKED
    if snapshot is None:
        return State.ABSENT if record.status == "uninstalled" else State.UNMANAGED
    if not snapshots.matches(snapshot, record):
        return State.UNMANAGED
    by_status = {"failed": State.FAILED, "uninstalled": State.ABSENT}
    if record.status != "deployed":
        return by_status.get(record.status, State.UNEXPECTED)
    metadata = record.metadata
    found = Desired(
        str(metadata.get("name")), str(metadata.get("version")), config_digest(record.config)
    )
    if found != desired or _decorated_otherwise(obj):
        return State.OUT_OF_SYNC
    return State.IN_SYNC


def decide(
    obj: HelmRelease,
    records: Sequence[Record],
    desired: Desired,
    *,
    forced: bool = False,
    retry_by_default: bool = False,
) -> Action:
    """Say what to do next. `forced` is a request to act once more, whatever the counters say."""
    state = determine(obj, records, desired)
    install = remediation.of_install(obj, retry_by_default=retry_by_default)
    upgrade = remediation.of_upgrade(obj, retry_by_default=retry_by_default)
    if state is State.LOCKED:
        return Unlock()
    if state is State.ABSENT:
        return _exceeded(install) if install.exhausted and not forced else Install()
    if state is State.UNMANAGED:
        return Upgrade(anew=True)
    if state is State.OUT_OF_SYNC:
        return _exceeded(upgrade) if upgrade.exhausted and not forced else Upgrade()
    if state is State.UNEXPECTED:
        if records[0].status == "uninstalling":
            return Uninstall()  # one of ours was interrupted
        return Unexpected(records[0].status)
    if state is State.FAILED:
        return _after_failure(obj, records, forced=forced, retry_by_default=retry_by_default)
    return Upgrade() if forced else Finish()


def _after_failure(
    obj: HelmRelease, records: Sequence[Record], *, forced: bool, retry_by_default: bool
) -> Action:
    rules = remediation.active(obj, retry_by_default=retry_by_default)
    if rules is None or rules.retry_in_place or rules.failures <= 0 or forced:
        return Upgrade()
    if rules.exhausted and not rules.last:
        return _exceeded(rules)
    if rules.uninstalls:
        return Uninstall()
    target = snapshots.previous_good(obj)
    if target is None:
        return Stall(
            "MissingRollbackTarget",
            "Failed to perform remediation: missing target release to roll back to",
        )
    stored = next((one for one in records if one.version == target.version), None)
    if stored is None or not snapshots.matches(target, stored):
        return Upgrade()
    return Rollback(target)


def _exceeded(rules: remediation.Remediation) -> Stall:
    return Stall("RetriesExceeded", f"Failed to {rules.action} after {rules.failures} attempt(s)")


def _decorated_otherwise(obj: HelmRelease) -> bool:
    """Whether post-renderers or common metadata of a new spec are others than those released."""
    status = obj.status
    return status.observed_generation != obj.metadata.generation and (
        status.observed_post_renderers_digest != post_renderers_digest(obj)
        or status.observed_common_metadata_digest != common_metadata_digest(obj)
    )
