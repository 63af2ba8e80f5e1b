"""What kubectl prints of each kind: cells by rules read in upstream's `pkg/printers`."""

import datetime as dt

import pytest

from fluvial.cluster.http.cells import MAKERS
from fluvial.cluster.http.custom_cells import custom_cells

NOW = dt.datetime(2026, 1, 1, 12, 0, tzinfo=dt.UTC)
MINUTE_AGO, HOUR_AGO = "2026-01-01T11:59:00Z", "2026-01-01T11:00:00Z"
META = {"name": "x", "creationTimestamp": HOUR_AGO}
LEAVING = {**META, "deletionTimestamp": HOUR_AGO}


def row(resource, obj):
    return MAKERS[resource]({"metadata": META, **obj}, NOW)


def pod(status, *, meta=META, init=(), gates=()):
    """Return status word, ready count and restarts of a pod with one container."""
    spec = {"containers": [{"name": "c"}], "initContainers": list(init)}
    spec["readinessGates"] = [{"conditionType": kind} for kind in gates]
    return row("/pods", {"metadata": meta, "spec": spec, "status": status})


def container(name="c", restarts=0, *, ready=False, ended=None, **state):
    last = {"terminated": {"finishedAt": ended}} if ended else {}
    return {"name": name, "restartCount": restarts, "ready": ready, "state": state,
            "lastState": last}  # fmt: skip


RUNNING = container(running={}, ready=True)
SIDECAR = {"name": "s", "restartPolicy": "Always"}
DONE = {"terminated": {"exitCode": 0, "reason": "Completed"}}
GATED = [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]
PODS = [
    ("the phase", {"phase": "Pending"}, {}, ("0/1", "Pending", "0")),
    ("a reason of its own", {"phase": "Failed", "reason": "Evicted"}, {}, ("0/1", "Evicted", "0")),
    ("what a container waits for",
     {"phase": "Pending", "containerStatuses": [container(waiting={"reason": "ErrImagePull"})]},
     {}, ("0/1", "ErrImagePull", "0")),
    ("gates before scheduling", {"phase": "Pending", "conditions": GATED}, {},
     ("0/1", "SchedulingGated", "0")),
    ("a gated pod that goes is going", {"phase": "Pending", "conditions": GATED},
     {"meta": LEAVING}, ("0/1", "Terminating", "0")),
    ("a finished pod that goes has finished",
     {"phase": "Succeeded", "containerStatuses": [{**container(), "state": DONE}]},
     {"meta": LEAVING}, ("0/1", "Completed", "0")),
    ("a pod of a lost node", {"phase": "Running", "reason": "NodeLost"}, {"meta": LEAVING},
     ("0/1", "Unknown", "0")),
    ("a sidecar counts as a container",
     {"phase": "Running", "initContainerStatuses": [
         {**container("s", running={}, ready=True), "started": True}],
      "containerStatuses": [RUNNING]},
     {"init": [SIDECAR]}, ("2/2", "Running", "0")),
    ("restarts of a finished init container do not count later",
     {"phase": "Running", "initContainerStatuses": [{**container("i", 3), "state": DONE}],
      "containerStatuses": [RUNNING]},
     {"init": [{"name": "i"}]}, ("1/1", "Running", "0")),
    ("restarts of an init container count while it runs",
     {"phase": "Pending", "initContainerStatuses": [container("i", 3, ended=MINUTE_AGO)]},
     {"init": [{"name": "i"}]}, ("0/1", "Init:0/1", "3 (60s ago)")),
    ("a failed init container",
     {"phase": "Pending", "initContainerStatuses": [container("i", terminated={"exitCode": 2})]},
     {"init": [{"name": "i"}]}, ("0/1", "Init:ExitCode:2", "0")),
    ("an init container that runs, once all were initialized",
     {"phase": "Running", "conditions": [{"type": "Initialized", "status": "True"}],
      "initContainerStatuses": [container("i", running={})], "containerStatuses": [RUNNING]},
     {"init": [{"name": "i"}]}, ("1/1", "Init:0/1", "0")),
    ("one container done, one running, not ready",
     {"phase": "Running", "containerStatuses": [{**container(), "state": DONE}, RUNNING]},
     {}, ("1/1", "NotReady", "0")),
    ("a signal", {"phase": "Failed",
                  "containerStatuses": [container(terminated={"exitCode": 1, "signal": 9})]},
     {}, ("0/1", "Signal:9", "0")),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "status", "more", "expected"), PODS, ids=[p[0] for p in PODS])
def test_pods(reason, status, more, expected):
    assert tuple(pod(status, **more)[1:4]) == expected


def test_readiness_gates_are_counted():
    status = {"conditions": [{"type": "a", "status": "True"}, {"type": "b", "status": "False"}]}
    assert pod(status, gates=("a", "b", "c"))[-1] == "1/3"


