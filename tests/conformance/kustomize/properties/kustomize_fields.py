"""Random values for every field of a kustomization file."""

import random
from typing import Any

from kustomize_manifests import (
    IMAGES,
    KEYS,
    NAMES,
    TEXTS,
    VALUES,
    VERSIONS,
    WORKLOADS,
    container,
    some,
    texts,
    written,
)

Known = list[tuple[str, str, str]]
"""Kind, name and namespace of what a layer holds, as it was written."""
SELECTORS = ["alpha=x", "alpha in (x,y)", "!beta", "gamma", "alpha!=x", "alpha notin (web)"]


def selector(rng: random.Random, known: Known) -> dict[str, Any]:
    """Return a selector that mostly finds something."""
    kind, name, namespace = rng.choice(known) if known else ("Deployment", "app", "")
    group, _, version = VERSIONS[kind].rpartition("/")
    found: dict[str, Any] = {}
    if some(rng, 0.75):
        found["kind"] = rng.choice([kind, kind, f"{kind}|Service", "Deploy.*"])
    if some(rng, 0.5):
        found["name"] = rng.choice([name, name, f"{name[0]}.*", "app|web", ".*"])
    if some(rng, 0.15) and group:
        found["group"] = group
    if some(rng, 0.15):
        found["version"] = version
    if some(rng, 0.1):
        found["namespace"] = namespace or "default"
    if some(rng, 0.1):
        found["labelSelector"] = rng.choice(SELECTORS)
    if some(rng, 0.05):
        found["annotationSelector"] = rng.choice(SELECTORS)
    return found or {"kind": kind}


def _merge_body(rng: random.Random, kind: str) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if some(rng, 0.4):
        body["metadata"] = {"annotations": {rng.choice(KEYS[:4]): rng.choice([*TEXTS[:6], None])}}
    if some(rng, 0.3):
        body.setdefault("metadata", {})["labels"] = texts(rng)
    if kind in WORKLOADS and some(rng, 0.8):
        name = rng.choice(["main", "side", "new"])
        change: dict[str, Any] = {"name": name}
        choice = rng.randrange(6)
        if choice == 0:
            change["$patch"] = "delete"
        elif choice == 1:
            change["env"] = [{"name": "A", "value": "patched"}, {"name": "N", "value": "new"}]
        elif choice == 2:
            change["ports"] = [{"containerPort": 80, "name": "http"}]
        elif choice == 3:
            change["args"] = ["replaced"]
        elif choice == 4:
            change = container(rng, name)
        else:
            change["resources"] = {"limits": {"cpu": "1", "memory": None}}
        pod = {"spec": {"containers": [change]}}
        if some(rng, 0.2):
            pod["spec"]["volumes"] = [{"name": "one", "emptyDir": {}, "configMap": None}]
        template: dict[str, Any] = {"template": pod}
        if kind == "CronJob":
            template = {"jobTemplate": {"spec": template}}
        elif some(rng, 0.3):
            template["replicas"] = rng.choice([5, None])
        body["spec"] = template
    elif kind == "ConfigMap":
        body["data"] = {rng.choice(KEYS[:3]): rng.choice(["patched", None])}
        if some(rng, 0.1):
            body["data"]["$patch"] = rng.choice(["replace", "delete", "merge"])
    elif kind == "Widget":
        body["spec"] = {rng.choice(KEYS): rng.choice([*VALUES, {"x": 1}, [2]])}
    elif kind == "Service":
        body["spec"] = {"ports": [{"port": rng.choice([80, 81]), "name": "patched"}]}
    if some(rng, 0.03):
        body["$patch"] = rng.choice(["delete", "replace"])
    return body


def merge_patch(rng: random.Random, known: Known) -> dict[str, Any]:
    """Return a strategic merge patch."""
    kind, name, namespace = rng.choice(known) if known else ("Deployment", "app", "")
    body = _merge_body(rng, kind)
    metadata = {"name": name, **body.pop("metadata", {})}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": VERSIONS[kind], "kind": kind, "metadata": metadata, **body}


