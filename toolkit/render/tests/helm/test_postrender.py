"""Post-rendering by a function: what it is shown, and what becomes of its answer."""

import pytest

from fluvial.render.helm import (
    HELM_3,
    HELM_4_2,
    ManifestError,
    kustomize_folder,
    kustomize_steps,
    post_render,
    template_of,
)
from fluvial.render.helm._marking import marked
from fluvial.render.kustomize.tree import MemoryTree
from fluvial.render.yaml import load

MARK = "postrenderer.helm.sh/postrender-filename: t/a.yaml"
HEAD = "kind: A\napiVersion: v1\n"
MAP = f"{HEAD}metadata: {{name: a}}\n"
HOOK = f"{HEAD}metadata: {{name: h, annotations: {{helm.sh/hook: test}}}}\n"


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("metadata:\n  name: a\nx:\n", f"metadata:\n  annotations:\n    {MARK}\n  name: a\nx:\n",
         "a key without a value stays one"),
        ("metadata:\n  annotations:\n    b: c # d\n",
         f"metadata:\n  annotations:\n    {MARK}\n    b: c # d\n", "beside others, comments kept"),
        ("metadata: {name: a}\nn: 0777\n",
         f"metadata: {{annotations: {{{MARK}}}, name: a}}\nn: 0777\n", "on one line"),
        ("metadata: {annotations: {b: c}}\n", f"metadata: {{annotations: {{{MARK}, b: c}}}}\n",
         "on one line, beside others"),
        ("metadata:\n  annotations:\n  name: a\n",
         f"metadata:\n  annotations:\n    {MARK}\n  name: a\n", "none yet"),
        ("metadata:\n  annotations: {}\n", f"metadata:\n  annotations: {{{MARK}}}\n", "empty"),
        ("metadata: # {\n  # [\n  name: a\n",
         f"metadata: # {{\n  # [\n  annotations:\n    {MARK}\n  name: a\n",
         "comments do not confuse it"),
    ],
)  # fmt: skip
def test_the_mark_is_written_into_the_text(before: str, after: str, reason: str) -> None:
    assert marked(HEAD + before, "t/a.yaml") == [HEAD + after], reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("metadata: &m\n  name: a\nagain: *m\n", "an anchor: the alias stays without the mark"),
        ("metadata:\n  <<: {labels: {a: b}}\n  name: a\n", "a merge key"),
        ("metadata:\n  ? name\n  : a\n", "an explicit key"),
        ("metadata:\n  {name: a}\n", "a mapping on a line of its own"),
    ],
)
def test_other_layouts_are_marked_all_the_same(text: str, reason: str) -> None:
    (document,) = marked(HEAD + text, "t/a.yaml")
    obj, plain = load(document), load(HEAD + text)
    assert template_of(obj) == "t/a.yaml", reason
    del obj["metadata"]["annotations"]
    plain["metadata"].pop("<<", None)
    assert obj == plain, reason


@pytest.mark.parametrize(
    ("strategy", "seen", "reason"),
    [
        ("", ["a", "h"], "hooks and templates together"),
        ("combined", ["a", "h"], "the same by name"),
        ("separate", ["h"], "two streams, hooks first"),
        ("nohooks", ["a"], "templates only"),
    ],
)
def test_strategies(rendered, strategy: str, seen: list[str], reason: str) -> None:
    streams = []

    def renderer(text: str) -> str:
        streams.append(text)
        return text.replace("kind: A", "kind: B")

    done = rendered({"templates/a.yaml": MAP, "templates/h.yaml": HOOK})
    after = post_render(done, renderer, strategy=strategy)
    assert [load(part)["metadata"]["name"] for part in streams[0].split("---\n")] == seen, reason
    assert [one.kind for one in after.manifests] == ["B"]
    assert [one.kind for one in after.hooks] == ["A" if strategy == "nohooks" else "B"]
    assert [one.path for one in after.manifests] == ["web/templates/a.yaml"]
    assert "postrender" not in after.manifest + after.hooks[0].text
    assert done.manifests[0].kind == "A", "what was rendered is not changed"


def test_what_the_renderer_adds_has_a_path_of_its_own(rendered) -> None:
    done = rendered({"templates/a.yaml": MAP})
    for strategy, path in (
        ("combined", "generated-by-postrender-0.yaml"),
        ("separate", "generated-by-postrender-manifests-0.yaml"),
    ):
        after = post_render(done, lambda text: f"kind: N\n---\n{text}", strategy=strategy)
        assert [one.path for one in after.manifests] == ["web/templates/a.yaml", path]


def test_in_helm_3_hooks_stay_and_the_text_is_the_manifest(rendered) -> None:
    done = rendered({"templates/a.yaml": MAP, "templates/h.yaml": HOOK}, helm_version=HELM_3)
    after = post_render(
        done, lambda text: text + "---\nkind: B\n", strategy="combined", helm_version=HELM_3
    )
    assert after.hooks == done.hooks
    assert after.manifest == f"---\n# Source: web/templates/a.yaml\n{MAP}---\nkind: B\n"
    assert [(one.path, one.kind) for one in after.manifests] == [("", "A"), ("", "B")]


def test_a_chart_without_documents_asks_no_renderer(rendered) -> None:
    done = rendered({"templates/a.yaml": "# nothing\n"})
    assert post_render(done, lambda _: "kind: N\n").manifests == []


@pytest.mark.parametrize(
    ("text", "message", "reason"),
    [
        ("kind: A\nmetadata: {}\nsecret: xyz\n", "a.yaml: .*missing metadata.name", "no name"),
        ("- 1\n", "a.yaml", "no object"),
    ],
)
def test_documents_that_kustomize_refuses(rendered, text, message, reason) -> None:
    good = rendered({"templates/a.yaml": MAP})
    good.files["web/templates/a.yaml"] = text
    with pytest.raises(ManifestError, match=message) as error:
        post_render(good, str)
    assert "xyz" not in str(error.value), reason


@pytest.mark.parametrize(
    ("renderer", "message", "reason"),
    [
        (lambda _: "a: [\n", "parsing post rendered output", "an answer that is no YAML"),
        (kustomize_steps({"patches": [{"patch": "kind: A\n"}]}), "post render", "a bad patch"),
        (kustomize_folder(MemoryTree({"k/kustomization.yaml": "namePrefix: x-\n"}), "k"),
         "post render|all.yaml", "a folder that does not read the stream"),
    ],
)  # fmt: skip
def test_renderers_that_fail(rendered, renderer, message: str, reason: str) -> None:
    with pytest.raises(ManifestError, match=message):
        post_render(rendered({"templates/a.yaml": MAP}), renderer, helm_version=HELM_4_2)


def test_an_unknown_strategy(rendered) -> None:
    with pytest.raises(ManifestError, match="unknown post-render strategy: 'x'"):
        post_render(rendered({}), str, strategy="x")
