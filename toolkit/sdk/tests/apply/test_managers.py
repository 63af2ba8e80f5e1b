"""Field managers: the heir of kubectl, and who owns a field."""

import pytest

from fluvial.toolkit.apply.managers import cleanup_patch, merge_keys, owned, union

MANAGER = "kustomize-controller"


def entry(manager, operation="Update", fields=None, **more):
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": "v1",
        "fieldsV1": fields or {f"f:{manager}": {}},
        **more,
    }


def live(*entries, **metadata):
    return {"metadata": {"resourceVersion": "7", "managedFields": list(entries), **metadata}}


OURS = entry(MANAGER, "Apply", {"f:a": {}})


@pytest.mark.parametrize(
    ("entries", "override", "expected", "reason"),
    [
        ([OURS], [], None, "nothing to do"),
        ([OURS, entry("operator")], [], None, "others stay"),
        ([OURS, entry("flux-client-side-apply")], [], None, "a name that only sounds like it"),
        ([OURS, entry("kubectl-edit", subresource="status")], [], None, "status is not ours"),
        ([OURS, entry(MANAGER, subresource="status")], [], None, "status is not ours"),
        (
            [entry("kubectl-client-side-apply"), OURS],
            [],
            [(MANAGER, "Apply", {"f:a", "f:kubectl-client-side-apply"})],
            "folded into ours",
        ),
        (
            [OURS, entry("kubectl", "Apply"), entry("x")],
            [],
            [("x", "Update", {"f:x"}), (MANAGER, "Apply", {"f:a", "f:kubectl"})],
            "also its applies; ours moves to the end",
        ),
        (
            [entry("before-first-apply"), entry("kubectl-edit")],
            [],
            [(MANAGER, "Apply", {"f:before-first-apply", "f:kubectl-edit"})],
            "without ours the first is renamed",
        ),
        (
            [entry("before-first-apply", "Apply"), OURS],
            [],
            None,
            "the name counts for updates only",
        ),
        (
            [OURS, entry(MANAGER)],
            [],
            [(MANAGER, "Apply", {"f:a", f"f:{MANAGER}"})],
            "our own updates",
        ),
        (
            [OURS, entry("operator-x", "Apply"), entry("operator")],
            ["operator"],
            [(MANAGER, "Apply", {"f:a", "f:operator-x", "f:operator"})],
            "managers to override, by prefix, both operations",
        ),
    ],
)
def test_folding(entries, override, expected, reason):
    patch = cleanup_patch(live(*entries), MANAGER, override)
    if expected is None:
        assert patch == [], reason
        return
    fold, lock = patch
    assert fold["op"] == "replace"
    assert fold["path"] == "/metadata/managedFields"
    assert [(e["manager"], e["operation"], set(e["fieldsV1"])) for e in fold["value"]] == (
        expected
    ), reason
    assert lock == {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}


@pytest.mark.parametrize(
    ("field", "key", "path"),
    [
        (
            "annotations",
            "kubectl.kubernetes.io/last-applied-configuration",
            "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration",
        ),
        (
            "annotations",
            "kustomize.toolkit.fluxcd.io/checksum",
            "/metadata/annotations/kustomize.toolkit.fluxcd.io~1checksum",
        ),
        (
            "annotations",
            "fluxcd.io/sync-checksum",
            "/metadata/annotations/fluxcd.io~1sync-checksum",
        ),
        ("labels", "fluxcd.io/sync-gc-mark", "/metadata/labels/fluxcd.io~1sync-gc-mark"),
    ],
)
def test_leftovers_are_removed(field, key, path):
    patch = cleanup_patch(live(OURS, **{field: {key: "x", "other": "y"}}), MANAGER)
    assert patch[0] == {"op": "remove", "path": path}
    assert len(patch) == 2


def test_union():
    left = {"f:a": {"f:x": {}}, "f:b": {}}
    right = {"f:a": {"f:y": {}}, "f:c": {}}
    assert union(left, right) == {"f:a": {"f:x": {}, "f:y": {}}, "f:b": {}, "f:c": {}}


OBJECT = {
    "spec": {
        "replicas": 1,
        "ports": [{"port": 1, "name": "x"}, {"port": 2, "name": "y"}],
        "finalizers": ["a", "b"],
        "plain": [{"deep": 1}],
    }
}
FIELDS = {
    "f:spec": {
        "f:replicas": {},
        "f:ports": {'k:{"port":2}': {".": {}, "f:name": {}}},
        "f:finalizers": {'v:"b"': {}},
        "f:plain": {},
    }
}


@pytest.mark.parametrize(
    ("path", "expected", "reason"),
    [
        (("spec", "replicas"), True, "a leaf"),
        (("spec", "other"), False, "not there"),
        (("spec",), True, "something below"),
        (("spec", "ports", 1, "name"), True, "an element by its key, not its place"),
        (("spec", "ports", 0, "name"), False, "another element"),
        (("spec", "ports", 1, "port"), False, "another field of the element"),
        (("spec", "finalizers", 1), True, "a member of a set"),
        (("spec", "finalizers", 0), False, "another member"),
        (("spec", "plain", 0, "deep"), True, "within an atomic list"),
    ],
)
def test_owned(path, expected, reason):
    assert owned(FIELDS, path, OBJECT) is expected, reason


def test_merge_keys():
    assert merge_keys([FIELDS], ("spec", "ports"), OBJECT) == {"port"}
    assert merge_keys([FIELDS], ("spec", "plain"), OBJECT) == set()
