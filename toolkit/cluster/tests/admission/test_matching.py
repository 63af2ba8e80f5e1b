"""Which requests rules take."""

import pytest

from fluvial.cluster.endpoints import Target, WriteOptions
from fluvial.cluster.endpoints.admission.attributes import Attributes
from fluvial.cluster.endpoints.admission.matching import Matcher
from fluvial.cluster.resources import Gvr


def rule(groups="*", versions="*", resources="*", operations="*", **rest):
    return {
        "apiGroups": groups.split(),
        "apiVersions": versions.split(),
        "resources": resources.split(),
        "operations": operations.split(),
        **rest,
    }


CORE = {"apiGroups": [""]}


@pytest.mark.parametrize(
    ("given", "target", "taken", "reason"),
    [
        (rule(), "v1/pods", True, "everything"),
        (rule(), "v1/pods/status", False, "the star is no subresource"),
        (rule(resources="*/*"), "v1/pods/status", True, "every subresource"),
        (rule(resources="*/*"), "v1/pods", True, "and what has none"),
        (rule(resources="pods/*"), "v1/pods/log", True, "every subresource of one"),
        (rule(resources="*/status"), "apps/v1/deployments/status", True, "one subresource of all"),
        (rule(resources="pods/status"), "v1/pods", False, "only the subresource"),
        ({**rule(), **CORE}, "v1/pods", True, "the core group is the empty text"),
        ({**rule(), **CORE}, "apps/v1/deployments", False, "another group"),
        (rule(versions="v1"), "autoscaling/v2/horizontalpodautoscalers", False, "exact version"),
        (rule(operations="UPDATE DELETE"), "v1/pods", False, "another operation"),
        (rule(operations="CREATE"), "v1/pods", True, "its operation"),
        (rule(scope="Namespaced"), "v1/pods", True, "in a namespace"),
        (rule(scope="Cluster"), "v1/pods", False, "not in one"),
        (rule(scope="Namespaced"), "v1/nodes", False, "nodes are in none"),
        (rule(scope="Cluster"), "v1/namespaces", True, "namespaces are in none"),
        (rule(scope="Namespaced"), "v1/namespaces", False, "though a request names itself"),
        (rule(resourceNames=["x"]), "v1/pods", True, "by name"),
        (rule(resourceNames=["y"]), "v1/pods", False, "another name"),
    ],
)
def test_rules(endpoints, given, target, taken, reason):
    text, subresource = target, ""
    if target.count("/") > 1 and target.split("/")[-1] in {"status", "log"}:
        text, _, subresource = target.rpartition("/")
    resource = endpoints.catalog.find(Gvr.parse(text))
    where = Target(resource, "n" if resource.namespaced else "", "x", subresource)
    asked = Attributes.of(where, "CREATE", {"metadata": {}}, None, WriteOptions())
    found = Matcher(endpoints.access).rule([given], "Exact", asked)
    assert (found is not None) == taken, reason


def test_other_versions_of_the_same_objects_count_when_equivalent(endpoints):
    resource = endpoints.catalog.find(Gvr.parse("autoscaling/v1/horizontalpodautoscalers"))
    where = Target(resource, "n", "x")
    asked = Attributes.of(where, "CREATE", {"metadata": {}}, None, WriteOptions())
    rules = [rule("autoscaling", "v2", "horizontalpodautoscalers")]
    found = Matcher(endpoints.access).rule(rules, "Equivalent", asked)
    assert found.kind.api_version == "autoscaling/v2"
    assert Matcher(endpoints.access).rule(rules, "Exact", asked) is None
