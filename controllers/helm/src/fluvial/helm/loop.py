"""The loop of an attempt: look, decide, act, until the release is as wanted or must wait.

Each type of action (release, remediate, unlock) runs at most once per attempt, and a remediation
ends it: what comes then is for the next one.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from fluvial.apis.duration import format_duration
from fluvial.apis.meta import Condition
from fluvial.helm import remediation, snapshots
from fluvial.helm.actions.install import install
from fluvial.helm.actions.rollback import rollback
from fluvial.helm.actions.uninstall import uninstall
from fluvial.helm.actions.unlock import unlock
from fluvial.helm.actions.upgrade import upgrade
from fluvial.helm.attempt import RELEASED, REMEDIATED, Attempt
from fluvial.helm.errors import ActionFailed, ChartUnusable, RecordInvalid
from fluvial.helm.state import (
    Finish,
    Install,
    Rollback,
    Stall,
    Unexpected,
    Uninstall,
    Unlock,
    Upgrade,
    decide,
)
from fluvial.helm.summary import summarize
from fluvial.toolkit import (
    ApiError,
    ReconcileError,
    Stalled,
    Transient,
    TransportError,
    conditions,
)

__all__ = ["release"]

_BROKEN: Final = (ActionFailed, ChartUnusable, ApiError, TransportError)


async def release(it: Attempt) -> None:
    """Bring the release to where the spec wants it. Raises a ReconcileError where it cannot."""
    done: set[str] = set()
    while True:
        try:
            it.records = await it.storage.records()
        except RecordInvalid as error:
            raise Transient("StateError", str(error)) from error
        action = decide(
            it.obj,
            it.records,
            it.desired,
            forced=it.forced,
            retry_by_default=it.retry_by_default,
        )
        match action:
            case Finish():
                _finish(it)
                return
            case Stall():
                raise _stalled(it, action)
            case Unexpected():
                raise Transient(
                    "StateError",
                    f"cannot determine what to do with release {it.title}: its newest record is "
                    f"'{action.status}'",
                )
            case Unlock():
                _once(it, done, "unlock")
                await _unlock(it)
            case Install():
                _once(it, done, "release")
                await _release(it, "install", lambda: install(it))
            case Upgrade():
                _once(it, done, "release")
                if action.anew:
                    it.obj.status.history = []
                await _release(it, "upgrade", lambda: upgrade(it))
            case Rollback():
                _once(it, done, "remediate")
                await _roll_back(it, action)
                raise _stopped(it)
            case Uninstall():
                _once(it, done, "remediate")
                await _remediate_by_uninstall(it)
                raise _stopped(it)


def _once(it: Attempt, done: set[str], type: str) -> None:
    if type in done:
        raise _stopped(it)
    done.add(type)


async def _release(it: Attempt, action: str, act: Callable[[], Awaitable[None]]) -> None:
    """Install or upgrade; a failure that left a record is for the next look to deal with."""
    obj, status = it.obj, it.obj.status
    it.forced = False
    status.last_attempted_release_action = action
    conditions.delete(obj, REMEDIATED)
    own = getattr(obj.spec, action)
    await it.announce(action, own.timeout if own else "")
    started = it.ctx.clock.monotonic()
    reason = action.capitalize()
    try:
        await act()
    except _BROKEN as error:
        message = f"Helm {action} failed for release {it.title} with chart {it.chart_text}: {error}"
        it.ctx.mark(RELEASED, "False", f"{reason}Failed", message)
        it.ctx.event("Warning", f"{reason}Failed", message, it.metadata)
        status.failures += 1
        _took(it, started)
        if not it.storage.created:
            failed = Transient(f"{reason}Failed", message)
            failed.told = True
            raise failed from error
        if action == "install":
            status.install_failures += 1
        else:
            status.upgrade_failures += 1
        it.storage.created = False
        await it.ctx.patch_status()
        return
    _took(it, started)
    it.storage.created = False
    newest = snapshots.latest(obj)
    assert newest is not None, "a success has left its snapshot"
    message = f"Helm {action} succeeded for {snapshots.text_of(newest)}"
    it.ctx.mark(RELEASED, "True", f"{reason}Succeeded", message)
    it.ctx.event("Normal", f"{reason}Succeeded", message, it.metadata)
    rules = remediation.active(obj, retry_by_default=it.retry_by_default)
    if rules is not None and rules.retry_in_place:
        status.failures = status.install_failures = status.upgrade_failures = 0
    await it.ctx.patch_status()


def _took(it: Attempt, started: float) -> None:
    seconds = round(it.ctx.clock.monotonic() - started, 3)
    it.obj.status.last_attempted_release_action_duration = format_duration(seconds)


async def _unlock(it: Attempt) -> None:
    record, stale = await unlock(it)
    chart = f"{record.metadata.get('name')}@{record.metadata.get('version')}"
    name = f"{record.namespace}/{record.name}.v{record.version}"
    message = f"Unlocked Helm release {name} with chart {chart} in {stale} state"
    it.ctx.mark(RELEASED, "False", "PendingRelease", message)
    it.ctx.event("Warning", "PendingRelease", message, it.metadata)
    await it.ctx.patch_status()


async def _roll_back(it: Attempt, action: Rollback) -> None:
    target = snapshots.text_of(action.target)
    spec = it.obj.spec.rollback
    await it.announce("rollback", spec.timeout if spec else "")
    try:
        await rollback(it, action.target.version)
    except _BROKEN as error:
        message = f"Helm rollback to previous {target} failed: {error}"
        it.ctx.mark(REMEDIATED, "False", "RollbackFailed", message)
        it.ctx.event("Warning", "RollbackFailed", message, it.metadata)
        it.obj.status.failures += 1
        return
    message = f"Helm rollback to previous {target} succeeded"
    it.ctx.mark(REMEDIATED, "True", "RollbackSucceeded", message)
    it.ctx.event("Normal", "RollbackSucceeded", message, it.metadata)


async def _remediate_by_uninstall(it: Attempt) -> None:
    newest = snapshots.latest(it.obj)
    assert newest is not None, "what is remediated has left its snapshot"
    text = snapshots.text_of(newest)
    spec = it.obj.spec.uninstall
    await it.announce("uninstall", spec.timeout if spec else "")
    try:
        await uninstall(it, "uninstall-remediation")
    except _BROKEN as error:
        message = f"Helm uninstall remediation for {text} failed: {error}"
        it.ctx.mark(REMEDIATED, "False", "UninstallFailed", message)
        it.ctx.event("Warning", "UninstallFailed", message, it.metadata)
        it.obj.status.failures += 1
        return
    message = f"Helm uninstall remediation for {text} succeeded"
    it.ctx.mark(REMEDIATED, "True", "UninstallSucceeded", message)
    it.ctx.event("Normal", "UninstallSucceeded", message, it.metadata)


def _stalled(it: Attempt, action: Stall) -> Stalled:
    error = Stalled(action.reason, action.message)
    error.metadata = it.metadata
    error.ready = _ready(summarize(it))
    return error


def _stopped(it: Attempt) -> ReconcileError:
    """Say how an attempt ends that may do no more: again, later, or never."""
    rules = remediation.active(it.obj, retry_by_default=it.retry_by_default)
    ready = summarize(it)
    if rules is not None and rules.retry_in_place:
        delay = rules.retry_interval
        message = f"retrying after {format_duration(delay)}"
        it.ctx.mark(conditions.RECONCILING, "True", "ProgressingWithRetry", message)
    else:
        delay = None
        if rules is not None and rules.exhausted and not _uninstalled_upgrade(it, rules):
            return _stalled(
                it,
                Stall(
                    "RetriesExceeded",
                    f"Failed to {rules.action} after {rules.failures} attempt(s)",
                ),
            )
    reason, text = _ready(ready) or ("ReconcileError", "the release is not as wanted yet")
    error = Transient(reason, text, retry_after=delay)
    error.told = True
    return error


def _uninstalled_upgrade(it: Attempt, rules: remediation.Remediation) -> bool:
    """Whether an upgrade was remediated by an uninstall: it goes on with an install."""
    return rules.action == "upgrade" and rules.uninstalls and conditions.is_true(it.obj, REMEDIATED)


def _ready(winner: Condition | None) -> tuple[str, str] | None:
    return (winner.reason, winner.message) if winner is not None else None


def _finish(it: Attempt) -> None:
    """Mend conditions that a finished release contradicts, and let Ready say so."""
    obj, newest = it.obj, snapshots.latest(it.obj)
    assert newest is not None, "a release that is in sync has a snapshot"
    rules = remediation.active(obj, retry_by_default=it.retry_by_default)
    snapshots.truncate(obj, retries_in_place=rules is not None and rules.retry_in_place)
    remediated = conditions.get(obj, REMEDIATED) is not None
    if remediated or not conditions.is_true(obj, RELEASED):
        conditions.delete(obj, REMEDIATED)
        action = "install" if newest.action == "install" else "upgrade"
        message = f"Helm {action} succeeded for {snapshots.text_of(newest)}"
        it.ctx.mark(RELEASED, "True", f"{action.capitalize()}Succeeded", message)
    summarize(it)
