"""The page that shows how to write a controller, executed word by word."""

import importlib.util
import json
import signal
import subprocess
import sys

import pytest

from fluvial.apis.crds import crd
from fluvial.toolkit import CONFIG_MAP
from fluvial.toolkit.client import resource_of_kind
from fluvial.toolkit.testing import inconsistencies

CRDS = ("apiextensions.k8s.io", "CustomResourceDefinition")


@pytest.fixture
def greeter(pages):
    """Save the page's controller and import it."""
    path = pages("greeter.py")
    spec = importlib.util.spec_from_file_location("greeter_of_the_page", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return path, path.read_text(), module


def test_it_is_as_short_as_the_page_says(greeter):
    path, source, _ = greeter
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length=100", "--diff", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert len(source.splitlines()) <= 30


async def test_the_controller_of_the_page(  # noqa: PLR0917 - fixtures
    greeter, client, kubeconfig, start, seen, is_ready
):
    path, _, module = greeter
    definitions = await client.mapper.resource(*CRDS)
    await client.create(definitions, crd(module.GREETING))
    await seen(
        definitions,
        "greetings.example.com",
        lambda d: any(
            c["type"] == "Established" and c["status"] == "True"
            for c in (d.get("status") or {}).get("conditions") or []
        ),
    )
    greetings = resource_of_kind(module.GREETING)
    for name, whom in (("ann", "Ann"), ("nobody", "")):
        await client.create(
            greetings,
            {
                "apiVersion": "example.com/v1",
                "kind": "Greeting",
                "metadata": {"name": name},
                "spec": {"name": whom},
            },
            "default",
        )
    process = await start(
        path.name,
        f"--kubeconfig={kubeconfig}",
        "--metrics-addr=127.0.0.1:0",
        "--health-addr=127.0.0.1:0",
        cwd=path.parent,
    )
    await seen(greetings, "ann", is_ready)
    assert inconsistencies(await seen(greetings, "ann", is_ready)) == []
    found = await seen(CONFIG_MAP, "ann")
    assert found["data"] == {"text": "Hello Ann"}
    assert found["metadata"]["ownerReferences"][0]["kind"] == "Greeting"
    stalled = await seen(
        greetings,
        "nobody",
        lambda o: any(
            c["type"] == "Stalled" and c["reason"] == "NoName"
            for c in (o.get("status") or {}).get("conditions") or []
        ),
    )
    assert inconsistencies(stalled) == []

    def mended(obj):
        labels = obj["metadata"].get("labels") or {}
        return obj.get("data") == {"text": "Hello Ann"} and "example.com/name" in labels

    for edit, reason in (
        ({"data": {"text": "Bye"}}, "an edit"),
        ({"data": None}, "an emptied one"),
        ({"metadata": {"labels": None}}, "one that no longer says whose it is"),
    ):
        await client.patch(CONFIG_MAP, "ann", edit, "default", type="merge")
        assert await seen(CONFIG_MAP, "ann", mended), reason
    uid = found["metadata"]["uid"]
    await client.delete(CONFIG_MAP, "ann", "default")
    assert await seen(CONFIG_MAP, "ann", lambda obj: obj["metadata"]["uid"] != uid and mended(obj))
    version = (await seen(CONFIG_MAP, "ann"))["metadata"]["resourceVersion"]
    asked = {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "now"}}}
    await client.patch(greetings, "ann", asked, "default", type="merge")
    await seen(greetings, "ann", lambda o: o["status"].get("lastHandledReconcileAt") == "now")
    quiet = await seen(CONFIG_MAP, "ann")
    assert quiet["metadata"]["resourceVersion"] == version, "nothing differs, nothing is written"
    process.send_signal(signal.SIGTERM)
    _, errors = await process.communicate()
    lines = [json.loads(line) for line in errors.splitlines()]
    assert process.returncode == 0, lines[-3:]
    assert {"controllerKind": "Greeting", "name": "ann", "level": "info"}.items() <= next(
        line for line in lines if line["msg"] == "Reconciliation finished"
    ).items()
