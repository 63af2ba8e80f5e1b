"""What an earlier build has made of a resource serves the next one, and never wrongly."""

import pytest

from fluvial.render.kustomize import (
    PARSED,
    KustomizeError,
    MemoryTree,
    Options,
    build,
    to_yaml,
)
from fluvial.render.kustomize import _passes as passes
from fluvial.render.kustomize._frozen import _LISTS, _SCALARS
from fluvial.render.kustomize._resource import Resource

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {mode: 0644}
spec:
  paused:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: app:1, env: [{name: A, value: "1"}]}
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\ndata: {a: b}\n"
ALL = """\
resources: [../base]
namespace: prod
namePrefix: p-
nameSuffix: -s
labels:
- {pairs: {tier: front}, includeSelectors: true}
commonAnnotations: {owner: us}
images:
- {name: app, newTag: "2"}
replicas:
- {name: web, count: 3}
patches:
- target: {kind: Deployment}
  path: patch.yaml
"""
PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: any}
spec: {template: {spec: {containers: [{name: side, image: s}, {name: web, tty: true}]}}}
"""
TREE = {
    "base/kustomization.yaml": "resources: [web.yaml, config.yaml]\n",
    "base/web.yaml": WEB,
    "base/config.yaml": CONFIG,
    "over/kustomization.yaml": ALL,
    "over/patch.yaml": PATCH,
}
LEGACY = Options(order="legacy")
TRACED = Options(order="legacy", provenance=True)


@pytest.fixture(autouse=True)
def _nothing_kept():
    PARSED.clear()
    yield
    PARSED.clear()


@pytest.fixture
def transformed(monkeypatch):
    """Count the resources that each run of steps has to transform."""
    counts = []
    original = passes._run_new

    def counting(steps, new, known):
        counts.append(len(new))
        return original(steps, new, known)

    monkeypatch.setattr(passes, "_run_new", counting)
    return counts


def outcome(files: dict[str, str], options: Options = LEGACY) -> str:
    """Return what a build prints, or says."""
    try:
        return to_yaml(build(MemoryTree(files), "over", options=options))
    except KustomizeError as error:
        return f"error: {error}"


def fresh(files: dict[str, str], options: Options = LEGACY) -> str:
    """Build in a process that knows nothing."""
    PARSED.clear()
    return outcome(files, options)


def test_only_the_changed_file_is_transformed_again(transformed):
    outcome(TREE)
    changed = {**TREE, "base/config.yaml": CONFIG.replace("a: b", "a: c")}
    assert "a: c" in outcome(changed)
    assert transformed == [2, 1]


def test_nothing_is_transformed_again_without_a_change(transformed):
    first = outcome(TREE)
    assert outcome(TREE) == first
    assert transformed == [2, 0]


def test_a_budget_of_nothing_keeps_nothing(transformed):
    PARSED.limit(0)
    try:
        assert outcome(TREE) == outcome(TREE)
    finally:
        PARSED.limit(128 * 1024 * 1024)
    assert transformed == [2, 2]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"base/web.yaml": WEB.replace('"1"', '"9"')}, "the resource itself"),
        ({"over/patch.yaml": PATCH.replace("tty", "stdin")}, "the patch's file"),
        ({"over/kustomization.yaml": ALL.replace('"2"', '"3"')}, "an image of the overlay"),
        ({"over/kustomization.yaml": ALL.replace("count: 3", "count: 4")}, "the replicas"),
        ({"over/kustomization.yaml": ALL.replace("front", "back")}, "a label"),
        ({"over/kustomization.yaml": ALL.replace("owner: us", "owner: you")}, "an annotation"),
        ({"over/kustomization.yaml": ALL.replace("Deployment", "ConfigMap")}, "a patch's target"),
        ({"over/kustomization.yaml": ALL.replace("p-", "q-")}, "the prefix"),
        ({"over/kustomization.yaml": ALL.replace("-s", "-t")}, "the suffix"),
        ({"over/kustomization.yaml": ALL.replace("prod", "test")}, "the namespace"),
        (
            {
                "over/kustomization.yaml": f"{ALL}configurations: [specs.yaml]\n",
                "over/specs.yaml": "commonAnnotations: [{path: spec/notes, create: true}]\n",
            },
            "the field specs",
        ),
        (
            {"over/patch.yaml": PATCH.replace("kind", "$patch: delete\nkind", 1)},
            "a patch that deletes",
        ),
        ({"base/web.yaml": WEB.replace("paused:", "paused: null")}, "a key without a value"),
        ({"base/web.yaml": WEB.replace("0644", "420")}, "the spelling of a number"),
    ],
)
@pytest.mark.parametrize("options", [LEGACY, TRACED], ids=["plain", "traced"])
def test_a_change_counts(changes: dict[str, str], reason: str, options: Options) -> None:
    outcome(TREE, options)
    changed = {**TREE, **changes}
    after = outcome(changed, options)
    assert after == fresh(changed, options), reason
    assert after != fresh(TREE, options), reason


@pytest.mark.parametrize(
    ("changes", "message", "reason"),
    [
        (
            {
                "base/config.yaml": f"{CONFIG}---\n"
                + CONFIG.replace("{name: config}", "{name: config, namespace: other}")
            },
            "produces ID conflict",
            "what was known meets a twin that is new",
        ),
        (
            {"base/web.yaml": WEB.replace("name: web\n  ann", "name: new\n  ann")},
            "no resource with name 'web'",
            "the resource of which replicas are set was the one that changed",
        ),
        (
            {"over/patch.yaml": PATCH.replace("[{", "{a: [{").replace("}]", "}]}")},
            "patch has a map",
            "the patch no longer fits",
        ),
    ],
)  # fmt: skip
def test_errors_are_those_of_a_first_build(
    changes: dict[str, str], message: str, reason: str
) -> None:
    outcome(TREE)
    changed = {**TREE, **changes}
    after = outcome(changed)
    assert message in after, reason
    assert after == fresh(changed), reason


def test_replicas_are_found_among_what_is_known() -> None:
    outcome(TREE)
    changed = {**TREE, "base/config.yaml": CONFIG.replace("a: b", "a: c")}
    assert "replicas: 3" in outcome(changed)


def test_what_a_patch_has_deleted_stays_deleted(transformed) -> None:
    gone = {**TREE, "over/patch.yaml": PATCH.replace("kind", "$patch: delete\nkind", 1)}
    gone["over/kustomization.yaml"] = ALL.replace("replicas:\n- {name: web, count: 3}\n", "")
    first = outcome(gone)
    assert "Deployment" not in first
    assert outcome(gone) == first
    assert transformed == [2, 0]


def test_values_that_a_step_has_tied_together_stay_so() -> None:
    top = "resources: [../over]\npatches: [{path: one.yaml, target: {kind: Deployment}}]\n"
    patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x, labels: {tier: new}}\n"
    files = {**TREE, "top/kustomization.yaml": top, "top/one.yaml": patch}

    def deployment() -> str:
        return to_yaml(build(MemoryTree(files), "top", options=LEGACY)[1:])

    first = deployment()
    assert deployment() == first
    assert first.count("tier: new") == 3


def test_provenance_survives_being_kept() -> None:
    first = [dict(item.provenance) for item in build(MemoryTree(TREE), "over", options=TRACED)]
    again = [dict(item.provenance) for item in build(MemoryTree(TREE), "over", options=TRACED)]
    assert again == first
    containers = "/spec/template/spec/containers"
    blame = build(MemoryTree(TREE), "over", options=TRACED)[1].blame()
    assert str(blame[f"{containers}/0/image"]) == "over/patch.yaml:4:52 (patch)"
    assert str(blame[f"{containers}/1/image"]) == "over/kustomization.yaml:9:3 (images)"
    assert str(blame[f"{containers}/1/env/0/value"]) == "base/web.yaml:14:51 (resource)"


def test_a_moved_file_moves_its_provenance() -> None:
    build(MemoryTree(TREE), "over", options=TRACED)
    moved = {**TREE, "base/there.yaml": WEB}
    moved["base/kustomization.yaml"] = "resources: [there.yaml, config.yaml]\n"
    blame = build(MemoryTree(moved), "over", options=TRACED)[1].blame()
    assert str(blame["/spec/selector/matchLabels/app"]) == "base/there.yaml:9:28 (resource)"


def test_everything_a_resource_has_is_kept_or_named_here() -> None:
    apart = {"data", "blanks", "shared", "file", "ledger", "origin", "transformations", "_cached"}
    assert {*_LISTS, *_SCALARS} == set(Resource.__slots__) - apart
