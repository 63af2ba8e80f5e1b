"""T1: what a tenant's kubeconfig names is not run, opened or trusted, and the status says so."""

import base64

import pytest
from delivery import KUSTOMIZATIONS

from fluvial.render import yaml
from fluvial.toolkit import CONFIG_MAP
from fluvial.toolkit.references import SECRET

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  key: '1'\n"


@pytest.fixture
async def sourced(team):
    team.repository.push({"c.yaml": CONFIG})
    await team.source()
    return team


def document(team):
    """Return the admin's kubeconfig, and its cluster and user to change them."""
    config = yaml.load(team.harness.kubeconfig.read_text())
    return config, config["clusters"][0]["cluster"], config["users"][0]["user"]


async def use(team, config, name="app"):
    await team.secret(name, value=yaml.dump(config))
    await team.kustomization(
        name, kubeConfig={"secretRef": {"name": name}}, path="./", retryInterval="1s"
    )


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("exec", "it would run with the controller's rights"),
        ("auth-provider", "so may this"),
        ("tokenFile", "it is the controller's own token"),
        ("client-key", "it is a file of the controller"),
    ],
)
async def test_t1_a_user_that_reaches_into_the_controller_is_refused(
    sourced, tmp_path, field, reason
):
    witness = tmp_path / "witness"
    secret = tmp_path / "token"
    secret.write_text("of the controller")
    values = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "/bin/sh",
            "args": ["-c", f"touch {witness}"],
            "interactiveMode": "Never",
        },
        "auth-provider": {"name": "gcp", "config": {"cmd-path": f"/usr/bin/touch {witness}"}},
        "tokenFile": str(secret),
        "client-key": str(secret),
    }
    config, _, user = document(sourced)
    user[field] = values[field]
    await use(sourced, config)
    message = await sourced.until_ready("False", "ReconciliationFailed", part=field)
    assert f"Secret '{sourced.name}/app'" in message
    assert not witness.exists(), reason
    found = await sourced.client.list(CONFIG_MAP, sourced.name)
    assert "c" not in {obj["metadata"]["name"] for obj in found.items}, "nothing was applied"


async def test_t1_a_server_that_anyone_may_be_is_refused(sourced):
    config, cluster, _ = document(sourced)
    del cluster["certificate-authority-data"]
    cluster["insecure-skip-tls-verify"] = True
    await use(sourced, config)
    await sourced.until_ready("False", "ReconciliationFailed", part="--insecure-kubeconfig-tls")


async def test_t1_a_server_with_another_authority_gets_no_credential(sourced):
    config, cluster, _ = document(sourced)
    del cluster["certificate-authority-data"]
    await use(sourced, config)
    await sourced.until_ready("False", "ReconciliationFailed", part="certificate verify failed")


async def test_t1_no_credential_of_a_broken_kubeconfig_is_shown(sourced):
    config, _, user = document(sourced)
    user.clear()
    user.update(token="hunter2 hunter2", password="hunter2")
    await use(sourced, config)
    await sourced.until_ready("False", "ReconciliationFailed", part="users[admin].user.token")
    shown = await sourced.get(KUSTOMIZATIONS, "app")
    events = await sourced.client.list(await sourced.client.mapper.resource("", "Event"))
    log = sourced.harness.process("fluvial.kustomize").log.read_text()
    for text in (repr(shown), repr(events.items), log):
        assert "hunter2" not in text


async def test_t1_what_is_inline_is_used(sourced):
    config, _, _ = document(sourced)
    await use(sourced, config)
    await sourced.until_ready()
    kept = await sourced.get(SECRET, "app")
    assert base64.b64decode(kept["data"]["value"]).decode() == yaml.dump(config)
    assert (await sourced.get(CONFIG_MAP, "c"))["data"] == {"key": "1"}
