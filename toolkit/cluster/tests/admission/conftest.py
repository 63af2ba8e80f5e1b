"""Endpoints without HTTP, and a webhook server that answers as a test says."""

import json

import pytest
from aiohttp import web

RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}


class Hook:
    """A webhook: `answer` is called with each request of a review, and may be a coroutine."""

    def __init__(self):
        self.served = None
        self.reviews = []
        self.answer = lambda request: {"allowed": True}  # noqa: ARG005 - the default says yes
        self.raw = None

    @property
    def config(self):
        return self.served.config

    async def handle(self, request):
        review = json.loads(await request.read())
        self.reviews.append(review["request"])
        if self.raw is not None:
            status, text = self.raw
            return web.Response(status=status, text=text)
        said = self.answer(review["request"])
        if hasattr(said, "__await__"):
            said = await said
        response = {"uid": review["request"]["uid"], **said}
        return web.json_response({**review, "response": response})


@pytest.fixture
async def hook(serve_https):
    made = Hook()
    made.served = await serve_https(made.handle)
    return made


@pytest.fixture
def register(api):
    """Give what registers webhooks under one configuration."""

    async def create(config, *, mutating=False, name="hooks", **rest):
        kind = "MutatingWebhookConfiguration" if mutating else "ValidatingWebhookConfiguration"
        spec = {
            "name": "h.example.com",
            "clientConfig": config,
            "rules": [RULE],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            **rest,
        }
        return await api.create(
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": kind,
                "metadata": {"name": name},
                "webhooks": [spec],
            }
        )

    return create


@pytest.fixture
def config_map():
    def make(name="a", **data):
        meta = {"name": name, "namespace": "default"}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}

    return make
