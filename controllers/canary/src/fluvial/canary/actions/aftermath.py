"""The hooks behind a release, however it ended; what they answer changes nothing."""

from fluvial.canary.state import Phase
from fluvial.canary.tick import Tick

__all__ = ["after"]


async def after(tick: Tick, phase: Phase) -> None:
    """Call the post-rollout hooks; `phase` is Succeeded or Failed."""
    for hook in tick.canary.spec.analysis.webhooks:
        if hook.type != "post-rollout":
            continue
        outcome = await tick.parts.hooks.call(tick.canary, hook, phase, tick.checksum)
        if outcome.ok:
            await tick.tell(f"Post-rollout hook {hook.name} passed")
        else:
            await tick.warn(f"Post-rollout hook {hook.name} failed {outcome.message}")
