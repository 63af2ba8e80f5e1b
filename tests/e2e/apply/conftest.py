"""The apply engine against the embedded control plane."""

import pytest

from fluvial.toolkit.apply import Applier, Owner
from fluvial.toolkit.client import NotFound

MANAGER = "kustomize-controller"
GROUP = "kustomize.toolkit.fluxcd.io"


@pytest.fixture
def applier(client):
    return Applier(client, MANAGER, Owner(GROUP, "apps", "flux-system"))


@pytest.fixture
def live(client):
    """Read an object, None when it is not there."""

    async def live(api_version, kind, name, namespace="default"):
        resource = await client.resource_of({"apiVersion": api_version, "kind": kind})
        try:
            return await client.get(resource, name, namespace)
        except NotFound:
            return None

    return live


@pytest.fixture
def deployment():
    def make(name="web", replicas=1, image="example/app:1", **labels):
        selector = {"app": name, **labels}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": selector},
                "template": {
                    "metadata": {"labels": selector},
                    "spec": {
                        "containers": [
                            {"name": "app", "image": image, "ports": [{"containerPort": 80}]}
                        ]
                    },
                },
            },
        }

    return make


@pytest.fixture
def config_map():
    def make(name="a", namespace="default", **data):
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": namespace},
            "data": data or {"key": "value"},
        }

    return make


@pytest.fixture
def definition():
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {
                "plural": "widgets",
                "singular": "widget",
                "kind": "Widget",
                "listKind": "WidgetList",
            },
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {
                                "spec": {
                                    "type": "object",
                                    "properties": {"size": {"type": "integer", "maximum": 9}},
                                }
                            },
                        }
                    },
                }
            ],
        },
    }


@pytest.fixture
def widget():
    def make(size=1):
        return {
            "apiVersion": "example.com/v1",
            "kind": "Widget",
            "metadata": {"name": "w", "namespace": "default"},
            "spec": {"size": size},
        }

    return make
