"""The command line of kustomize-controller, with upstream's names and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fluvial.apis.ids import GroupKind
from fluvial.toolkit import FlagError, duration, flag
from fluvial.toolkit.identity import IdentityFlags

__all__ = ["KustomizeFlags"]


@dataclass(kw_only=True)
class KustomizeFlags(IdentityFlags):
    """What this controller adds to the flags of every controller."""

    gates: ClassVar[Mapping[str, bool]] = {
        **IdentityFlags.gates,
        "AdditiveCELDependencyCheck": False,
        "CancelHealthCheckOnNewRevision": False,
        "DisableConfigWatchers": False,
        "DisableFailFastBehavior": False,
        "ExternalArtifact": False,
        "StrictPostBuildSubstitutions": True,
        # Without effect: variables are read once per attempt, sources always directly, health is
        # watched, and changes are grouped by stage.
        "CacheSecretsAndConfigMaps": False,
        "DirectSourceFetch": False,
        "DisableStatusPollerCache": True,
        "GroupChangeLog": False,
    }

    concurrent_ssa: int = flag(4, "Objects of one Kustomization that are dry-run at a time.")
    no_cross_namespace_refs: bool = flag(False, "Refuse references to other namespaces.")
    no_remote_bases: bool = flag(False, "Refuse bases outside the artifact; they always are.")
    http_retry: int = flag(9, "Further tries of an artifact's download.")
    override_manager: str = flag("", "Field managers whose fields are taken over, by commas.")
    custom_apply_stage_kinds: str = flag("", "Kinds (group/Kind) applied before the rest.")
    build_timeout: float = duration(60.0, "Longest time that a build may take.")

    def validate(self) -> None:
        """Check what no type says. Raises FlagError."""
        super().validate()
        if self.concurrent_ssa < 1:
            raise FlagError("--concurrent-ssa must be 1 or more")

    @property
    def override_managers(self) -> tuple[str, ...]:
        """The field managers of `--override-manager`."""
        return tuple(filter(None, self.override_manager.split(",")))

    @property
    def custom_stage(self) -> tuple[GroupKind, ...]:
        """The kinds of `--custom-apply-stage-kinds`; a bare kind is of the core group."""
        pairs = (item.rpartition("/") for item in self.custom_apply_stage_kinds.split(",") if item)
        return tuple(GroupKind(group, kind) for group, _, kind in pairs)
