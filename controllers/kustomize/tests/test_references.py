"""Which objects a Kustomization refers to, and whom a change wakes."""

import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.kustomize.references import (
    CONFIGS,
    DEPENDENCIES,
    SOURCES,
    applied,
    configs_of,
    source_of,
    source_reference,
)
from fluvial.toolkit import Change, Key, Store
from fluvial.toolkit.references import dependencies_of, users


@pytest.mark.parametrize(
    ("index", "spec", "expected", "reason"),
    [
        (source_of, {}, ["GitRepository/default/app"], "the namespace is one's own"),
        (
            source_of,
            {"sourceRef": {"kind": "Bucket", "name": "b", "namespace": "infra"}},
            ["Bucket/infra/b"],
            "unless another is named",
        ),
        (configs_of, {}, [], "nothing configured"),
        (
            configs_of,
            {
                "postBuild": {
                    "substituteFrom": [
                        {"kind": "ConfigMap", "name": "vars"},
                        {"kind": "Secret", "name": "vars"},
                    ]
                }
            },
            ["ConfigMap/default/vars", "Secret/default/vars"],
            "variables",
        ),
        (
            configs_of,
            {"decryption": {"provider": "sops", "secretRef": {"name": "keys"}}},
            ["Secret/default/keys"],
            "keys",
        ),
        (
            configs_of,
            {"kubeConfig": {"configMapRef": {"name": "remote"}}},
            ["ConfigMap/default/remote"],
            "another cluster's address",
        ),
        (configs_of, {"postBuild": {"substitute": {"a": "b"}}}, [], "inline variables"),
    ],
)
def test_indexes(kustomization, index, spec, expected, reason):
    assert list(index(kustomization(**spec))) == expected, reason


def test_the_reference_of_the_model_is_that_of_the_index(kustomization):
    raw = kustomization()
    assert [source_reference(decode(KUSTOMIZATION, raw))] == list(source_of(raw))


@pytest.fixture
def store(kustomization):
    store = Store()
    store.add_index(SOURCES, source_of)
    store.add_index(DEPENDENCIES, dependencies_of(KUSTOMIZATION))
    store.add_index(CONFIGS, configs_of)
    store.put(kustomization("apps", dependsOn=[{"name": "base"}]))
    store.put(kustomization("base"))
    store.put(kustomization("other", sourceRef={"kind": "Bucket", "name": "app"}))
    store.put({"metadata": {"name": "broken", "namespace": "default"}, "spec": {"sourceRef": 1}})
    return store


def named(name, namespace="default"):
    return {"metadata": {"name": name, "namespace": namespace}}


@pytest.mark.parametrize(
    ("mapping", "changed", "woken", "reason"),
    [
        (users("GitRepository", SOURCES), named("app"), ["apps", "base"], "all users of a source"),
        (users("Bucket", SOURCES), named("app"), ["other"], "kinds are not mixed up"),
        (users("GitRepository", SOURCES), named("app", "infra"), [], "nor namespaces"),
        (users("Kustomization", DEPENDENCIES), named("base"), ["apps"], "dependents"),
        (users("Secret", CONFIGS), named("app"), [], "not used by anyone"),
    ],
)
def test_users(store, mapping, changed, woken, reason):
    assert mapping(changed, store) == [Key("default", name) for name in woken], reason


def ready(status, revision="", observed=1):
    condition = {"type": "Ready", "status": status}
    return {
        "metadata": {"name": "base"},
        "status": {
            "conditions": [condition],
            "observedGeneration": observed,
            "lastAppliedRevision": revision,
        },
    }


@pytest.mark.parametrize(
    ("old", "new", "expected", "reason"),
    [
        (ready("Unknown", "1"), ready("True", "1"), True, "it became ready"),
        (ready("True", "1"), ready("True", "2"), True, "Unknown was not seen"),
        (ready("True", "1"), ready("True", "1"), False, "nothing new"),
        (ready("True", "1"), ready("False", "1"), False, "nobody waits for a failure"),
        (None, ready("True", "1"), True, "seen for the first time"),
    ],
)
def test_applied(old, new, expected, reason):
    change = Change("updated" if old else "added", old, new)
    assert applied(change) is expected, reason