SPEC_LB = {"type": "LoadBalancer", "externalIPs": ["9.9.9.9"]}
TEMPLATE = {"spec": {"containers": []}}


def job(conditions, **meta):
    status = {"conditions": [{"type": kind, "status": "True"} for kind in conditions]}
    return {"metadata": {**META, **meta}, "spec": {"template": TEMPLATE}, "status": status}


CLAIM = {"status": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"],
                    "phase": "Bound"}}  # fmt: skip
BINDINGS = "admissionregistration.k8s.io/validatingadmissionpolicybindings"
CELLS = [
    ("a job that fails and goes has failed", "batch/jobs",
     job(["Failed"], deletionTimestamp=HOUR_AGO), {1: "Failed"}),
    ("a suspended job that goes is going", "batch/jobs",
     job(["Suspended"], deletionTimestamp=HOUR_AGO), {1: "Terminating"}),
    ("a suspended job", "batch/jobs", job(["Suspended"]), {1: "Suspended"}),
    ("a job about to fail", "batch/jobs", job(["FailureTarget"]), {1: "FailureTarget"}),
    ("a job's selector in a CronJob", "batch/cronjobs",
     {"spec": {"suspend": True, "jobTemplate": {"spec": {
         "template": TEMPLATE, "selector": {"matchLabels": {"a": "b"}}}}}}, {3: "True", 9: "a=b"}),
    ("addresses of a balancer, sorted and each once, then one's own", "/services",
     {"spec": SPEC_LB, "status": {"loadBalancer": {"ingress": [
         {"ip": "2.2.2.2"}, {"hostname": "a.example.com"}, {"ip": "2.2.2.2"}]}}},
     {3: "2.2.2.2,a.example.com,9.9.9.9"}),
    ("a balancer without any address", "/services", {"spec": {"type": "LoadBalancer"}},
     {3: "<pending>"}),
    ("an external name hides addresses", "/services",
     {"spec": {"type": "ExternalName", "externalName": "e.example.com",
               "externalIPs": ["9.9.9.9"]}}, {2: "<none>", 3: "e.example.com"}),
    ("three hosts, then rules are counted", "networking.k8s.io/ingresses",
     {"spec": {"rules": [{"host": "a"}, {}, {"host": "b"}, {"host": "c"}, {}]}},
     {2: "a,b,c + 2 more..."}),
    ("no host is any host", "networking.k8s.io/ingresses", {"spec": {"rules": [{}]}}, {2: "*"}),
    ("IPv6 stands in brackets", "/endpoints",
     {"subsets": [{"addresses": [{"ip": "::1"}], "ports": [{"port": 80}]}]}, {1: "[::1]:80"}),
    ("a subset without ready addresses", "/endpoints", {"subsets": [{"ports": [{"port": 80}]}]},
     {1: ""}),
    ("ports of a slice: number, name, any", "discovery.k8s.io/endpointslices",
     {"ports": [{"port": 80}, {"name": "web"}, {}, {"port": 90}]}, {2: "80,web,* + 1 more..."}),
    ("no port and an empty name", "discovery.k8s.io/endpointslices", {"ports": [{"name": ""}]},
     {2: "<unset>", 3: "<unset>"}),
    ("who holds an address", "networking.k8s.io/ipaddresses",
     {"spec": {"parentRef": {"resource": "Services", "namespace": "n", "name": "s"}}},
     {1: "services/n/s"}),
    ("capacity is that of a bound claim", "/persistentvolumeclaims",
     {**CLAIM, "spec": {"volumeName": "v"}}, {3: "1Gi", 4: "RWX"}),
    ("a claim without volume has none", "/persistentvolumeclaims", {**CLAIM, "spec": {}},
     {3: "", 4: ""}),
    ("an old annotation names the class", "/persistentvolumes",
     {"metadata": {**META, "annotations": {"volume.beta.kubernetes.io/storage-class": "old"}},
      "spec": {"storageClassName": "new"}}, {6: "old"}),
    ("roles by two labels, the first address of a type", "/nodes",
     {"metadata": {**META, "labels": {"node-role.kubernetes.io/b": "", "kubernetes.io/role": "a",
                                      "node-role.kubernetes.io/": ""}},
      "spec": {}, "status": {"addresses": [{"type": "InternalIP", "address": "1.1.1.1"},
                                           {"type": "InternalIP", "address": "2.2.2.2"}]}},
     {1: "Unknown", 2: "a,b", 5: "1.1.1.1"}),
    ("an event that was seen once", "/events",
     {"eventTime": MINUTE_AGO, "reportingComponent": "c", "reportingInstance": "i",
      "involvedObject": {"kind": "Pod"}},
     {0: "60s", 3: "pod", 5: "c, i", 7: "60s", 8: 1}),
    ("a series of events", "/events",
     {"firstTimestamp": HOUR_AGO, "lastTimestamp": HOUR_AGO, "count": 2,
      "series": {"count": 7, "lastObservedTime": MINUTE_AGO}}, {0: "60s", 7: "60m", 8: 7}),
    ("limits are what is named so", "/resourcequotas",
     {"status": {"hard": {"limits.cpu": "1", "limitsx": "2"}}},
     {1: "limitsx: 0/2", 2: "limits.cpu: 0/1"}),
    ("parameters of any namespace", BINDINGS,
     {"spec": {"paramRef": {"name": "p"}}}, {2: "*/p"}),
    ("parameters by a selector", BINDINGS,
     {"spec": {"paramRef": {"selector": {"matchLabels": {"a": "b"}}}}},
     {2: "&LabelSelector{MatchLabels:map[string]string{a: b,},"
         "MatchExpressions:[]LabelSelectorRequirement{},}"}),
    ("a level without limits", "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations",
     {"spec": {"type": "Exempt"}}, {2: "<none>", 3: "<none>"}),
    ("a flow whose level is missing", "flowcontrol.apiserver.k8s.io/flowschemas",
     {"spec": {"priorityLevelConfiguration": {"name": "l"}, "matchingPrecedence": 5},
      "status": {"conditions": [{"type": "Dangling", "status": "True"}]}},
     {1: "l", 2: 5, 3: "<none>", 5: "True"}),
    ("a claim of devices in use", "resource.k8s.io/resourceclaims",
     {"spec": {}, "status": {"allocation": {}, "reservedFor": [{}]}}, {1: "allocated,reserved"}),
    ("terms of a selector by key", "apps/replicasets",
     {"spec": {"template": TEMPLATE, "selector": {"matchLabels": {"b": "c"}, "matchExpressions": [
         {"key": "a", "operator": "NotIn", "values": ["z", "y"]}]}}}, {7: "a notin (y,z),b=c"}),
    ("a measure without the value that is shown", "autoscaling/horizontalpodautoscalers",
     {"spec": {"scaleTargetRef": {"kind": "D", "name": "d"}, "metrics": [
         {"type": "External", "external": {"target": {"value": "5"}}}]},
      "status": {"currentMetrics": [{"type": "External", "external": {"current": {}}}]}},
     {2: "<nil>/5"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "resource", "obj", "expected"), CELLS, ids=[case[0] for case in CELLS]
)
def test_cells(reason, resource, obj, expected):
    cells = row(resource, obj)
    assert {at: cells[at] for at in expected} == expected


CUSTOM = [
    ("text", "string", "a", "a"),
    ("null is text too", "string", None, "<no value>"),
    ("a number as text", "string", 3, "3"),
    ("a large float as text", "string", 1234567.5, "1.2345675e+06"),
    ("truth as text", "string", True, "true"),
    ("a list as text", "string", ["<a>", 1], '["\\u003ca\\u003e",1]'),
    ("a map as text", "string", {"b": 1, "a": None}, '{"a":null,"b":1}'),
    ("a whole number", "integer", 3, 3),
    ("a float is cut off", "integer", 3.9, 3),
    ("text is no integer", "integer", "3", None),
    ("truth is no integer", "integer", True, None),
    ("a number", "number", 0.5, 0.5),
    ("truth", "boolean", False, False),
    ("text is not truth", "boolean", "true", None),
    ("a time", "date", MINUTE_AGO, "60s"),
    ("a time with zone and fraction", "date", "2026-01-01T12:58:59.5+01:00", "60s"),
    ("no time at all", "date", "", "<unknown>"),
    ("a day is no time", "date", "2026-01-01", "<invalid>"),
    ("a number is no time", "date", 5, None),
    ("null", "date", None, None),
]


@pytest.mark.parametrize(
    ("reason", "kind", "value", "expected"), CUSTOM, ids=[case[0] for case in CUSTOM]
)
def test_custom_cells(reason, kind, value, expected):
    column = {"name": "c", "type": kind, "jsonPath": ".spec.v"}
    cells = custom_cells([column], {"metadata": META, "spec": {"v": value}}, NOW)
    assert cells == ["x", expected]
    assert type(cells[1]) is type(expected)


@pytest.mark.parametrize("kind", ["string", "integer", "number", "boolean", "date"])
def test_what_a_custom_column_does_not_find_is_null(kind):
    column = {"name": "c", "type": kind, "jsonPath": ".spec.none"}
    assert custom_cells([column], {"metadata": META, "spec": {}}, NOW) == ["x", None]


def test_of_several_values_the_first_is_shown():
    column = {"name": "c", "type": "string", "jsonPath": ".spec.v[*]"}
    assert custom_cells([column], {"metadata": META, "spec": {"v": ["a", "b"]}}, NOW) == ["x", "a"]
