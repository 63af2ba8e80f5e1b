"""Indexes and watches of what objects refer to."""

from typing import ClassVar

import pytest

from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.toolkit import Key, RuntimeFlags, Store
from fluvial.toolkit.references import config_watches, dependencies_of, users


class Flags(RuntimeFlags):
    gates: ClassVar = {"DisableConfigWatchers": False}


def dependent(name, *references):
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"dependsOn": list(references)},
    }


@pytest.mark.parametrize(
    ("references", "expected", "reason"),
    [
        ([], [], "none"),
        (
            [{"name": "a"}, {"name": "b", "namespace": "infra"}],
            ["Kustomization/default/a", "Kustomization/infra/b"],
            "of either namespace",
        ),
    ],
)
def test_dependencies_of(references, expected, reason):
    index = dependencies_of(KUSTOMIZATION)
    assert list(index(dependent("app", *references))) == expected, reason


def test_users_are_found_by_the_changed_object():
    store = Store()
    store.add_index("dependsOn", dependencies_of(KUSTOMIZATION))
    store.put(dependent("app", {"name": "base"}))
    store.put(dependent("other", {"name": "base", "namespace": "infra"}))
    changed = {"metadata": {"name": "base", "namespace": "default"}}
    assert users("Kustomization", "dependsOn")(changed, store) == [Key("default", "app")]


@pytest.mark.parametrize(
    ("disabled", "kinds", "reason"),
    [
        (False, ["ConfigMap", "Secret"], "metadata of both, where labels ask for it"),
        (True, [], "the gate turns them off"),
    ],
)
def test_config_watches(disabled, kinds, reason):
    found = config_watches("config", Flags(feature_gates=f"DisableConfigWatchers={disabled}"))
    assert [watch.resource.kind for watch in found] == kinds, reason
    assert all(watch.metadata_only for watch in found)
    assert {watch.label_selector for watch in found} <= {"reconcile.fluxcd.io/watch=Enabled"}
