"""K2: a webhook refuses a deletion: the survivor stays in the inventory, and is tried again."""

import ssl
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web
from delivery import KUSTOMIZATIONS

from fluvial.cluster.auth.pki import Authority
from fluvial.toolkit import CONFIG_MAP, Resource

HOOKS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "validatingwebhookconfigurations",
    "ValidatingWebhookConfiguration",
    namespaced=False,
)


def config_map(name):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: '1'\n"


class Guard:
    """A webhook that refuses the deletion of what is protected."""

    def __init__(self, certificate):
        self.certificate = certificate
        self.protected = set()
        self.asked = []
        self.url = ""

    async def handle(self, request):
        review = msgspec.json.decode(await request.read())
        name = review["request"]["name"]
        self.asked.append(name)
        response = {"uid": review["request"]["uid"], "allowed": name not in self.protected}
        if name in self.protected:
            response["status"] = {"message": f"{name} is protected by the platform team"}
        return web.json_response(
            {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response}
        )


@asynccontextmanager
async def serving(folder):
    authority = Authority()
    pair = authority.server()
    (folder / "tls.crt").write_bytes(pair.certificate)
    (folder / "tls.key").write_bytes(pair.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    guard = Guard(authority.certificate)
    runner = web.ServerRunner(web.Server(guard.handle))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        guard.url = f"https://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/review"
        yield guard
    finally:
        await runner.cleanup()


@pytest.fixture
async def guard(team, tmp_path):
    """Ask a webhook about every deletion of a ConfigMap in the team's namespace."""
    async with serving(tmp_path) as guard:
        hook = {
            "name": "guard.example.com",
            "clientConfig": {"url": guard.url, "caBundle": _encoded(guard.certificate)},
            "rules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["DELETE"],
                    "resources": ["configmaps"],
                }
            ],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": team.name}},
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
        configuration = {
            "apiVersion": HOOKS.api_version,
            "kind": HOOKS.kind,
            "metadata": {"name": team.name},
            "webhooks": [hook],
        }
        await team.client.create(HOOKS, configuration)
        yield guard
        await team.client.delete(HOOKS, team.name)


def _encoded(certificate):
    return msgspec.json.decode(msgspec.json.encode(certificate))


async def alive(team):
    found = await team.client.list(CONFIG_MAP, team.name)
    return {obj["metadata"]["name"] for obj in found.items if "key" in (obj.get("data") or {})}


async def known(team):
    entries = ((await team.status()).get("inventory") or {}).get("entries") or []
    return {entry["id"].split("_")[1] for entry in entries}


async def test_k2_the_survivor_stays_known_and_is_tried_again(team, guard):
    team.repository.push({f"{name}.yaml": config_map(name) for name in "abc"})
    await team.source()
    await team.kustomization(retryInterval="1s")
    await team.until_ready()

    guard.protected = {"b"}
    revision = await team.push({"a.yaml": config_map("a")})
    message = await team.until_ready("False", "PruneFailed", part="protected by the platform team")
    assert f"ConfigMap/{team.name}/b" in message
    assert await alive(team) == {"a", "b"}, "the refusal of one stops no other"
    assert await known(team) == {"a", "b"}
    asked = len(guard.asked)
    await team.until(KUSTOMIZATIONS, "app", lambda _: len(guard.asked) > asked)
    assert await known(team) == {"a", "b"}, "nor is it forgotten at the next try"

    guard.protected = set()
    await team.until_ready(revision=revision)
    assert await alive(team) == {"a"}
    assert await known(team) == {"a"}


async def test_k2_a_deletion_that_is_refused_holds_the_kustomization(team, guard):
    team.repository.push({"a.yaml": config_map("a"), "b.yaml": config_map("b")})
    await team.source()
    await team.kustomization()
    await team.until_ready()
    guard.protected = {"a"}
    await team.client.delete(KUSTOMIZATIONS, "app", team.name)
    await team.until(CONFIG_MAP, "b", gone=True)
    held = await team.get(KUSTOMIZATIONS, "app")
    assert held["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
    guard.protected = set()
    await team.until(KUSTOMIZATIONS, "app", gone=True)
    assert await alive(team) == set()
