"""Remote clusters: what `spec.kubeConfig` refers to, and clients for it.

```python
clusters = await manager.enter(RemoteClusters(manager.client, access, ...))
async with clusters.client(obj.spec.kube_config, obj.metadata.namespace) as client:
    await client.get(...)
```

Most controllers use `fluvial.toolkit.identity`, which also knows this cluster and accounts.
"""

from fluvial.toolkit.remote.access import Access, AccessMissing, FeatureGateDisabled
from fluvial.toolkit.remote.clusters import RemoteClusters

__all__ = ["Access", "AccessMissing", "FeatureGateDisabled", "RemoteClusters"]
