"""`status.history`: what was observed of the release's records, the newest first."""

from fluvial.apis.helm import HelmRelease, ReleaseSnapshot
from fluvial.helm.digests import config_digest, same_snapshot, snapshot_digest
from fluvial.helm.storage import Record

__all__ = ["latest", "matches", "previous_good", "remember", "text_of", "truncate"]

_KEPT = 5
_GOOD = {"deployed", "superseded"}


def latest(obj: HelmRelease) -> ReleaseSnapshot | None:
    """Return the newest snapshot."""
    return obj.status.history[0] if obj.status.history else None


def remember(obj: HelmRelease, record: Record, algorithm: str, action: str = "") -> None:
    """Take a snapshot of a record that was written: a new one, or in place of its older one.

    A record that is older than all snapshots and is none of them is left out.
    """
    history = obj.status.history
    place = next((n for n, one in enumerate(history) if one.version == record.version), None)
    if place is None and history and record.version < history[0].version:
        return
    old = None if place is None else history[place]
    snapshot = ReleaseSnapshot(
        api_version="v2",
        digest=snapshot_digest(record, algorithm, old.oci_digest if old else ""),
        name=record.name,
        namespace=record.namespace,
        version=record.version,
        status=record.status,
        action=action or (old.action if old else ""),
        chart_name=str(record.metadata.get("name") or ""),
        chart_version=str(record.metadata.get("version") or ""),
        app_version=str(record.metadata.get("appVersion") or ""),
        config_digest=config_digest(record.config),
        first_deployed=_seconds(record.info.first_deployed),
        last_deployed=_seconds(record.info.last_deployed),
        deleted=_seconds(record.info.deleted) or None,
        test_hooks=old.test_hooks if old else None,
        oci_digest=old.oci_digest if old else "",
    )
    if place is None:
        history.insert(0, snapshot)
    else:
        history[place] = snapshot


def matches(snapshot: ReleaseSnapshot, record: Record) -> bool:
    """Whether a record is still what was observed; old snapshot forms compare the number alone."""
    if record.version != snapshot.version or record.name != snapshot.name:
        return False
    if snapshot.api_version != "v2":
        return True
    return same_snapshot(record, snapshot.digest, snapshot.oci_digest)


def previous_good(obj: HelmRelease) -> ReleaseSnapshot | None:
    """Return the newest earlier snapshot to which a release may be rolled back."""
    return next((one for one in obj.status.history[1:] if one.status in _GOOD), None)


def truncate(obj: HelmRelease, *, retries_in_place: bool) -> None:
    """Drop snapshots that nothing needs: those before the previous good one, or beyond five."""
    history = obj.status.history
    good = None if retries_in_place else previous_good(obj)
    if good is not None:
        obj.status.history = history[: history.index(good) + 1]
    else:
        obj.status.history = history[:_KEPT]


def text_of(snapshot: ReleaseSnapshot) -> str:
    """Print as messages do: `release ns/name.v1 with chart chart@1.0.0`."""
    chart = f"{snapshot.chart_name}@{snapshot.chart_version}"
    return f"release {snapshot.namespace}/{snapshot.name}.v{snapshot.version} with chart {chart}"


def _seconds(time: str) -> str:
    """Cut fractions: a status holds times as Kubernetes writes them."""
    whole, dot, rest = time.partition(".")
    if not dot:
        return time
    return whole + rest.lstrip("0123456789")
