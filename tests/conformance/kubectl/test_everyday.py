"""Forty commands of every day, in the order in which somebody would type them.

They run against one namespace, each on what the ones before it left; `EDITOR` is a script.
"""

import re

import pytest

BASE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: shop}}
data: {mode: plain, level: "1"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, labels: {app: shop}}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: nginx, env: [{name: A, value: "1"}]}]}
"""
CHANGED = BASE.replace("mode: plain", "mode: fancy")
REPLACED = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {mode: replaced}
"""
CLASH = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {mode: mine}
"""

REQUEST = """
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: req}
spec: {request: eA==, signerName: example.com/signer, usages: [client auth]}
"""

# (why, command, standard input, exit status, pattern of the output)
SCRIPT = [
    ("apply creates", "apply -f -", BASE, 0, r"configmap/settings created\ndeployment.apps/shop"),
    ("diff of a change ends with 1", "diff -f -", CHANGED, 1, r"-  mode: plain\n\+  mode: fancy"),
    ("diff of nothing ends with 0", "diff -f -", BASE, 0, r"^$"),
    ("apply changes", "apply -f -", CHANGED, 0, r"settings configured\n.*shop unchanged"),
    ("apply refuses another's field", "apply --server-side --field-manager=me -f -", CLASH, 1,
     r'conflict with "kubectl-client-side-apply" using v1: .data.mode'),
    ("unless forced", "apply --server-side --field-manager=me --force-conflicts -f -", CLASH, 0,
     "serverside-applied"),
    ("owners are shown", "get cm settings -o yaml --show-managed-fields", None, 0,
     r"manager: me\n    operation: Apply"),
    ("replace", "replace -f -", REPLACED, 0, "configmap/settings replaced"),
    ("what was replaced is gone", "get cm settings -o jsonpath={.data}", None, 0,
     r'^{"mode":"replaced"}$'),
    ("merge patch", 'patch cm settings --type=merge -p {"data":{"x":"1"}}', None, 0, "patched"),
    ("JSON patch", ('patch cm settings --type=json -p '
     '[{"op":"replace","path":"/data/x","value":"2"}]'), None, 0, "patched"),
    ("strategic patch by name", ('patch deploy shop -p {"spec":{"template":{"spec":{"containers":'
     '[{"name":"shop","image":"nginx:1"}]}}}}'), None, 0, "patched"),
    ("patch of a subresource", ('patch deploy shop --subresource=scale --type=merge -p '
     '{"spec":{"replicas":3}}'), None, 0, "patched"),
    ("it scaled", "get deploy shop -o jsonpath={.spec.replicas}", None, 0, "^3$"),
    ("scale with a precondition", "scale deploy/shop --current-replicas=3 --replicas=2", None, 0,
     "scaled"),
    ("a precondition that fails", "scale deploy/shop --current-replicas=9 --replicas=1", None, 1,
     "Expected replicas to be 9"),
    ("set env", "set env deploy/shop B=2", None, 0, "env updated"),
    ("set env lists", "set env deploy/shop --list", None, 0, r"A=1\nB=2"),
    ("set resources", "set resources deploy/shop --limits=cpu=200m", None, 0, "resource require"),
    ("restart", "rollout restart deploy/shop", None, 0, "restarted"),
    ("status", "rollout status deploy/shop --timeout=25s", None, 0, "successfully rolled out"),
    ("undo", "rollout undo deploy/shop", None, 0, "rolled back"),
    ("pause", "rollout pause deploy/shop", None, 0, "paused"),
    ("resume", "rollout resume deploy/shop", None, 0, "resumed"),
    ("history of a revision", "rollout history deploy/shop --revision=1", None, 0,
     r"Containers:\n +shop"),
    ("label", "label cm settings tier=web", None, 0, "labeled"),
    ("a label is not overwritten", "label cm settings tier=db", None, 1, "already has a value"),
    ("a label goes", "label cm settings tier-", None, 0, "unlabeled"),
    ("annotate", "annotate cm settings note=x --overwrite", None, 0, "annotated"),
    ("columns of one's own", "get cm settings -o custom-columns=N:.metadata.name,M:.data.mode",
     None, 0, r"N +M\nsettings +replaced"),
    ("sorted", "get cm --sort-by=.metadata.name -o name", None, 0, r"configmap/settings"),
    ("with labels", "get deploy --show-labels", None, 0, r"shop +\d/2 .* app=shop"),
    ("expose", "expose deploy/shop --port=80 --target-port=8080", None, 0, "service/shop exposed"),
    ("autoscale", "autoscale deploy/shop --min=1 --max=3 --cpu=50%", None, 0, "autoscaled"),
    ("the autoscaler's table", "get hpa", None, 0, r"Deployment/shop .*50% +1 +3"),
    ("run a pod", "run one --image=busybox --restart=Never", None, 0, "pod/one created"),
    ("explain below a list", "explain pod.spec.containers.ports.containerPort", None, 0,
     r"FIELD: containerPort <integer>"),
    ("versions", "api-versions", None, 0, r"apps/v1\n"),
    ("resources by verb", "api-resources --verbs=list,create --namespaced -o name", None, 0,
     r"^configmaps\n"),
    ("edit", "edit cm settings", None, 0, "configmap/settings edited"),
    ("it was edited", "get cm settings -o jsonpath={.data.mode}", None, 0, "^edited$"),
    ("a dry run makes nothing", "create cm none --from-literal=a=b --dry-run=server", None, 0,
     r"created \(server dry run\)"),
    ("so it is not there", "get cm none", None, 1, "NotFound"),
    ("wait for a deletion that was", "wait --for=delete cm/none --timeout=5s", None, 0, ""),
    ("a cron job", "create cronjob tick --image=x --schedule=*/5_*_*_*_*", None, 0, "created"),
    ("a wrong schedule", "create cronjob tock --image=x --schedule=never", None, 1,
     "expected exactly 5 fields, found 1"),
    ("a job of a cron job", "create job now --from=cronjob/tick", None, 0, "job.batch/now created"),
    ("events", "events", None, 0, r"LAST SEEN|No events"),
    ("what I may", "auth can-i --list", None, 0, r"\*\.\* +\[\] +\[\] +\[\*\]"),
    ("what another may not", "auth can-i get pods --as=jane", None, 1, "^no"),
    ("top has no metrics", "top pods", None, 1, "Metrics API not available"),
    ("a certificate that is not there", "certificate approve none", None, 1, "NotFound"),
    ("a certificate is asked for", "apply -f -", REQUEST, 0, "req created"),
    ("and approved", "certificate approve req", None, 0, "req approved"),
    ("as its table says", "get csr req", None, 0, r"req .* example.com/signer +admin .* Approved"),
    ("a request is deleted", "delete csr req", None, 0, "deleted"),
    ("delete by label", "delete cm,deploy -l app=shop --wait=false", None, 0, r'"shop" deleted'),
    ("delete what is not there", "delete cm nothing", None, 1, "NotFound"),
    ("unless that is fine", "delete cm nothing --ignore-not-found", None, 0, ""),
    ("delete and orphan", "delete job now --cascade=orphan", None, 0, '"now" deleted'),
    ("delete all", "delete cm --all", None, 0, '"settings" deleted'),
]  # fmt: skip


def test_the_script_has_forty_commands():
    assert len(SCRIPT) >= 40


@pytest.fixture
def editor(tmp_path):
    """Give an editor that changes one word."""
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\nsed -i "s/mode: replaced/mode: edited/" "$1"\n')
    script.chmod(0o755)
    return {"EDITOR": str(script), "KUBE_EDITOR": str(script)}


def test_everyday_commands(kubectl, editor):
    assert kubectl("create", "namespace", "everyday").returncode == 0
    wrong = []
    for why, command, stdin, code, pattern in SCRIPT:
        arguments = [part.replace("_", " ") if "=*/" in part else part for part in command.split()]
        done = kubectl("-n", "everyday", *arguments, stdin=stdin, **editor)
        output = done.stdout + done.stderr
        if done.returncode != code or not re.search(pattern, output, re.MULTILINE):
            wrong.append(f"{why}: kubectl {command}\n  ended with {done.returncode}: {output}")
    assert not wrong, "\n".join(wrong)
    assert kubectl("delete", "namespace", "everyday", "--timeout=20s").returncode == 0


def test_get_with_a_watch_prints_changes(kubectl):
    """`get -w` prints what is there and every change, until it is stopped."""
    assert kubectl("create", "namespace", "watched").returncode == 0
    assert kubectl("-n", "watched", "create", "cm", "a", "--from-literal=k=1").returncode == 0
    with kubectl.start("-n", "watched", "get", "cm", "a", "-w", "-o", "name") as process:
        try:
            assert process.stdout.readline() == "configmap/a\n"
            patch = '{"data":{"k":"2"}}'
            done = kubectl("-n", "watched", "patch", "cm", "a", "-p", patch)
            assert done.returncode == 0
            assert process.stdout.readline() == "configmap/a\n"
        finally:
            process.kill()
    assert kubectl("delete", "namespace", "watched", "--timeout=20s").returncode == 0
