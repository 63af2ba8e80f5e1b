"""What kubectl's users do less often: every `create`, `set` and `rollout`, nodes, pruning, waiting.

One after the other, in one namespace; every command must end with its code and print its pattern.
"""

import re
import shlex

import pytest

TWO = """
apiVersion: v1
kind: ConfigMap
metadata: {name: p1, labels: {set: one}}
data: {a: "1"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: p2, labels: {set: one}}
data: {a: "1"}
"""
ONE = TWO.partition("---")[0]
CHANGED = ONE.replace('"1"', '"2"')
ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reconciled, namespace: breadth}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
"""
UNKNOWN = "{apiVersion: v1, kind: ConfigMap, metadata: {name: odd}, extra: 1}"

# (why, command, standard input, exit code, what it prints)
MAKE = [
    ("a node port", "create service nodeport np --tcp=80", None, 0, "service/np created"),
    ("a name elsewhere", "create service externalname en --external-name=a.example.com", None, 0,
     "service/en created"),
    ("a balancer", "create service loadbalancer lb --tcp=80", None, 0, "service/lb created"),
    ("which waits for its address", "get service lb", None, 0, r"LoadBalancer .* <pending>"),
    ("an ingress", "create ingress in --rule=a.example.com/*=np:80,tls=t --class=c", None, 0,
     "ingress.networking.k8s.io/in created"),
    ("and its rules", "describe ingress in", None, 0, "t terminates a.example.com"),
    ("a quota", "create quota q --hard=pods=9", None, 0, "resourcequota/q created"),
    ("a role", "create role r --verb=get,list --resource=pods,deployments.apps", None, 0,
     "role.rbac.authorization.k8s.io/r created"),
    ("its rules", "describe role r", None, 0, r"deployments\.apps +\[\] +\[\] +\[get list\]"),
    ("bound", "create rolebinding rb --role=r --user=jane --serviceaccount=breadth:default", None,
     0, "rolebinding.rbac.authorization.k8s.io/rb created"),
    ("to one more", "set subject rolebinding rb --user=bob", None, 0, "subjects updated"),
    ("who may then", "auth can-i list pods --as=bob", None, 0, "^yes"),
    ("but not everything", "auth can-i delete pods --as=bob", None, 1, "^no"),
    ("and sees what", "auth can-i --list --as=bob", None, 0, r"deployments\.apps .*\[get list\]"),
    ("roles are reconciled", "auth reconcile -f -", ROLE, 0, "reconciliation required create"),
    ("and are in order then", "auth reconcile -f -", ROLE, 0, "reconciled"),
    ("who am I", "auth whoami", None, 0, r"Groups +\[system:masters system:authenticated\]"),
    ("a budget", "create pdb b --selector=app=web --min-available=1", None, 0, "pdb|budget.*/b"),
    ("an account", "create serviceaccount sa", None, 0, "serviceaccount/sa created"),
    ("its token", "create token sa --duration=1h", None, 0, r"^ey"),
    ("a registry's secret", ("create secret docker-registry dr --docker-server=s "
     "--docker-username=u --docker-password=p"), None, 0, "secret/dr created"),
    ("a cron job", "create cronjob cj --image=i --schedule='*/5 * * * *' -- x", None, 0, "created"),
    ("run now", "create job now --from=cronjob/cj", None, 0, "job.batch/now created"),
    ("as a dry run", "create configmap dry --from-literal=a=b --dry-run=server -o yaml", None, 0,
     "creationTimestamp"),
    ("that made nothing", "get configmap dry", None, 1, "NotFound"),
    ("a bad name", "create deployment Bad_ --image=x", None, 1, 'Invalid value: "Bad_"'),
    ("an unknown field", "create -f -", UNKNOWN, 1, 'strict decoding error: unknown field "extra"'),
    ("or with a warning", "create --validate=warn -f -", UNKNOWN, 0, 'unknown field "extra"'),
]  # fmt: skip
WORK = [
    ("a deployment", "create deployment web --image=nginx --replicas=2 --port=80", None, 0, "web"),
    ("rolled out", "rollout status deployment/web --timeout=30s", None, 0, "successfully"),
    ("exposed", "expose deployment web --port=80 --target-port=8080", None, 0, "web exposed"),
    ("scaled by itself", "autoscale deployment web --min=1 --max=3 --cpu=50%", None, 0, "autosc"),
    ("as its row says", "get hpa web", None, 0, r"Deployment/web +cpu: .*/50%"),
    ("another image", "set image deployment/web nginx=nginx:1.2", None, 0, "image updated"),
    ("an environment", "set env deployment/web A=b", None, 0, "env updated"),
    ("as it is listed", "set env deployment/web --list", None, 0, "^A=b"),
    ("resources", "set resources deployment/web --limits=cpu=200m", None, 0, "requirements upd"),
    ("an account", "set serviceaccount deployment/web sa", None, 0, "serviceaccount updated"),
    ("a selector", "set selector service np app=web", None, 0, "selector updated"),
    ("history", "rollout history deployment/web", None, 0, r"^5 +<none>"),
    ("of one revision", "rollout history deployment/web --revision=1", None, 0, "Image:\tnginx\n"),
    ("back", "rollout undo deployment/web --to-revision=1", None, 0, "rolled back"),
    ("paused", "rollout pause deployment/web", None, 0, "paused"),
    ("not twice", "rollout pause deployment/web", None, 1, "already paused"),
    ("resumed", "rollout resume deployment/web", None, 0, "resumed"),
    ("restarted", "rollout restart deployment/web", None, 0, "restarted"),
    ("and there again", "rollout status deployment/web --timeout=30s", None, 0, "successfully"),
    ("described", "describe deployment web", None, 0, "restartedAt"),
    ("its pods too", "describe pod -l app=web", None, 0, "Controlled By: +ReplicaSet/web-"),
    ("and its autoscaler", "describe hpa web", None, 0, "Reference: +Deployment/web"),
    ("its events", "events --for deployment/web", None, 0, "ScalingReplicaSet"),
    ("all of it", "get all -o wide", None, 0, r"^replicaset\.apps/web-"),
    ("in columns", "get pods -l app=web -o custom-columns=P:.status.phase", None, 0, "^Running"),
    ("by template", "get deploy web -o go-template={{.metadata.name}}", None, 0, "^web$"),
    ("sorted", "get pods --sort-by=.metadata.creationTimestamp", None, 0, "Running"),
    ("by field", "get pods --field-selector=status.phase=Running -o name", None, 0, "^pod/web"),
    ("only if as many", "scale deploy web --replicas=3 --current-replicas=9", None, 1,
     "Expected replicas to be 9, was 2"),
    ("only if unchanged", "scale deploy web --replicas=3 --resource-version=1", None, 1,
     "Expected resource version to be 1"),
    ("through its scale", ("patch deploy web --subresource=scale --type=merge -p "
     """'{"spec":{"replicas":1}}'"""), None, 0, "scale.autoscaling/web patched"),
    ("as it says", "get deploy web --subresource=scale -o jsonpath={.spec.replicas}", None, 0, "1"),
    ("a label", "label deploy web tier=x", None, 0, "labeled"),
    ("not over another", "label deploy web tier=y", None, 1, "--overwrite is false"),
    ("unless meant", "label deploy web tier=y --overwrite", None, 0, "labeled"),
    ("away with it", "label deploy web tier-", None, 0, "unlabeled"),
    ("available", "wait --for=condition=Available deploy/web --timeout=20s", None, 0, "met"),
    ("a pod", "run one --image=i", None, 0, "pod/one created"),
    ("ready", "wait --for=condition=Ready pod/one --timeout=20s", None, 0, "met"),
    ("debugged", "debug one --image=i --container=dbg", None, 0, ""),
    ("which it keeps", "get pod one -o jsonpath={.spec.ephemeralContainers[0].name}", None, 0,
     "^dbg$"),
    ("no metrics", "top pods", None, 1, "Metrics API not available"),
    ("no exec", "exec one -- ls", None, 1, "rror"),
    ("no copy", "cp one:/x /dev/null", None, 1, "rror"),
    ("no forwarding", "port-forward pod/one :80", None, 1, "rror"),
    ("gone by force", "delete pod one --grace-period=0 --force", None, 0, "force deleted"),
]  # fmt: skip
KEEP = [
    ("two", "apply -f -", TWO, 0, "p2 created"),
    ("one is pruned", "apply --prune -l set=one -f -", ONE, 0, "configmap/p2 pruned"),
    ("a difference", "diff -f -", CHANGED, 1, r'^\+  a: "2"'),
    ("as the server sees it", "diff --server-side --force-conflicts -f -", CHANGED, 1, r'a: "2"'),
    ("what was applied", "apply view-last-applied configmap/p1", None, 0, 'a: "1"'),
    ("a conflict", "apply --server-side --field-manager=other -f -", CHANGED, 1,
     'conflict with "kubectl-client-side-apply"'),
    ("forced", "apply --server-side --field-manager=other --force-conflicts -f -", CHANGED, 0,
     "serverside-applied"),
    ("replaced whole", "replace --force -f -", CHANGED, 0, "replaced"),
    ("a value to wait for", "wait --for=jsonpath={.data.a}=2 cm/p1 --timeout=9s", None, 0, "met"),
    ("something to come", "wait --for=create cm/p1 --timeout=9s", None, 0, "met"),
    ("something in vain", "wait --for=condition=No deploy/web --timeout=1s", None, 1, "timed out"),
    ("who owns it", "get cm p1 --show-managed-fields -o yaml", None, 0, "manager: kubectl-replace"),
    ("orphans", "delete deployment web --cascade=orphan", None, 0, '"web" deleted'),
    ("stay", "get rs -l app=web -o name", None, 0, "^replicaset.apps/web"),
    ("until they go", "delete rs -l app=web --cascade=foreground --timeout=20s", None, 0, "delet"),
    ("with their pods", "wait --for=delete pod -l app=web --timeout=20s", None, 0, ""),
    ("raw", "get --raw /readyz?verbose", None, 0, r"]etcd ok\n(\[.* ok\n)*readyz check passed"),
    ("groups", "api-versions", None, 0, "^apps/v1$"),
    ("kinds of a group", "api-resources --api-group=apps", None, 0, "deployments +deploy"),
    ("a field's fields", "explain deployment.spec.strategy --recursive", None, 0, "maxSurge"),
    ("where it is", "cluster-info", None, 0, "control plane.* is running at .*https://127"),
    ("a signing request", "certificate approve nope", None, 1, "NotFound"),
    ("an unknown kind", "get nopes", None, 1, """doesn't have a resource type "nopes\""""),
    ("the rest", "delete all --all --wait=false", None, 0, "deleted"),
]  # fmt: skip
NODE = [
    ("closed", "cordon fluvial", None, 0, "cordoned"),
    ("as its row says", "get node fluvial", None, 0, "Ready,SchedulingDisabled"),
    ("open", "uncordon fluvial", None, 0, "uncordoned"),
    ("tainted", "taint node fluvial k=v:PreferNoSchedule", None, 0, "tainted"),
    ("once", "taint node fluvial k=v:PreferNoSchedule", None, 1, "already has k taint"),
    ("clean", "taint node fluvial k:PreferNoSchedule-", None, 0, "untainted"),
    ("labelled", "label node fluvial disk=ssd --overwrite", None, 0, "labeled"),
    ("described", "describe node fluvial", None, 0, "disk=ssd"),
    ("clean again", "label node fluvial disk-", None, 0, "unlabeled"),
]  # fmt: skip


