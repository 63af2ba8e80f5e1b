"""What a caller may ask of an apply and of a prune."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from fluvial.apis import meta
from fluvial.apis.ids import GroupKind
from fluvial.toolkit.apply.inventory import Inventory

__all__ = ["ApplyOptions", "PruneOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    """How to apply.

    `previous` is the inventory of the last run. `labels` and `annotations` go on every object and
    win over what it has (commonMetadata). `force` recreates objects whose change the server refuses
    for an immutable field. `custom_stage` lists the kinds of the third stage, `override_managers`
    further field managers (prefixes) whose fields are taken over, `ignore` the fields in which
    drift is not looked for. `stage_timeout` and `delete_timeout` in seconds: how long to wait for
    definitions and classes, and for an object that is recreated to be gone.
    """

    previous: Inventory = field(default_factory=Inventory)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    force: bool = False
    custom_stage: Collection[GroupKind] = ()
    override_managers: Sequence[str] = ()
    ignore: Sequence[meta.IgnoreRule] = ()
    stage_timeout: float = 60.0
    delete_timeout: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneOptions:
    """How to prune, and how much.

    `remaining` is the inventory that stays; where it is empty, a prune would delete everything,
    and is refused unless `everything` says that this is meant (the owner is being deleted, or
    someone gave their word). `at_most` refuses to delete more objects than that at once. A
    Namespace that still holds objects of `remaining`, and a definition of which there are objects
    that are not pruned as well, are kept and reported, unless `everything`.
    """

    remaining: Inventory = field(default_factory=Inventory)
    everything: bool = False
    at_most: int | None = None
