"""Registries (the OCI distribution specification), and the charts in them.

```python
async with WebClient(tries=3) as web:
    registry = Registry(web, "registry.example.com", credential=await config.find(host))
    reference = await resolve_chart(registry, Reference.parse("oci://…/charts/shop"), "^1.2")
    pulled = await pull_chart(registry, reference, largest=10 << 20)
```

What is downloaded has the digest that its manifest names, and the manifest that of the reference.
"""

from fluvial.toolkit.oci._errors import (
    ContentRejected,
    CredentialsInvalid,
    OciError,
    ReferenceInvalid,
    RegistryRefused,
    VersionNotFound,
)
from fluvial.toolkit.oci.challenges import Challenge
from fluvial.toolkit.oci.charts import (
    CHART_LAYER,
    CONFIG,
    PROVENANCE_LAYER,
    PulledChart,
    newest_version,
    pull_chart,
    resolve_chart,
    version_tag,
)
from fluvial.toolkit.oci.credentials import Credential, DockerConfig, run_helper
from fluvial.toolkit.oci.reference import SCHEME, Reference
from fluvial.toolkit.oci.registry import Descriptor, Manifest, Registry

__all__ = [
    "CHART_LAYER",
    "CONFIG",
    "PROVENANCE_LAYER",
    "SCHEME",
    "Challenge",
    "ContentRejected",
    "Credential",
    "CredentialsInvalid",
    "Descriptor",
    "DockerConfig",
    "Manifest",
    "OciError",
    "PulledChart",
    "Reference",
    "ReferenceInvalid",
    "Registry",
    "RegistryRefused",
    "VersionNotFound",
    "newest_version",
    "pull_chart",
    "resolve_chart",
    "run_helper",
    "version_tag",
]