def operations(rng: random.Random, kind: str) -> list[dict[str, Any]]:
    """Return a JSON patch that mostly fits a kind."""
    value = rng.choice(VALUES)
    choices = [
        {"op": "add", "path": "/metadata/labels", "value": {"patched": "yes"}},
        {"op": "add", "path": "/metadata/annotations", "value": {"a~b": "x", "note": "1"}},
        {"op": "copy", "from": "/metadata/name", "path": "/metadata/copied"},
        {"op": "add", "path": "/data", "value": {"key": "v", "null": None}},
        {"op": "add", "path": "/extra", "value": value},
        {"op": "replace", "path": "/kind", "value": kind},
    ]
    if kind in WORKLOADS[:4]:
        at = "/spec/template/spec/containers"
        choices += [
            {"op": "add", "path": f"{at}/-", "value": {"name": "x"}},
            {"op": "add", "path": f"{at}/0", "value": {"name": "y", "image": "nginx"}},
            {"op": "replace", "path": f"{at}/0/image", "value": "json:1"},
            {"op": "remove", "path": f"{at}/0"},
            {"op": "move", "from": f"{at}/0", "path": "/spec/template/spec/initContainers"},
            {"op": "test", "path": f"{at}/0/name", "value": "main"},
        ]
    if some(rng, 0.1):
        choices += [
            {"op": "replace", "path": "/metadata/name", "value": "renamed"},
            {"op": "remove", "path": "/spec"},
            {"op": "replace", "path": "/spec/none", "value": 1},
            {"op": "test", "path": "/metadata/name", "value": "app"},
        ]
    return [rng.choice(choices) for _ in range(rng.randrange(1, 3))]


def patch(rng: random.Random, known: Known, files: dict[str, str], at: str) -> dict[str, Any]:
    """Return an entry of `patches`; longer ones go to a file."""
    entry: dict[str, Any] = {}
    if some(rng, 0.35):
        kind = rng.choice(known)[0] if known else "Deployment"
        text = written(rng, operations(rng, kind))
        entry["target"] = {**selector(rng, known), "kind": kind}
    else:
        text = written(rng, merge_patch(rng, known))
        if some(rng, 0.35):
            entry["target"] = selector(rng, known)
        if some(rng, 0.1):
            entry["options"] = {rng.choice(["allowNameChange", "allowKindChange"]): True}
            entry["target"] = {"kind": "Widget|Service"}  # the hash of generated ones is internal
    if some(rng, 0.4):
        name = f"patch-{len(files)}.yaml"
        files[f"{at}{name}"] = text
        entry["path"] = name
    else:
        entry["patch"] = text
    return entry


def generator(
    rng: random.Random, files: dict[str, str], at: str, taken: str | None
) -> dict[str, Any]:
    """Return an entry of one of the two generators; `taken` is a name that a base has."""
    args: dict[str, Any] = {"name": rng.choice(["settings", f"gen-{at.count('/')}", *NAMES[:1]])}
    if some(rng, 0.6):
        args["literals"] = [
            f"{key}={rng.choice(TEXTS)}" for key in rng.sample(["k1", "k2", "k3"], 2)
        ]
    if some(rng, 0.3):
        files[f"{at}data.txt"] = rng.choice(TEXTS)
        args["files"] = [rng.choice(["data.txt", "key=data.txt"])]
    if some(rng, 0.2):
        files[f"{at}vars.env"] = "# comment\nE1=one\n\nE2= two \nE3\n"
        args["envs"] = ["vars.env"]
    if taken is not None and some(rng, 0.9):
        args["name"] = taken
        args["behavior"] = rng.choice(["merge", "merge", "replace"])
    elif some(rng, 0.1):
        args["behavior"] = "create"
    if some(rng, 0.05):
        args["namespace"] = rng.choice(["one", "two"])
    if some(rng, 0.3):
        args["options"] = {
            rng.choice(["disableNameSuffixHash", "immutable"]): some(rng, 0.7),
            rng.choice(["labels", "annotations"]): texts(rng),
        }
    return args


def label(rng: random.Random) -> dict[str, Any]:
    """Return an entry of `labels`."""
    entry: dict[str, Any] = {"pairs": texts(rng)}
    if some(rng, 0.4):
        entry[rng.choice(["includeSelectors", "includeTemplates"])] = some(rng, 0.8)
    if some(rng, 0.2):
        spec = {"path": "spec/labels", "create": True, "kind": "Widget"}
        entry["fields"] = [rng.choice([spec, {"path": "spec/extra/labels", "group": "apps"}])]
    return entry


def image(rng: random.Random) -> dict[str, Any]:
    """Return an entry of `images`."""
    entry: dict[str, Any] = {"name": rng.choice(["nginx", "redis", "app", "reg.example.com.*"])}
    choices = {
        "newName": "other/image", "newTag": "v9", "digest": "sha256:def", "tagSuffix": "-x",
    }  # fmt: skip
    return entry | {field: value for field, value in choices.items() if some(rng, 0.35)}


_ANYWHERE = [
    "metadata.labels.copied", "metadata.annotations.[a.b/c]", "metadata.name", "extra.new.deep",
]  # fmt: skip
_PODS = "spec.template.spec"
_OF_PODS = [
    f"{_PODS}.containers.0.image", f"{_PODS}.containers.[name=main].image",
    f"{_PODS}.containers.*.image", f"{_PODS}.containers.[name=side].args.1",
    f"{_PODS}.containers.[name=made].image", "spec.serviceName", f"{_PODS}.volumes.0.name",
]  # fmt: skip


