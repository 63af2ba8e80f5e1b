"""Whether a status says the same to every reader: the rules that kstatus and Flux rely on."""

from fluvial.apis.ids import Unstructured

__all__ = ["inconsistencies"]


def inconsistencies(obj: Unstructured) -> list[str]:
    """List what is contradictory in the status of an object that was reconciled; empty if nothing.

    Ready must be there; it is False whenever Reconciling or Stalled is True and Ready is not
    Unknown; the two never come together; no generation that does not exist yet was observed; a
    Ready object was observed in its last generation, and so was every condition of it; Ready is
    Unknown only while Reconciling is True.
    """
    status = obj.get("status") or {}
    conditions = {one["type"]: one for one in status.get("conditions") or ()}
    value = {type_: one["status"] for type_, one in conditions.items()}
    generation = obj["metadata"].get("generation", 0)
    observed = status.get("observedGeneration", 0)
    ready = value.get("Ready")
    busy = value.get("Reconciling") == "True"
    stalled = value.get("Stalled") == "True"
    stale = [
        type_ for type_, one in conditions.items() if one.get("observedGeneration") != generation
    ]
    rules = {
        "Ready is missing": ready is None,
        "Ready is True and so is Reconciling or Stalled": ready == "True" and (busy or stalled),
        "Ready is Unknown and Reconciling is not True": ready == "Unknown" and not busy,
        "Reconciling and Stalled are both there": {"Reconciling", "Stalled"} <= conditions.keys(),
        f"observedGeneration {observed} is beyond generation {generation}": observed > generation,
        f"Ready is True, generation {observed} of {generation} was observed": ready == "True"
        and observed != generation,
        f"Ready is True, {', '.join(stale)} not of generation {generation}": ready == "True"
        and bool(stale),
    }
    return [problem for problem, holds in rules.items() if holds]
