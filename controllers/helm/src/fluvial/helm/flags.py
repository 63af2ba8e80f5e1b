"""The command line of helm-controller, with upstream's names and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fluvial.helm.digests import ALGORITHMS
from fluvial.toolkit import FlagError, duration, flag
from fluvial.toolkit.identity import IdentityFlags

__all__ = ["HelmFlags"]


@dataclass(kw_only=True)
class HelmFlags(IdentityFlags):
    """What this controller adds to the flags of every controller."""

    gates: ClassVar[Mapping[str, bool]] = {
        **IdentityFlags.gates,
        "AdditiveCELDependencyCheck": False,
        "DefaultToRetryOnFailure": False,
        "DisableConfigWatchers": False,
        "ExternalArtifact": False,
    }

    no_cross_namespace_refs: bool = flag(False, "Refuse references to other namespaces.")
    http_retry: int = flag(9, "Further tries of an artifact's download.")
    snapshot_digest_algo: str = flag("sha256", "Algorithm of the digests in the history.")
    template_cache: str = flag(
        "", "Private folder for parsed templates; off: none; default: in the temporary folder."
    )
    render_timeout: float = duration(60.0, "Longest time that rendering a chart may take.")

    def validate(self) -> None:
        """Check what no type says. Raises FlagError."""
        super().validate()
        if self.snapshot_digest_algo not in ALGORITHMS:
            known = ", ".join(ALGORITHMS)
            raise FlagError(
                f"--snapshot-digest-algo: {self.snapshot_digest_algo!r} is none of {known}"
            )
