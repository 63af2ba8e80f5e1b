"""The page that shows how to write a controller, executed word by word."""

import importlib.util
import json
import pathlib
import re
import signal

import pytest

from fluvial.apis.crds import crd
from fluvial.toolkit.client import resource_of_kind

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "extend.md"
CRDS = ("apiextensions.k8s.io", "CustomResourceDefinition")


@pytest.fixture
def greeter(tmp_path):
    """Save the page's controller and import it."""
    (source,) = re.findall(r"```python\n(from fluvial.*?)```", PAGE.read_text(), re.DOTALL)
    path = tmp_path / "greeter.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location("greeter_of_the_page", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return path, source, module


def test_the_reconciler_is_as_short_as_the_page_says(greeter):
    _, source, _ = greeter
    code = [line for line in source.splitlines() if line.strip() and "import" not in line]
    assert len(code) <= 30


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
    found = await seen(module.CONFIG_MAPS, "ann")
    assert found["data"] == {"text": "Hello Ann"}
    stalled = await seen(
        greetings,
        "nobody",
        lambda o: any(
            c["type"] == "Stalled" and c["reason"] == "NoName"
            for c in (o.get("status") or {}).get("conditions") or []
        ),
    )
    assert stalled["status"]["observedGeneration"] == stalled["metadata"]["generation"]
    process.send_signal(signal.SIGTERM)
    _, errors = await process.communicate()
    lines = [json.loads(line) for line in errors.splitlines()]
    assert process.returncode == 0, lines[-3:]
    assert {"controllerKind": "Greeting", "name": "ann", "level": "info"}.items() <= next(
        line for line in lines if line["msg"] == "Reconciliation finished"
    ).items()
