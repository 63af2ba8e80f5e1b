"""What nodes, quotas, limits and other kinds that are rarely written by hand refuse."""

import pytest

SCOPED = {"pods": "1"}
UNFIT = "unsupported scope applied to resource"
EXIST = "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating"

# (reason, kind, place, value, causes as "field: message", each message from its start)
CASES = [
    ("a taint has a key", "Node", "spec.taints", [{"effect": "NoSchedule"}],
     ['metadata.taints[0].key: Invalid value: "": name part must be non-empty',
      'metadata.taints[0].key: Invalid value: "": name part must consist of']),
    ("a taint has an effect", "Node", "spec.taints", [{"key": "a"}],
     ["metadata.taints[0].effect: Required value"]),
    ("of three", "Node", "spec.taints", [{"key": "a", "effect": "Stop"}],
     ['metadata.taints[0].effect: Unsupported value: "Stop": supported values: "NoSchedule"']),
    ("and a label's value", "Node", "spec.taints",
     [{"key": "a", "value": "b c", "effect": "NoExecute"}],
     ['metadata.taints[0].value: Invalid value: "b c": a valid label must be']),
    ("once", "Node", "spec.taints", [{"key": "a", "effect": "NoExecute"}] * 2,
     [('metadata.taints[1]: Duplicate value: {"Key":"a","Value":"","Effect":"NoExecute",'
      '"TimeAdded":null}: taints must be unique by key and effect pair')]),
    ("a node's network", "Node", "spec.podCIDRs", ["10.0.0"],
     ['spec.podCIDRs[0]: Invalid value: "10.0.0": must be a valid CIDR value']),
    ("one of a family", "Node", "spec.podCIDRs", ["10.0.0.0/24", "10.0.1.0/24"],
     ['spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one']),
    ("scopes are known", "ResourceQuota", "spec", {"hard": SCOPED, "scopes": ["Big"]},
     ['spec.scopes: Invalid value: ["Big"]: unsupported scope']),
    ("scopes do not exclude each other", "ResourceQuota", "spec",
     {"hard": SCOPED, "scopes": ["BestEffort", "NotBestEffort"]},
     ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes']),
    ("scopes suit what is counted", "ResourceQuota", "spec",
     {"hard": {"services": "1"}, "scopes": ["Terminating"]},
     [f'spec.scopes: Invalid value: ["Terminating"]: {UNFIT}']),
    ("best effort has no amounts", "ResourceQuota", "spec",
     {"hard": {"cpu": "1"}, "scopes": ["BestEffort"]},
     [f'spec.scopes: Invalid value: ["BestEffort"]: {UNFIT}']),
    ("selected scopes exist or not", "ResourceQuota", "spec",
     {"hard": SCOPED, "scopeSelector": {
         "matchExpressions": [{"scopeName": "Terminating", "operator": "DoesNotExist"}]}},
     [f'spec.scopeSelector.matchExpressions.operator: Invalid value: "DoesNotExist": {EXIST}']),
    ("a choice has values", "ResourceQuota", "spec",
     {"hard": SCOPED, "scopeSelector": {
         "matchExpressions": [{"scopeName": "PriorityClass", "operator": "In"}]}},
     ["spec.scopeSelector.matchExpressions.values: Required value: must be at least one value"]),
    ("existence has none", "ResourceQuota", "spec",
     {"hard": SCOPED, "scopeSelector": {"matchExpressions": [
         {"scopeName": "PriorityClass", "operator": "Exists", "values": ["a"]}]}},
     ['spec.scopeSelector.matchExpressions.values: Invalid value: ["a"]: must be no value']),
    ("operators are four", "ResourceQuota", "spec",
     {"hard": SCOPED, "scopeSelector": {
         "matchExpressions": [{"scopeName": "PriorityClass", "operator": "Is"}]}},
     ['spec.scopeSelector.matchExpressions.operator: Invalid value: "Is": not a valid selector']),
    ("a selected scope suits too", "ResourceQuota", "spec",
     {"hard": {"services": "1"}, "scopeSelector": {
         "matchExpressions": [{"scopeName": "PriorityClass", "operator": "Exists"}]}},
     [('spec.scopeSelector.matchExpressions: Invalid value: {"MatchExpressions":[{"ScopeName":'
      f'"PriorityClass","Operator":"Exists","Values":null}}]}}: {UNFIT}')]),
    ("types of limits", "LimitRange", "spec.limits", [{"type": "Node"}],
     ['spec.limits[0].type: Invalid value: "Node": must be a standard limit type or fully']),
    ("pods have no defaults", "LimitRange", "spec.limits",
     [{"type": "Pod", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "1"}}],
     ["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
      "spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod'"]),
    ("claims are bounded", "LimitRange", "spec.limits", [{"type": "PersistentVolumeClaim"}],
     ["spec.limits[0].limits: Required value: either minimum or maximum storage value"]),
    ("hosts have names", "Endpoints", "subsets",
     [{"addresses": [{"ip": "10.0.0.1", "hostname": "A"}]}],
     ['subsets[0].addresses[0].hostname: Invalid value: "A": a lowercase RFC 1123 label']),
    ("a volume's folder", "PersistentVolume", "spec",
     {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
      "hostPath": {"path": "/a/../b"}},
     ["spec.hostPath.path: Invalid value: \"/a/../b\": must not contain '..'"]),
    ("a volume's share", "PersistentVolume", "spec",
     {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
      "nfs": {"path": "/a"}},
     ["spec.nfs.server: Required value"]),
    ("places of volumes once", "StorageClass", "allowedTopologies",
     [{"matchLabelExpressions": [{"key": "zone", "values": ["a", "a"]}]}],
     ['allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "a"']),
    ("by values", "StorageClass", "allowedTopologies",
     [{"matchLabelExpressions": [{"key": "zone"}]}],
     ["allowedTopologies[0].matchLabelExpressions[0].values: Required value"]),
    ("each key once", "StorageClass", "allowedTopologies",
     [{"matchLabelExpressions": [{"key": "zone", "values": ["a"]}] * 2}],
     ['allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "zone"']),
    ("revisions hold something", "ControllerRevision", "data", None,
     ["data: Required value: data is mandatory"]),
    ("and count up", "ControllerRevision", "revision", -1,
     ["revision: Invalid value: -1: must be greater than or equal to 0"]),
    ("an old controller makes pods", "ReplicationController", "spec", {"selector": {"a": "b"}},
     ["spec.template: Required value"]),
    ("both bounds, and each by itself", "PodDisruptionBudget", "spec",
     {"minAvailable": 1, "maxUnavailable": "x"},
     ["spec: Invalid value: {", 'spec.maxUnavailable: Invalid value: "x": a valid percent string']),
    ("targets stand in paths", "HorizontalPodAutoscaler", "spec.scaleTargetRef.kind", "a/b",
     ["spec.scaleTargetRef.kind: Invalid value: \"a/b\": may not contain '/'"]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{case[1]}: {case[0]}" for case in CASES])
async def test_bad_ones_are_refused(case, refused):
    _, kind, place, value, causes = case
    await refused(kind, place, value, causes)


@pytest.mark.parametrize(
    ("field", "first", "second"),
    [("podCIDRs", ["10.0.0.0/24"], ["10.0.1.0/24"]), ("providerID", "a://x", "a://y")],
)
async def test_a_node_keeps_its_place(api, field, first, second):
    made = await api.create(
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "x"}, "spec": {field: first}}
    )
    made["spec"][field] = second
    with pytest.raises(Exception, match=f"spec.{field}: Forbidden: node updates may not change"):
        await api.update(made)