def replacement(rng: random.Random, known: Known) -> dict[str, Any]:
    """Return a replacement."""
    kind, name, _ = rng.choice(known) if known else ("Deployment", "app", "")
    source: dict[str, Any] = {"kind": kind, "name": name}
    if some(rng, 0.5):
        more = ["data.alpha"] if kind == "ConfigMap" else ["metadata.labels.alpha"]
        source["fieldPath"] = rng.choice(["metadata.name", "kind", "apiVersion", *more])
    if some(rng, 0.3):
        # No letter: an empty part of a text is one of the known differences.
        source["options"] = {"delimiter": rng.choice(["-", ":"]), "index": rng.randrange(2)}
    goal = rng.choice(known)[0] if known else "Deployment"
    paths = [*_ANYWHERE, *(_OF_PODS if goal in WORKLOADS[:4] else ())]
    if goal == "ConfigMap":
        paths.append("data.alpha")
    select = {**selector(rng, known), "kind": goal}
    target: dict[str, Any] = {"select": select, "fieldPaths": [rng.choice(paths)]}
    if some(rng, 0.2):
        target["reject"] = [selector(rng, known)]
    if some(rng, 0.85):
        target["options"] = {"create": some(rng, 0.9)}
        if some(rng, 0.3):
            target["options"] |= {
                "delimiter": rng.choice([":", "-"]),
                "index": rng.randrange(-1, 3),
            }
    # What makes a name look like a number is one of the known differences.
    named = target["fieldPaths"] == ["metadata.name"]
    if some(rng, 0.1):
        return {"sourceValue": rng.choice(TEXTS[: 1 if named else 4]), "targets": [target]}
    if named and source.get("fieldPath", "").endswith("alpha"):
        source["fieldPath"] = "kind"
    return {"source": source, "targets": [target]}


def variable(rng: random.Random, known: Known) -> dict[str, Any]:
    """Return a variable."""
    kind, name, namespace = rng.choice(known) if known else ("ConfigMap", "app", "")
    reference = {"kind": kind, "name": name, "apiVersion": VERSIONS[kind]}
    if namespace and some(rng, 0.7):
        reference["namespace"] = namespace
    entry: dict[str, Any] = {"name": "APP_NAME", "objref": reference}
    if some(rng, 0.3):
        entry["fieldref"] = {"fieldpath": rng.choice(["metadata.name", "kind", "metadata.labels"])}
    return entry


def configuration(rng: random.Random) -> dict[str, Any]:
    """Return a transformer configuration."""
    found: dict[str, Any] = {}
    if some(rng, 0.5):
        spec = {"path": "spec/configRef/name", "kind": "Widget"}
        found["nameReference"] = [{"kind": "ConfigMap", "version": "v1", "fieldSpecs": [spec]}]
    if some(rng, 0.4):
        found["images"] = [{"path": "spec/image", "kind": "Widget"}]
    if some(rng, 0.3):
        found["namePrefix"] = [{"path": "metadata/name"}]
    if some(rng, 0.3):
        found["commonLabels"] = [{"path": "spec/marks", "create": True, "kind": "Widget"}]
    if some(rng, 0.3):
        found["varReference"] = [{"path": "spec/alpha", "kind": "Widget"}]
    return found


def transformer(rng: random.Random) -> dict[str, Any]:
    """Return the configuration of a built-in transformer."""
    kind, body = rng.choice(
        [
            ("PrefixTransformer", {"prefix": "tp-", "fieldSpecs": [{"path": "metadata/name"}]}),
            ("SuffixTransformer", {"suffix": "-ts", "fieldSpecs": [{"path": "metadata/name"}]}),
            (
                "LabelTransformer",
                {"labels": texts(rng), "fieldSpecs": [{"path": "metadata/labels", "create": True}]},
            ),
            (
                "AnnotationsTransformer",
                {
                    "annotations": texts(rng),
                    "fieldSpecs": [{"path": "metadata/annotations", "create": True}],
                },
            ),
            ("NamespaceTransformer", {"unsetOnly": some(rng, 0.5)}),
            ("ImageTagTransformer", {"imageTag": {"name": rng.choice(IMAGES[:1]), "newTag": "t"}}),
        ]
    )
    metadata = {"name": "it"}
    if kind == "NamespaceTransformer":
        metadata["namespace"] = "moved"
    return {"apiVersion": "builtin", "kind": kind, "metadata": metadata, **body}
