"""For tests of controllers: time that moves only when told to, and servers in memory.

```python
async def test_sets_ready():
    async with FakeApi() as api:
        api.put({"apiVersion": …, "kind": "Kustomization", …})
        manager = Manager("announcer", quiet_flags(), api.config)
        await setup(manager)
        async with running(manager):
            await api.until(lambda: is_ready(api.get("Kustomization", "apps")))
```

`FakeApi` speaks the protocol over a real socket, so that the client is tested, not replaced. It is
no API server: it validates nothing and knows no field ownership. `fluvial.cluster` does. Sources
have `FileServer` and `RegistryServer` to fetch from.
"""

from fluvial.toolkit.testing.api import FakeApi, Recorded
from fluvial.toolkit.testing.clock import FakeClock, settle
from fluvial.toolkit.testing.kstatus import inconsistencies
from fluvial.toolkit.testing.process import quiet_flags, running
from fluvial.toolkit.testing.web import FileServer, RegistryServer, WebRequest

__all__ = [
    "FakeApi",
    "FakeClock",
    "FileServer",
    "Recorded",
    "RegistryServer",
    "WebRequest",
    "inconsistencies",
    "quiet_flags",
    "running",
    "settle",
]
