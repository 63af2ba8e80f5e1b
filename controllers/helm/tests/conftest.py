"""Objects that most tests start from."""

import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import HELM_RELEASE
from fluvial.helm.storage import Info, Record


@pytest.fixture
def helm_release():
    """Make a HelmRelease as its API object; keywords are fields of the spec."""

    def make(name="app", /, annotations=None, status=None, **spec):
        chart = {
            "spec": {"chart": "./app", "sourceRef": {"kind": "GitRepository", "name": "charts"}}
        }
        wanted = {"interval": "10m", **({} if "chartRef" in spec else {"chart": chart}), **spec}
        return {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": {
                "name": name,
                "namespace": "default",
                "generation": 1,
                "annotations": annotations or {},
            },
            "spec": wanted,
            "status": status or {},
        }

    return make


@pytest.fixture
def model(helm_release):
    """Make a HelmRelease as its model."""

    def make(*names, **spec):
        return decode(HELM_RELEASE, helm_release(*names, **spec))

    return make


@pytest.fixture
def record():
    """Make a stored record."""

    def make(version=1, status="deployed", chart_version="1.0.0", config=None, **more):
        return Record(
            name=more.pop("name", "app"),
            namespace="default",
            version=version,
            info=Info(
                first_deployed="2026-01-01T00:00:00.5Z",
                last_deployed="2026-01-01T00:00:00.5Z",
                status=status,
            ),
            chart={"metadata": {"name": "app", "version": chart_version, "appVersion": "7"}},
            config=config,
            **more,
        )

    return make
