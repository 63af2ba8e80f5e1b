"""What becomes of the documents of a release before it is applied."""

import pytest

from fluvial.helm.jobs import RenderFailed, RenderRequest, render
from fluvial.render.helm import HELM_4_2, Release
from fluvial.render.helm.flux import Labels
from fluvial.render.helm.jobs import RenderRequest as ChartRequest
from fluvial.render.yaml import load

LABELS = Labels(common={"team": "a", "origin": "common"}, annotations={"note": "1"},
                origin={"origin": "release"})  # fmt: skip


def text(name, extra=""):
    return f"# a comment\nkind: ConfigMap\napiVersion: v1\nmetadata:\n  name: {name}\n{extra}"


def hook(name, event="pre-install"):
    return text(name, f"  annotations: {{helm.sh/hook: {event}, helm.sh/hook-weight: '3'}}\n")


@pytest.fixture
def released(tmp_path):
    """Render and post-render the templates of a chart."""

    def run(templates, steps=(), strategy=""):
        files = {"Chart.yaml": "name: app\nversion: 1.0.0\n"}
        files |= {f"templates/{name}.yaml": content for name, content in templates.items()}
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(content)
        chart = ChartRequest(
            path=str(tmp_path), release=Release(name="r"), helm_version=HELM_4_2.minor
        )
        request = RenderRequest(
            chart=chart, labels=LABELS, post_renderers=list(steps), strategy=strategy
        )
        return render(request)

    return run


def test_every_document_is_written_again_with_labels_and_nothing_else(released):
    done = released({"a": text("a")})
    printed = (
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  annotations:\n    note: "1"\n'
        "  labels:\n    origin: release\n    team: a\n  name: a\n"
    )
    assert done.manifest == f"---\n# Source: app/templates/a.yaml\n{printed}\n"
    assert done.objects == [load(printed)]


def test_hooks_keep_what_makes_them_hooks(released):
    (one,) = released({"h": hook("h")}).hooks
    assert (one.name, one.path) == ("h", "app/templates/h.yaml")
    assert (one.events, one.weight, one.delete_policies) == (
        ["pre-install"], 3, ["before-hook-creation"],
    )  # fmt: skip
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
def test_what_the_strategy_lets_the_steps_see(released, strategy, labelled, reason):
    done = released({"a": text("a"), "h": hook("h")}, strategy=strategy)
    assert "labels" in done.objects[0]["metadata"], reason
    assert ("labels" in load(done.hooks[0].manifest)["metadata"]) is labelled, reason


@pytest.mark.parametrize(("strategy", "refused"), [("combined", True), ("separate", False)])
def test_a_hook_and_a_template_may_not_be_one_object_where_both_are_seen(
    released, strategy, refused
):
    templates = {"a": text("a"), "h": hook("a")}
    if refused:
        with pytest.raises(RenderFailed, match="already registered id: ConfigMap"):
            released(templates, strategy=strategy)
    else:
        done = released(templates, strategy=strategy)
        assert (len(done.objects), len(done.hooks)) == (1, 1)


def test_patches_and_images_come_before_the_labels(released):
    patch = {"patch": "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: a\n"
                      "  labels: {origin: patch, new: x}\n"}  # fmt: skip
    done = released({"b": text("b"), "a": text("a")}, [{"kustomize": {"patches": [patch]}}])
    assert [one["metadata"]["name"] for one in done.objects] == ["a", "b"]
    assert done.objects[0]["metadata"]["labels"] == {
        "new": "x",
        "origin": "release",
        "team": "a",
    }


def test_a_patch_can_make_a_hook_and_change_one(released):
    patch = {
        "target": {"kind": "ConfigMap"},
        "patch": "- {op: add, path: /metadata/annotations, value: {helm.sh/hook: test}}\n",
    }
    done = released({"a": text("a"), "h": hook("h")}, [{"kustomize": {"patches": [patch]}}])
    assert done.objects == []
    assert [(one.name, one.events, one.weight) for one in done.hooks] == [
        ("a", ["test"], 0), ("h", ["test"], 0),
    ]  # fmt: skip


def test_an_object_that_the_server_names_gets_the_labels_too(released):
    generated = "kind: Pod\napiVersion: v1\nmetadata:\n  generateName: p-\n"
    step = {"kustomize": {"images": [{"name": "x", "newTag": "1"}]}}
    done = released({"a": generated, "b": generated.replace("p-", "q-")}, [step])
    assert [one["metadata"]["generateName"] for one in done.objects] == ["p-", "q-"]
    assert all(one["metadata"]["labels"]["origin"] == "release" for one in done.objects)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("- a\n", "app/templates/a.yaml"),
        ("kind: X\nmetadata: {name: x}\n", "app/templates/a.yaml: object has no apiVersion"),
        ("apiVersion: v1\nkind: X\nmetadata: {}\n", "app/templates/a.yaml.*metadata.name"),
    ],
)
def test_what_is_no_object_is_named_by_its_template(released, broken, message):
    with pytest.raises(RenderFailed, match=message):
        released({"a": broken})
