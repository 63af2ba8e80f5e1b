"""Endpoints without HTTP, with the objects that every cluster begins with."""

import pytest

from fluvial.cluster.api import Api
from fluvial.cluster.auth import bootstrap
from fluvial.cluster.auth.rbac import Authorizer
from fluvial.cluster.crd.registration import Registrar
from fluvial.cluster.endpoints import Endpoints
from fluvial.cluster.resources import Catalog, builtin_resources
from fluvial.cluster.storage import MemoryStore


@pytest.fixture
async def endpoints():
    made = Endpoints(MemoryStore(), Catalog(builtin_resources()))
    api = Api(made)
    for obj in bootstrap.objects():
        await api.create(obj)
    return made


@pytest.fixture
def api(endpoints):
    return Api(endpoints, "tester")


@pytest.fixture
def registrar(endpoints):
    made = Registrar(endpoints)
    endpoints.on_removed = made.sweep
    return made


@pytest.fixture
def authorizer(endpoints):
    made = Authorizer(endpoints)
    endpoints.guard_roles = made.guard
    return made
