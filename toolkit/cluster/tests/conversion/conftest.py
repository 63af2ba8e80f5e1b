"""Widgets in two versions, `spec.size` in v1 and `spec.count` in v2, and who converts them."""

import json

import pytest
from aiohttp import web

FIELDS = {"example.com/v1": "size", "example.com/v2": "count"}


class Converter:
    """A conversion webhook. `spoil` may change each object that it makes, and `answer` the whole.

    `asked` holds for each review the version wanted and the names of the objects.
    """

    def __init__(self):
        self.served = None
        self.asked = []
        self.spoil = lambda obj: obj
        self.answer = lambda review: review
        self.before = None

    async def handle(self, request):
        review = json.loads(await request.read())
        given = review["request"]
        wanted, objects = given["desiredAPIVersion"], given["objects"]
        self.asked.append((wanted, [obj["metadata"].get("name") for obj in objects]))
        if self.before is not None:
            await self.before(wanted)
        made = [self.spoil(self.convert(obj, wanted)) for obj in objects]
        response = {"uid": given["uid"], "convertedObjects": made, "result": {"status": "Success"}}
        answer = {key: review[key] for key in ("kind", "apiVersion")}
        return web.json_response(self.answer({**answer, "response": response}))

    @staticmethod
    def convert(obj, wanted):
        spec = dict(obj.get("spec") or {})
        value = spec.pop(FIELDS[obj["apiVersion"]], None)
        if value is not None:
            spec[FIELDS[wanted]] = value
        return {**obj, "apiVersion": wanted, "spec": spec}


@pytest.fixture
async def converter(serve_https):
    made = Converter()
    made.served = await serve_https(made.handle)
    return made


@pytest.fixture
def definition(converter):
    """Give what makes the definition; `rest` replaces members of its conversion's webhook."""

    def version(name, *, storage=False):
        field = {FIELDS[f"example.com/{name}"]: {"type": "integer"}, "note": {"type": "string"}}
        spec = {"type": "object", "properties": field}
        status = {"type": "object", "properties": {"ready": {"type": "integer"}}}
        schema = {"type": "object", "properties": {"spec": spec, "status": status}}
        return {
            "name": name,
            "served": True,
            "storage": storage,
            "schema": {"openAPIV3Schema": schema},
            "subresources": {
                "status": {},
                "scale": {
                    "specReplicasPath": f".spec.{FIELDS[f'example.com/{name}']}",
                    "statusReplicasPath": ".status.ready",
                },
            },
            "selectableFields": [{"jsonPath": f".spec.{FIELDS[f'example.com/{name}']}"}],
        }

    def make(storage="v1", **rest):
        config = converter.served.config
        webhook = {"clientConfig": config, "conversionReviewVersions": ["v1"], **rest}
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "widgets.example.com"},
            "spec": {
                "group": "example.com",
                "scope": "Namespaced",
                "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
                "versions": [version(name, storage=name == storage) for name in ("v1", "v2")],
                "conversion": {"strategy": "Webhook", "webhook": webhook},
            },
        }

    return make


@pytest.fixture
async def widgets(api, registrar, definition):
    """Serve widgets, which are stored as v1; gives what makes one of a version."""
    await api.create(definition())
    registrar.step()

    def widget(version="v1", name="a", **spec):
        meta = {"name": name, "namespace": "default"}
        api_version = f"example.com/{version}"
        return {"apiVersion": api_version, "kind": "Widget", "metadata": meta, "spec": spec}

    return widget
