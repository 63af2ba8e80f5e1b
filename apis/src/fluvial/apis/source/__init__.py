"""The kinds of `source.toolkit.fluxcd.io/v1`: what to fetch, and the artifact it became."""

from fluvial.apis.source.bucket import Bucket, BucketSpec, BucketStatus, BucketSTS
from fluvial.apis.source.charts import (
    HelmChart,
    HelmChartSourceReference,
    HelmChartSpec,
    HelmChartStatus,
    HelmRepository,
    HelmRepositorySpec,
    HelmRepositoryStatus,
)
from fluvial.apis.source.external import (
    ExternalArtifact,
    ExternalArtifactSpec,
    ExternalArtifactStatus,
)
from fluvial.apis.source.git import (
    GitRepository,
    GitRepositoryInclude,
    GitRepositoryRef,
    GitRepositorySpec,
    GitRepositoryStatus,
    GitRepositoryVerification,
)
from fluvial.apis.source.oci import (
    OCILayerSelector,
    OCIRepository,
    OCIRepositoryRef,
    OCIRepositorySpec,
    OCIRepositoryStatus,
    OCIRepositoryVerification,
)
from fluvial.apis.source.shared import (
    API_VERSION,
    GROUP,
    OIDCIdentityMatch,
    SourceStatus,
    Verification,
)

__all__ = [
    "API_VERSION",
    "GROUP",
    "Bucket",
    "BucketSTS",
    "BucketSpec",
    "BucketStatus",
    "ExternalArtifact",
    "ExternalArtifactSpec",
    "ExternalArtifactStatus",
    "GitRepository",
    "GitRepositoryInclude",
    "GitRepositoryRef",
    "GitRepositorySpec",
    "GitRepositoryStatus",
    "GitRepositoryVerification",
    "HelmChart",
    "HelmChartSourceReference",
    "HelmChartSpec",
    "HelmChartStatus",
    "HelmRepository",
    "HelmRepositorySpec",
    "HelmRepositoryStatus",
    "OCILayerSelector",
    "OCIRepository",
    "OCIRepositoryRef",
    "OCIRepositorySpec",
    "OCIRepositoryStatus",
    "OCIRepositoryVerification",
    "OIDCIdentityMatch",
    "SourceStatus",
    "Verification",
]
