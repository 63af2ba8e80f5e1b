"""kubectl 1.37, unmodified, does with this server what its users do every day."""

import json
import re

import pytest

WORKLOAD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd], categories: [toys]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    subresources: {status: {}, scale: {specReplicasPath: .spec.size,
                                       statusReplicasPath: .status.size}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            description: What the widget is to be.
            properties: {size: {type: integer, minimum: 1}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
WIDGET = """
apiVersion: example.com/v1
kind: Widget
metadata: {name: a}
spec: {size: 3}
"""


@pytest.fixture
def namespace(kubectl, request):
    """Make a namespace of the test's own, deleted with all that is in it."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:50].strip("-")
    assert kubectl("create", "namespace", name).returncode == 0
    yield name
    done = kubectl("delete", "namespace", name, "--timeout=20s")
    assert done.returncode == 0, done.stderr


# (reason, command, what the output has to hold)
READS = [
    ("a table with the server's columns", "get deployment,service", r"deployment.apps/web +\d/2"),
    ("wide columns", "get deployments -o wide", r"CONTAINERS +IMAGES +SELECTOR"),
    ("YAML of one object", "get deployment web -o yaml", r"progressDeadlineSeconds: 600"),
    ("JSONPath", "get deployment web -o jsonpath={.spec.replicas}", r"^2$"),
    ("a category", "get all", r"service/web"),
    ("all namespaces", "get services -A", r"default +kubernetes"),
    ("a label selector", "get deployments -l app=web -o name", r"deployment.apps/web"),
    ("a field selector", "get services --field-selector metadata.name=web -o name", "service/web"),
    ("describe with its many lookups", "describe deployment web", r"StrategyType: +RollingUpdate"),
    ("explain from OpenAPI v3", "explain deployment.spec.replicas", r"FIELD: replicas <integer>"),
    ("discovery", "api-resources --api-group=apps", r"deployments +deploy +apps/v1 +true"),
    ("what an admin may do", "auth can-i delete pods", r"^yes"),
    ("who an admin is", "auth whoami", r"Username +admin"),
    ("the server's version", "version", r"Server Version: v1.36"),
    ("health", "get --raw /livez", r"^ok"),
    ("waiting for a field", "wait deployment/web --for=jsonpath={.spec.replicas}=2", "met"),
    ("a rollout that ends", "rollout status deployment/web --timeout=20s", "successfully rolled"),
    ("the revisions", "rollout history deployment/web", r"REVISION"),
]


@pytest.fixture(scope="session")
def workload(kubectl):
    name = "reads"
    assert kubectl("create", "namespace", name).returncode == 0
    done = kubectl("-n", name, "apply", "-f", "-", stdin=WORKLOAD)
    assert done.returncode == 0, done.stderr
    yield name
    assert kubectl("delete", "namespace", name, "--timeout=20s").returncode == 0


@pytest.mark.parametrize(("reason", "command", "expected"), READS, ids=[r[0] for r in READS])
def test_reads(kubectl, workload, reason, command, expected):
    done = kubectl("-n", workload, *command.split())
    assert done.returncode == 0, done.stderr
    assert re.search(expected, done.stdout, re.MULTILINE), done.stdout


CREATES = [
    ("protobuf bodies", "configmap a --from-literal=k=v", "configmap/a created"),
    ("a deployment by name", "deployment d --image=nginx", "deployment.apps/d created"),
    ("a secret", "secret generic s --from-literal=a=b", "secret/s created"),
    ("a job", "job j --image=x", "job.batch/j created"),
    ("an ingress", "ingress i --rule=a.example.com/b=s:80", "ingress.networking.k8s.io/i created"),
    ("a role", "role r --verb=get --resource=pods", "role.rbac.authorization.k8s.io/r created"),
    ("a service account", "serviceaccount bob", "serviceaccount/bob created"),
    ("a quota", "quota q", "resourcequota/q created"),
    ("a budget", "poddisruptionbudget p --selector=a=b --min-available=1", "/p created"),
]


@pytest.mark.parametrize(("reason", "command", "expected"), CREATES, ids=[r[0] for r in CREATES])
def test_creates(kubectl, namespace, reason, command, expected):
    done = kubectl("-n", namespace, "create", *command.split())
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout


def test_applying_again_changes_nothing(kubectl, namespace):
    def apply(*arguments):
        done = kubectl("-n", namespace, "apply", *arguments, "-f", "-", stdin=WORKLOAD)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert apply().count("created") == 2
    assert apply().count("unchanged") == 2
    assert apply("--dry-run=server").count("unchanged (server dry run)") == 2
    assert apply("--server-side").count("serverside-applied") == 2


def test_a_field_of_another_manager_is_a_conflict(kubectl, namespace):
    def apply(*arguments):
        return kubectl(
            "-n", namespace, "apply", "--server-side", *arguments, "-f", "-", stdin=WORKLOAD
        )

    assert apply().returncode == 0
    scaled = kubectl("-n", namespace, "scale", "deployment/web", "--replicas=3")
    assert scaled.returncode == 0, scaled.stderr
    refused = apply()
    assert refused.returncode == 1
    assert ".spec.replicas" in refused.stderr
    assert apply("--force-conflicts").returncode == 0


def test_small_changes_keep_the_rest(kubectl, namespace):
    assert kubectl("-n", namespace, "apply", "-f", "-", stdin=WORKLOAD).returncode == 0
    for command in (
        "label deployment web tier=front",
        "annotate deployment web note=x",
        "scale deployment web --replicas=4",
        "set image deployment/web web=nginx:2",
    ):
        done = kubectl("-n", namespace, *command.split())
        assert done.returncode == 0, (command, done.stderr)
    patch = '{"spec":{"minReadySeconds":1}}'
    assert kubectl("-n", namespace, "patch", "deployment", "web", "-p", patch).returncode == 0
    got = json.loads(kubectl("-n", namespace, "get", "deployment", "web", "-o", "json").stdout)
    assert got["metadata"]["labels"] == {"app": "web", "tier": "front"}
    assert got["spec"]["replicas"] == 4
    assert got["spec"]["minReadySeconds"] == 1
    assert got["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:2"


def test_a_custom_resource_from_definition_to_deletion(kubectl, namespace):
    def run(*arguments, stdin=None):
        done = kubectl("-n", namespace, *arguments, stdin=stdin)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout

    run("apply", "-f", "-", stdin=DEFINITION)
    run("wait", "--for=condition=Established", "crd/widgets.example.com", "--timeout=10s")
    run("apply", "-f", "-", stdin=WIDGET)
    assert re.search(r"a +3", run("get", "wd"))
    assert re.search(r"a +3", run("get", "toys"))
    assert "What the widget is to be." in run("explain", "widget.spec")
    run("scale", "widget", "a", "--replicas=5")
    assert run("get", "widget", "a", "-o", "jsonpath={.spec.size}") == "5"
    patch = '{"spec":{"size":0}}'
    bad = kubectl("-n", namespace, "patch", "widget", "a", "--type=merge", "-p", patch)
    assert bad.returncode == 1
    assert "should be greater than or equal to 1" in bad.stderr
    run("delete", "crd", "widgets.example.com", "--timeout=10s")
    assert kubectl("-n", namespace, "get", "widgets").returncode == 1


def test_a_service_account_may_do_what_it_was_given(kubectl, namespace):
    who = f"--as=system:serviceaccount:{namespace}:bob"
    for command in (
        "create serviceaccount bob",
        "create role reader --verb=get,list --resource=configmaps",
        f"create rolebinding b --role=reader --serviceaccount={namespace}:bob",
    ):
        assert kubectl("-n", namespace, *command.split()).returncode == 0
    assert kubectl("-n", namespace, "get", "configmaps", who).returncode == 0
    refused = kubectl("-n", namespace, "get", "secrets", who)
    assert "Forbidden" in refused.stderr
    assert kubectl("-n", namespace, "auth", "can-i", "list", "configmaps", who).stdout == "yes\n"
    assert kubectl("-n", namespace, "auth", "can-i", "delete", "pods", who).stdout == "no\n"
    token = kubectl("-n", namespace, "create", "token", "bob").stdout.strip()
    assert token.count(".") == 2


def test_a_misspelt_field_is_refused(kubectl, namespace):
    text = WORKLOAD.replace("replicas: 2", "replica: 2")
    done = kubectl("-n", namespace, "apply", "-f", "-", stdin=text)
    assert done.returncode == 1
    assert 'unknown field "spec.replica"' in done.stderr
