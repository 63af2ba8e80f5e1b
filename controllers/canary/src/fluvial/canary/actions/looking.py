"""Facts: is there a new revision, are the workloads ready, where does traffic go."""

from dataclasses import replace

from fluvial.apis.ids import Unstructured
from fluvial.canary.checksum import is_ours
from fluvial.canary.configs import checksums
from fluvial.canary.primary import same_template
from fluvial.canary.readiness import judge
from fluvial.canary.revision import compare
from fluvial.canary.state import Action, Change, Fact, Look, Readiness, State
from fluvial.canary.tick import Tick

__all__ = ["look"]

_DEADLINE = 600


async def look(tick: Tick, state: State, action: Action, /) -> State:
    """Find out a fact."""
    assert isinstance(action, Look)
    if action.fact is Fact.CHANGE:
        return replace(state, change=await _change(tick))
    if action.fact is Fact.PRIMARY:
        return replace(state, primary=await _primary(tick))
    if action.fact is Fact.CANARY:
        threshold = tick.canary.spec.analysis.canary_ready_threshold
        return replace(state, canary=await _judge(tick, tick.target, threshold))
    route = await tick.router.get(tick.canary)
    tick.parts.exporter.weight(tick.canary, route.primary, route.canary)
    return replace(state, route=route)


async def _change(tick: Tick) -> Change:
    equal = False
    # Only another implementation's hash makes it necessary to look at the primary.
    if tick.status.last_applied_spec and not is_ours(tick.status.last_applied_spec):
        primary = await tick.workload.primary()
        wanted = tick.change.template(tick.target, "")
        equal = primary is not None and same_template(wanted, primary)
    return compare(tick.status, tick.spec_hash, checksums(tick.configs), primary_equal=equal)


async def _primary(tick: Tick) -> Readiness:
    primary = await tick.workload.primary()
    if primary is None:
        return Readiness.WAIT
    return await _judge(tick, primary, tick.canary.spec.analysis.primary_ready_threshold)


async def _judge(tick: Tick, deployment: Unstructured, threshold: int | None) -> Readiness:
    deadline = tick.canary.spec.progress_deadline_seconds
    verdict = judge(
        deployment,
        threshold=100 if threshold is None else threshold,
        deadline=_DEADLINE if deadline is None else deadline,
        now=tick.parts.clock.now(),
    )
    if verdict.readiness is not Readiness.READY:
        await tick.warn(f"{verdict.message}")
    return verdict.readiness
