"""What becomes of rendered documents."""

import pytest

from fluvial.helm.postrender import Labels, post_render
from fluvial.render.helm import Hook, Manifest, ManifestError
from fluvial.render.yaml import load

LABELS = Labels(common={"team": "a", "origin": "common"}, annotations={"note": "1"},
                origin={"origin": "release"})  # fmt: skip


def text(name, kind="ConfigMap", extra=""):
    return f"# a comment\nkind: {kind}\napiVersion: v1\nmetadata:\n  name: {name}\n{extra}"


def manifest(name, **more):
    return Manifest(path=f"app/templates/{name}.yaml", name=name, kind="ConfigMap",
                    api_version="v1", text=text(name, **more))  # fmt: skip


def hook(name):
    return Hook(path=f"app/templates/{name}.yaml", name=name, kind="ConfigMap", api_version="v1",
                text=text(name), events=["pre-install"], weight=3, delete_policies=["hook-failed"],
                output_log_policies=[])  # fmt: skip


def test_every_document_is_written_again_with_labels_and_nothing_else():
    (document,), _ = post_render([manifest("a")], [], LABELS, [])
    assert document.path == "app/templates/a.yaml"
    assert document.text == (
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  annotations:\n    note: "1"\n'
        "  labels:\n    origin: release\n    team: a\n  name: a\n"
    )
    assert document.object == load(document.text)


def test_hooks_keep_what_makes_them_hooks():
    _, (one,) = post_render([], [hook("h")], LABELS, [])
    assert (one.name, one.events, one.weight) == ("h", ["pre-install"], 3)
    assert one.delete_policies == ["hook-failed"]
    assert load(one.manifest)["metadata"]["labels"]["origin"] == "release"
    assert "postrender" not in one.manifest


@pytest.mark.parametrize(
    ("strategy", "labelled", "reason"),
    [
        ("", True, "together, by default"),
        ("combined", True, "together"),
        ("separate", True, "one after the other"),
        ("nohooks", False, "hooks are left alone"),
    ],
)
def test_what_the_strategy_lets_the_steps_see(strategy, labelled, reason):
    documents, hooks = post_render([manifest("a")], [hook("h")], LABELS, [], strategy)
    assert "labels" in documents[0].object["metadata"], reason
    assert ("labels" in load(hooks[0].manifest)["metadata"]) is labelled, reason


@pytest.mark.parametrize(("strategy", "refused"), [("combined", True), ("separate", False)])
def test_a_hook_and_a_template_may_not_be_one_object_where_both_are_seen(strategy, refused):
    if refused:
        with pytest.raises(ManifestError, match="already registered id: ConfigMap/a"):
            post_render([manifest("a")], [hook("a")], LABELS, [], strategy)
    else:
        assert post_render([manifest("a")], [hook("a")], LABELS, [], strategy)


def test_patches_and_images_come_before_the_labels():
    patch = {"patch": "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: a\n"
                      "  labels: {origin: patch, new: x}\n"}  # fmt: skip
    renderers = [{"kustomize": {"patches": [patch]}}]
    documents, _ = post_render([manifest("b"), manifest("a")], [], LABELS, renderers)
    assert [one.path for one in documents] == ["app/templates/b.yaml", "app/templates/a.yaml"]
    assert documents[1].object["metadata"]["labels"] == {
        "new": "x",
        "origin": "release",
        "team": "a",
    }


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("- a\n", "a.yaml: a document is no object"),
        ("kind: X\n", "a.yaml: object has no apiVersion"),
        ("apiVersion: v1\nkind: X\nmetadata: {}\n", "a.yaml: object has no metadata.name"),
    ],
)
def test_what_is_no_object_is_named_by_its_template(broken, message):
    one = Manifest(path="a.yaml", name="a", kind="X", api_version="v1", text=broken)
    with pytest.raises(ManifestError, match=message):
        post_render([one], [], LABELS, [])
