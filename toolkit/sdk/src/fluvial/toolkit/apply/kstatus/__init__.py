"""How an object fares, by its own status: the rules that upstream's kstatus has.

`compute` asks, in this order: is it being deleted; has its controller seen this generation; do the
conditions Reconciling and Stalled speak; what does its kind say; what does the condition Ready say.
"""

from fluvial.toolkit.apply.kstatus._compute import compute
from fluvial.toolkit.apply.kstatus._status import State, Status

__all__ = ["State", "Status", "compute"]
