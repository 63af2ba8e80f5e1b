import copy

import pytest

from fluvial.canary.errors import InvalidSpec
from fluvial.canary.primary import FLAGGER_ID, Transformation, same_template, selector_of

OWNER = {"kind": "Canary", "uid": "u"}
TARGET = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "namespace": "default",
        "labels": {
            "team": "a",
            "app.kubernetes.io/x": "1",
            "kustomize.toolkit.fluxcd.io/name": "k",
        },
        "annotations": {
            "note": "n",
            "app.kubernetes.io/y": "2",
            "helm.toolkit.fluxcd.io/name": "h",
            "deployment.kubernetes.io/revision": "7",
        },
    },
    "spec": {
        "replicas": 0,
        "minReadySeconds": 3,
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": {"app": "shop"}},
        "template": {
            "metadata": {
                "labels": {"app": "shop", "tier": "front", "kustomize.toolkit.fluxcd.io/name": "k"},
                "annotations": {"scrape": "true"},
            },
            "spec": {
                "containers": [
                    {"name": "web", "envFrom": [{"secretRef": {"name": "s"}}], "image": "web:1"}
                ],
                "topologySpreadConstraints": [
                    {"labelSelector": {"matchLabels": {"app": "web", "tier": "web"}}}
                ],
                "affinity": {
                    "podAntiAffinity": {
                        "preferredDuringSchedulingIgnoredDuringExecution": [
                            {
                                "podAffinityTerm": {
                                    "labelSelector": {
                                        "matchExpressions": [
                                            {"key": "app", "operator": "In", "values": ["web", "x"]}
                                        ]
                                    }
                                }
                            }
                        ]
                    }
                },
            },
        },
    },
}


def transformation(**changes):
    facts = {
        "selector": selector_of(TARGET, ("app",)),
        "prefixes": ("app.kubernetes.io",),
        "selector_labels": ("app", "name"),
        "tracked": {"secret/s"},
    }
    return Transformation(**{**facts, **changes})


def test_the_primary_at_its_creation():
    before = copy.deepcopy(TARGET)
    primary = transformation().create(TARGET, OWNER)
    assert before == TARGET
    metadata, spec = primary["metadata"], primary["spec"]
    assert metadata["name"] == "web-primary"
    assert metadata["labels"] == {"app": "shop-primary", "app.kubernetes.io/x": "1"}
    assert metadata["annotations"] == {"note": "n", "app.kubernetes.io/y": "2"}
    assert metadata["ownerReferences"] == [OWNER]
    assert spec["selector"] == {"matchLabels": {"app": "shop-primary"}}
    assert spec["replicas"] == 1
    assert (spec["minReadySeconds"], spec["strategy"]) == (3, {"type": "Recreate"})
    template = spec["template"]
    assert template["metadata"]["labels"] == {"app": "shop-primary", "tier": "front"}
    assert template["metadata"]["annotations"].keys() == {"scrape", FLAGGER_ID}
    pods = template["spec"]
    assert pods["containers"][0]["envFrom"] == [{"secretRef": {"name": "s-primary"}}]
    spread = pods["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"]
    assert spread == {"app": "web-primary", "tier": "web"}
    [term] = pods["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    [expression] = term["podAffinityTerm"]["labelSelector"]["matchExpressions"]
    assert expression["values"] == ["web-primary", "x"]


@pytest.mark.parametrize(
    ("prefixes", "labels", "reason"),
    [
        ((), {}, "none by default"),
        (("*",), {"team": "a", "app.kubernetes.io/x": "1"}, "all but the toolkit's"),
        (("te", "zz"), {"team": "a"}, "those with one of the prefixes"),
    ],
)
def test_labels_are_copied_by_prefix(prefixes, labels, reason):
    included = transformation(prefixes=prefixes).included(TARGET["metadata"]["labels"])
    assert included == labels, reason


@pytest.mark.parametrize(
    ("replicas", "scaled", "promoted", "reason"),
    [
        (3, False, 3, "the target's number"),
        (3, True, None, "an autoscaler owns it"),
        (0, False, None, "a target at zero says nothing"),
    ],
)
def test_replicas_after_a_promotion(replicas, scaled, promoted, reason):
    target = copy.deepcopy(TARGET)
    target["spec"]["replicas"] = replicas
    primary = transformation().create(TARGET, OWNER)
    metadata, spec = transformation().promote(target, primary, scaled=scaled)
    assert spec.get("replicas") == promoted, reason
    assert "selector" not in spec
    assert metadata["annotations"] == {"app.kubernetes.io/y": "2"}


def test_every_promotion_forces_a_rollout():
    ids = set()
    primary = transformation().create(TARGET, OWNER)
    for _ in range(2):
        _, spec = transformation().promote(TARGET, primary, scaled=False)
        ids.add(spec["template"]["metadata"]["annotations"][FLAGGER_ID])
    assert len(ids) == 2


def test_a_primary_of_the_same_revision_is_recognized():
    change = transformation()
    primary = change.create(TARGET, OWNER)
    assert same_template(change.template(TARGET, "other id"), primary)
    changed = copy.deepcopy(TARGET)
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"
    assert not same_template(change.template(changed, "other id"), primary)


def test_the_first_label_that_the_target_has_is_taken():
    selector = selector_of(TARGET, ("name", "app"))
    assert (selector.key, selector.value, selector.primary) == ("app", "shop", "shop-primary")
    with pytest.raises(InvalidSpec, match=r"default/web: spec\.selector.*name, run"):
        selector_of(TARGET, ("name", "run"))