@pytest.fixture(scope="module")
def run(kubectl):
    """Make the namespace of all these commands; give what runs a script and tells what is wrong."""
    assert kubectl("create", "namespace", "breadth").returncode == 0

    def script(commands):
        wrong = []
        for why, command, stdin, code, pattern in commands:
            done = kubectl("-n", "breadth", *shlex.split(command), stdin=stdin)
            output = done.stdout + done.stderr
            if done.returncode != code or not re.search(pattern, output, re.MULTILINE):
                wrong.append(f"{why}: kubectl {command}\n  ended with {done.returncode}: {output}")
        return "\n".join(wrong)

    yield script
    assert kubectl("delete", "namespace", "breadth", "--timeout=30s").returncode == 0


def test_making_things_working_with_them_and_keeping_them_in_order(run):
    wrong = run(MAKE + WORK + KEEP)
    assert not wrong, wrong


def test_nodes(run):
    wrong = run(NODE)
    assert not wrong, wrong


def test_a_drained_node_evicts_and_is_used_again(run):
    """The node is everybody's, so only these pods are to leave it."""
    patch = '{"spec":{"template":{"metadata":{"labels":{"drained":"yes"}}}}}'
    wrong = run(
        [
            ("pods", "create deployment d --image=i", None, 0, "created"),
            ("marked", f"patch deployment d -p '{patch}'", None, 0, "patched"),
            ("there", "rollout status deployment/d --timeout=30s", None, 0, "successfully"),
            ("drained", "drain fluvial --pod-selector=drained=yes --timeout=20s", None, 0,
             "pod/d-.* evicted"),
            ("open", "uncordon fluvial", None, 0, "uncordoned"),
            ("there again", "rollout status deployment/d --timeout=30s", None, 0, "successfully"),
        ]
    )  # fmt: skip
    assert not wrong, wrong


def test_there_are_more_than_a_hundred_commands():
    assert len(MAKE + WORK + KEEP + NODE) > 100
