"""`fluvial cluster`: a control plane that outlives the command, and everything in it a restart."""

import asyncio
import os
import signal

import pytest

from fluvial.cli.cluster.process import LocalCluster
from fluvial.cli.main import main
from fluvial.toolkit import CONFIG_MAP
from fluvial.toolkit.client import Client, ClusterConfig


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    yield tmp_path
    LocalCluster("default").down()


async def connect(cluster):
    return Client(await ClusterConfig.discover(str(cluster.kubeconfig)))


def test_up_down_and_up_again(capsys, state):
    cluster = LocalCluster("default")
    assert main(["cluster", "up"]) == 0
    output = capsys.readouterr().out
    assert f"default serves at {cluster.url}" in output
    assert f"export KUBECONFIG={cluster.kubeconfig}" in output
    assert main(["cluster", "kubeconfig"]) == 0
    assert capsys.readouterr().out == f"{cluster.kubeconfig}\n"

    async def write():
        async with await connect(cluster) as client:
            await client.mapper.resource("kustomize.toolkit.fluxcd.io", "Kustomization")
            obj = {"metadata": {"name": "kept"}, "data": {"a": "1"}}
            return await client.create(CONFIG_MAP, obj, "default")

    async def read():
        async with await connect(cluster) as client:
            return await client.get(CONFIG_MAP, "kept", "default")

    written = asyncio.run(write())
    assert main(["cluster", "up"]) == 0
    assert "serves already" in capsys.readouterr().out
    assert main(["cluster", "down"]) == 0
    assert capsys.readouterr().out == "default has stopped\n"
    assert main(["cluster", "kubeconfig"]) == 1
    assert "does not run: fluvial cluster up" in capsys.readouterr().err
    assert main(["cluster", "up"]) == 0
    assert asyncio.run(read()) == written
    assert main(["cluster", "down", "--delete"]) == 0
    assert list((state / "fluvial" / "clusters").iterdir()) == []


def test_a_killed_one_is_not_taken_for_running(capsys):
    cluster = LocalCluster("default")
    assert main(["cluster", "up", "--no-crds"]) == 0
    os.kill(cluster._process(), signal.SIGKILL)
    cluster._wait(lambda: not cluster.running, lambda: True)
    capsys.readouterr()
    assert main(["cluster", "down"]) == 0
    assert capsys.readouterr().out == "default did not run\n"
    assert main(["cluster", "up", "--no-crds"]) == 0


def test_one_that_cannot_start_says_why(capsys, state):
    folder = LocalCluster("default").folder
    folder.mkdir(parents=True)
    (folder / "plane.db").write_bytes(b"something else" * 100)
    assert main(["cluster", "up"]) == 1
    errors = capsys.readouterr().err
    assert "file is not a database" in errors
    assert str(folder / "log") in errors


def test_a_name_is_no_path(capsys):
    assert main(["cluster", "up", "--name=../x"]) == 1
    assert "--name: '../x' does not do" in capsys.readouterr().err
