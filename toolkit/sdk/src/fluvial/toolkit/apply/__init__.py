"""Applying objects server-side, knowing what exists, and waiting for it.

    applier = Applier(client, "kustomize-controller", Owner("kustomize.toolkit.fluxcd.io", "apps",
                      "flux-system"))
    changes = await applier.apply(objects, ApplyOptions(previous=old), before_write=write_status)
    pruned = await applier.prune(old.difference(changes.inventory),
                                 PruneOptions(remaining=changes.inventory))
    inventory = changes.inventory.union(pruned.kept)
    problem = verdict(await wait(client, changes.checked, timeout=300))

An object is in the inventory before it is applied, and leaves it only after it is gone. The rules
are upstream's but for what docs/decisions lists ("The apply engine").
"""

from fluvial.toolkit.apply import kstatus
from fluvial.toolkit.apply._plan import readable
from fluvial.toolkit.apply.applier import Applier, BeforeWrite
from fluvial.toolkit.apply.changes import MISSING, Action, Change, ChangeSet, FieldChange
from fluvial.toolkit.apply.errors import (
    ApplyError,
    ApplyFailed,
    ExpressionInvalid,
    ObjectError,
    PruneRefused,
    SelectorInvalid,
)
from fluvial.toolkit.apply.expressions import EvaluationError, Expression, HealthExpressions
from fluvial.toolkit.apply.fights import Fight, Fights
from fluvial.toolkit.apply.health import Health, verdict, wait
from fluvial.toolkit.apply.inventory import Entry, Inventory
from fluvial.toolkit.apply.kstatus import State, Status
from fluvial.toolkit.apply.manifests import expand, normalize
from fluvial.toolkit.apply.options import ApplyOptions, PruneOptions
from fluvial.toolkit.apply.ordering import Stage, order, sort_key, stage, stages
from fluvial.toolkit.apply.owner import Owner
from fluvial.toolkit.apply.policy import Policy
from fluvial.toolkit.apply.pruning import prune, wait_gone
from fluvial.toolkit.apply.tracking import Claim, Tracker
from fluvial.toolkit.apply.unmoved import Verdict

__all__ = [
    "MISSING",
    "Action",
    "Applier",
    "ApplyError",
    "ApplyFailed",
    "ApplyOptions",
    "BeforeWrite",
    "Change",
    "ChangeSet",
    "Claim",
    "Entry",
    "EvaluationError",
    "Expression",
    "ExpressionInvalid",
    "FieldChange",
    "Fight",
    "Fights",
    "Health",
    "HealthExpressions",
    "Inventory",
    "ObjectError",
    "Owner",
    "Policy",
    "PruneOptions",
    "PruneRefused",
    "SelectorInvalid",
    "Stage",
    "State",
    "Status",
    "Tracker",
    "Verdict",
    "expand",
    "kstatus",
    "normalize",
    "order",
    "prune",
    "readable",
    "sort_key",
    "stage",
    "stages",
    "verdict",
    "wait",
    "wait_gone",
]
