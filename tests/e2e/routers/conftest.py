"""The Gateway API's definitions, and Canaries for routers."""

import subprocess
import sys

import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import CANARY
from fluvial.render.yaml import load_all
from fluvial.toolkit.references import DEFINITIONS


@pytest.fixture(scope="session")
def define():
    """Install the definitions; returns once the server has them."""
    command = [sys.executable, "-m", "fluvial.cluster.gateway", "crds"]
    definitions = load_all(subprocess.run(command, capture_output=True, check=True).stdout)

    async def install(client):
        for definition in definitions:
            name = definition["metadata"]["name"]
            await client.patch(DEFINITIONS, name, definition, type="apply", field_manager="test")

    return install


@pytest.fixture(scope="session")
def canary():
    def make(name, service=None, analysis=None):
        obj = {
            "apiVersion": "flagger.app/v1beta1",
            "kind": "Canary",
            "metadata": {"name": name, "namespace": "default", "uid": "u-1"},
            "spec": {
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                "service": {"port": 9898, "gatewayRefs": [{"name": "shared"}], **(service or {})},
                "analysis": {"interval": "30s", "threshold": 2, **(analysis or {})},
            },
            "status": {"phase": "Progressing"},
        }
        return decode(CANARY, obj)

    return make
