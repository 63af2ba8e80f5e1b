"""kubectl's own judgement of workloads: what it waits for is what the stand-ins report."""

import asyncio
from pathlib import Path

import pytest

from fluvial.cluster.plane import ControlPlane, Options

KUBECTL = Path(__file__).parents[3] / ".venv" / "oracles" / "kubectl"
pytestmark = pytest.mark.skipif(not KUBECTL.exists(), reason="the oracle kubectl is missing")

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  progressDeadlineSeconds: 600
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: fluvial.dev/sample/webapp:1
        ports: [{name: http, containerPort: 9898}]
        readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1}
"""
SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: example.com/db}]}
"""
DAEMON = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: example.com/agent}]}
"""
JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  backoffLimit: 0
  template:
    metadata: {annotations: {fluvial.dev/exit-code: "%s"}}
    spec: {restartPolicy: Never, containers: [{name: once, image: example.com/task}]}
"""


class Kubectl:
    """The real kubectl against one control plane."""

    def __init__(self, kubeconfig, cache):
        self._options = [f"--kubeconfig={kubeconfig}", f"--cache-dir={cache}"]

    async def __call__(self, *arguments, stdin="", code=0):
        process = await asyncio.create_subprocess_exec(
            KUBECTL,
            *self._options,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(60):
            output, _ = await process.communicate(stdin.encode())
        assert process.returncode == code, output.decode()
        return output.decode()


@pytest.fixture
async def kubectl(tmp_path):
    options = Options(data_dir=tmp_path / "plane", standins=True)
    async with ControlPlane(options) as plane:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(plane.kubeconfig)
        yield Kubectl(kubeconfig, tmp_path / "cache")


async def test_a_deployment_through_its_life(kubectl):
    await kubectl("apply", "-f", "-", stdin=WEB)
    done = await kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    assert done.endswith('deployment "web" successfully rolled out\n')
    await kubectl("wait", "--for=condition=Available", "deploy/web", "--timeout=30s")

    await kubectl("set", "image", "deploy/web", "web=fluvial.dev/sample/webapp:2")
    done = await kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    assert "new replicas have been updated" in done
    assert done.endswith("successfully rolled out\n")

    await kubectl("rollout", "undo", "deploy/web")
    await kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    history = await kubectl("rollout", "history", "deploy/web")
    assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["2", "3"]
    image = await kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.containers[0].image}")
    assert "fluvial.dev/sample/webapp:1" in image.split()

    await kubectl("scale", "deploy/web", "--replicas=0")
    await kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    await kubectl("wait", "--for=delete", "pod", "-l", "app=web", "--timeout=30s")
    await kubectl("delete", "deploy/web", "--cascade=foreground", "--timeout=30s")
    assert "No resources found" in await kubectl("get", "deploy,rs,pods")


async def test_a_deployment_that_does_not_get_there_in_time(kubectl):
    annotated = WEB.replace(
        "metadata: {labels: {app: web}}",
        'metadata: {labels: {app: web}, annotations: {fluvial.dev/never-ready: "true"}}',
    )
    late = annotated.replace("progressDeadlineSeconds: 600", "progressDeadlineSeconds: 1")
    await kubectl("apply", "-f", "-", stdin=late)
    told = await kubectl("rollout", "status", "deploy/web", "--timeout=30s", code=1)
    assert 'deployment "web" exceeded its progress deadline' in told


@pytest.mark.parametrize(
    ("manifest", "name", "expected"),
    [
        (SET, "sts/db", "partitioned roll out complete: 2 new pods have been updated..."),
        (DAEMON, "ds/agent", 'daemon set "agent" successfully rolled out'),
    ],
    ids=["statefulset", "daemonset"],
)
async def test_other_workloads(kubectl, manifest, name, expected):
    await kubectl("apply", "-f", "-", stdin=manifest)
    done = await kubectl("rollout", "status", name, "--timeout=30s")
    assert done.strip().splitlines()[-1] == expected


@pytest.mark.parametrize(("code", "condition"), [("0", "Complete"), ("1", "Failed")])
async def test_jobs_end(kubectl, code, condition):
    await kubectl("apply", "-f", "-", stdin=JOB % code)
    await kubectl("wait", f"--for=condition={condition}", "job/once", "--timeout=30s")


async def test_the_output_of_a_real_pod(kubectl):
    await kubectl("apply", "-f", "-", stdin=WEB)
    await kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    assert (await kubectl("logs", "deploy/web")).count("listening on 127.") == 1


async def test_a_namespace_goes_with_all_it_holds(kubectl):
    await kubectl("create", "namespace", "shop")
    await kubectl("apply", "-n", "shop", "-f", "-", stdin=WEB)
    await kubectl("rollout", "status", "-n", "shop", "deploy/web", "--timeout=30s")
    await kubectl("delete", "namespace", "shop", "--timeout=30s")
    assert "NotFound" in await kubectl("get", "namespace", "shop", code=1)
