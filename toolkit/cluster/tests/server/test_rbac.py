import pytest

from fluvial.cluster.auth.rbac import Attributes
from fluvial.cluster.endpoints import Target, User, WriteOptions
from fluvial.cluster.errors import StatusError
from fluvial.cluster.resources import Gvr

GROUP = "rbac.authorization.k8s.io"
JANE = User("jane", ("devs", "system:authenticated"))


def role(rules, name="r"):
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": f"{GROUP}/v1", "kind": "Role", "metadata": meta, "rules": rules}


def binding(subject, name="b", kind="Role", ref="r"):
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": "default"},
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": ref},
        "subjects": [subject],
    }


READ = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}
NAMED = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["s"]}
STATUS = {"apiGroups": ["apps"], "resources": ["deployments/status"], "verbs": ["patch"]}

DECISIONS = [
    ("granted", Attributes("get", "", "configmaps", "", "default", "a"), True),
    ("another verb", Attributes("delete", "", "configmaps", "", "default", "a"), False),
    ("another namespace", Attributes("get", "", "configmaps", "", "other", "a"), False),
    ("all namespaces", Attributes("list", "", "configmaps"), False),
    ("another group", Attributes("get", "apps", "configmaps", "", "default", "a"), False),
    ("the named object", Attributes("get", "", "secrets", "", "default", "s"), True),
    ("another object", Attributes("get", "", "secrets", "", "default", "t"), False),
    ("a list has no name", Attributes("get", "", "secrets", "", "default"), False),
    ("a subresource", Attributes("patch", "apps", "deployments", "status", "default", "d"), True),
    ("not its parent", Attributes("patch", "apps", "deployments", "", "default", "d"), False),
    ("discovery is for everyone known", Attributes("get", path="/apis/apps"), True),
    ("metrics are not", Attributes("get", path="/metrics"), False),
]


@pytest.mark.parametrize(("reason", "wanted", "expected"), DECISIONS, ids=[d[0] for d in DECISIONS])
async def test_decisions(api, authorizer, reason, wanted, expected):
    await api.create(role([READ, NAMED, STATUS]))
    await api.create(binding({"kind": "User", "name": "jane"}))
    assert authorizer.authorize(JANE, wanted).allowed is expected


SUBJECTS = [
    ("a group", {"kind": "Group", "name": "devs"}, JANE),
    ("a service account", {"kind": "ServiceAccount", "name": "sa", "namespace": "x"},
     User("system:serviceaccount:x:sa")),
    ("masters need no binding", {"kind": "User", "name": "nobody"},
     User("root", ("system:masters",))),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "subject", "user"), SUBJECTS, ids=[s[0] for s in SUBJECTS])
async def test_subjects(api, authorizer, reason, subject, user):
    await api.create(role([READ]))
    await api.create(binding(subject))
    wanted = Attributes("list", "", "configmaps", "", "default")
    assert authorizer.authorize(user, wanted).allowed


async def test_view_reads_no_secrets(api, authorizer):
    await api.create(binding({"kind": "User", "name": "jane"}, kind="ClusterRole", ref="view"))
    pods = Attributes("list", "", "pods", "", "default")
    secrets = Attributes("list", "", "secrets", "", "default")
    assert authorizer.authorize(JANE, pods).allowed
    assert not authorizer.authorize(JANE, secrets).allowed


async def test_nobody_gives_what_they_do_not_have(api, endpoints, authorizer):
    await api.create(binding({"kind": "User", "name": "jane"}, kind="ClusterRole", ref="admin"))
    resource = endpoints.catalog.find(Gvr(GROUP, "v1", "roles"))
    target, options = Target(resource, "default"), WriteOptions(user=JANE)
    await endpoints.create(target, role([READ], "fine"), options)
    nodes = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["delete"]}
    with pytest.raises(StatusError, match="not currently held"):
        await endpoints.create(target, role([nodes], "grab"), WriteOptions(user=JANE))
