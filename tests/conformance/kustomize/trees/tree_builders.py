"""Trees as they stand in real repositories: files by path, and the folder to build."""

import itertools
from collections.abc import Callable
from typing import Any

from tree_manifests import config, deployment, documents, rbac, service

from fluvial.render.yaml import dump

__all__ = ["TREES"]

Files = dict[str, str]
TREES: dict[str, Callable[[], tuple[Files, str]]] = {}


def _tree(build: Callable[[], tuple[Files, str]]) -> Callable[[], tuple[Files, str]]:
    TREES[build.__name__.replace("_", "-")] = build
    return build


def _app(files: Files, folder: str, name: str, **more: Any) -> None:
    """Add the base of an application: five resources and a generated secret."""
    files[f"{folder}/workload.yaml"] = documents(deployment(name), service(name))
    files[f"{folder}/access.yaml"] = documents(*rbac(name))
    files[f"{folder}/kustomization.yaml"] = dump(
        {
            "resources": ["workload.yaml", "access.yaml"],
            "configMapGenerator": [{"name": name, "literals": ["MODE=base", "LEVEL=1"]}],
            "secretGenerator": [{"name": f"{name}-db", "literals": ["password=change me"]}],
            **more,
        }
    )


@_tree
def monorepo_of_bases_and_overlays() -> tuple[Files, str]:
    """Ten applications, one overlay that changes each."""
    files: Files = {}
    names = [f"shop-{number}" for number in range(10)]
    for name in names:
        _app(files, f"apps/{name}/base", name)
        overlay = {
            "resources": ["../base"],
            "configMapGenerator": [
                {"name": name, "behavior": "merge", "literals": ["MODE=prod"]},
            ],
            "images": [{"name": f"registry.example.com/shop/{name}", "newTag": "2.0.1"}],
            "replicas": [{"name": name, "count": 4}],
        }
        files[f"apps/{name}/prod/kustomization.yaml"] = dump(overlay)
    top = {"namespace": "shop", "resources": [f"../apps/{name}/prod" for name in names]}
    return {**files, "prod/kustomization.yaml": dump(top)}, "prod"


@_tree
def tenants_by_prefix() -> tuple[Files, str]:
    """One base in twelve namespaces, told apart by prefixes."""
    files: Files = {}
    _app(files, "base", "tenant")
    tenants = [f"t{number}" for number in range(12)]
    for tenant in tenants:
        files[f"tenants/{tenant}/kustomization.yaml"] = dump(
            {"resources": ["../../base"], "namePrefix": f"{tenant}-", "namespace": tenant}
        )
    top = {"resources": tenants, "commonAnnotations": {"team": "platform"}}
    return {**files, "tenants/kustomization.yaml": dump(top)}, "tenants"


@_tree
def components_switched_on() -> tuple[Files, str]:
    """Components that add a sidecar, an ingress and a budget to what selectors find."""
    files: Files = {}
    names = [f"svc-{number}" for number in range(9)]
    for name in names:
        _app(files, f"base/{name}", name)
    files["base/kustomization.yaml"] = dump({"resources": names})
    sidecar = {"name": "proxy", "image": "proxy:1", "ports": [{"containerPort": 15001}]}
    patch = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "any"},
        "spec": {"template": {"spec": {"containers": [sidecar]}}},
    }
    component = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
    files["parts/mesh/kustomization.yaml"] = dump(
        {**component, "patches": [{"patch": dump(patch), "target": {"kind": "Deployment"}}]}
    )
    operations = [
        {"op": "add", "path": "/metadata/annotations", "value": {"budget": "yes"}},
        {"op": "replace", "path": "/spec/replicas", "value": 3},
    ]
    target = {"kind": "Deployment", "name": "svc-[0-4]"}
    files["parts/budget/kustomization.yaml"] = dump(
        {**component, "patches": [{"patch": dump(operations), "target": target}]}
    )
    top = {"resources": ["../base"], "components": ["../parts/mesh", "../parts/budget"]}
    return {**files, "prod/kustomization.yaml": dump({**top, "nameSuffix": "-v2"})}, "prod"


@_tree
def replacements_across_many() -> tuple[Files, str]:
    """One host name and one version copied into every workload."""
    files: Files = {}
    names = [f"web-{number}" for number in range(30)]
    for name in names:
        files[f"{name}.yaml"] = documents(deployment(name, config="settings"), service(name))
    settings = config("settings")
    settings["data"] |= {"host": "shop.example.com", "version": "v7"}
    files["settings.yaml"] = documents(settings)
    pods = "spec.template"
    version = {
        "source": {"kind": "ConfigMap", "name": "settings", "fieldPath": "data.version"},
        "targets": [
            {
                "select": {"kind": "Deployment"},
                "fieldPaths": [f"{pods}.spec.containers.[name=main].image"],
                "options": {"delimiter": ":", "index": 1},
            },
            {
                "select": {"kind": "Deployment"},
                "reject": [{"name": "web-1.*"}],
                "fieldPaths": [f"{pods}.metadata.labels.version", "metadata.labels.version"],
                "options": {"create": True},
            },
        ],
    }
    host = {
        "source": {"kind": "ConfigMap", "name": "settings", "fieldPath": "data.host"},
        "targets": [
            {
                "select": {"kind": "Deployment"},
                "fieldPaths": [f"{pods}.spec.containers.*.env.[name=LOG_LEVEL].value"],
            }
        ],
    }
    top = {
        "resources": [*(f"{name}.yaml" for name in names), "settings.yaml"],
        "replacements": [version, host],
        "namePrefix": "a-",
    }
    return {**files, "kustomization.yaml": dump(top)}, ""


@_tree
def generators_of_all_kinds() -> tuple[Files, str]:
    """Forty generated ConfigMaps and Secrets that twenty workloads use."""
    files: Files = {"app.env": "A=1\nB = two\n# none\nC=three=3\n", "cert.pem": "line\n" * 30}
    names = [f"job-{number}" for number in range(20)]
    for name in names:
        files[f"{name}.yaml"] = documents(deployment(name))
    maps = [
        {"name": name, "envs": ["app.env"], "files": ["cert.pem", "other=cert.pem"]}
        for name in names
    ]
    secrets = [
        {"name": f"{name}-db", "literals": [f"password={name}"], "type": "example.com/db"}
        for name in names
    ]
    top = {
        "resources": [f"{name}.yaml" for name in names],
        "configMapGenerator": maps,
        "secretGenerator": secrets,
        "generatorOptions": {"labels": {"generated": "yes"}, "immutable": True},
    }
    return {**files, "kustomization.yaml": dump(top)}, ""


@_tree
def regions_over_stages() -> tuple[Files, str]:
    """Four layers: base, stage, region and cluster, each with labels of its own."""
    files: Files = {}
    names = [f"api-{number}" for number in range(8)]
    for name in names:
        _app(files, f"base/{name}", name)
    files["base/kustomization.yaml"] = dump({"resources": names})
    layers = ["base", "stage", "region", "cluster"]
    for below, layer in itertools.pairwise(layers):
        label = {"pairs": {layer: f"{layer}-1"}, "includeSelectors": layer == "stage"}
        label["includeTemplates"] = layer == "region"
        files[f"{layer}/kustomization.yaml"] = dump(
            {"resources": [f"../{below}"], "labels": [label], "nameSuffix": f"-{layer[0]}"}
        )
    return files, "cluster"


@_tree
def flat_folder_of_manifests() -> tuple[Files, str]:
    """Five hundred resources without any change but the namespace."""
    files: Files = {}
    for number in range(250):
        name = f"item-{number}"
        files[f"{name}.yaml"] = documents(deployment(name), config(name, number))
    top = {"resources": sorted(files), "namespace": "flat"}
    return {**files, "kustomization.yaml": dump(top)}, ""


@_tree
def two_thousand_resources() -> tuple[Files, str]:
    """Many files with several documents each, all renamed, labelled and annotated."""
    files: Files = {}
    for number in range(400):
        name = f"unit-{number}"
        files[f"group-{number % 20}/{name}.yaml"] = documents(
            deployment(name), service(name), *rbac(name, "units")
        )
    for group in range(20):
        members = [file.partition("/")[2] for file in files if file.startswith(f"group-{group}/")]
        files[f"group-{group}/kustomization.yaml"] = dump({"resources": sorted(members)})
    top = {
        "resources": [f"group-{number}" for number in range(20)],
        "namespace": "units",
        "namePrefix": "x-",
        "labels": [{"pairs": {"fleet": "one"}}],
        "commonAnnotations": {"owner": "units@example.com"},
    }
    return {**files, "kustomization.yaml": dump(top)}, ""


@_tree
def operator_with_definitions() -> tuple[Files, str]:
    """Return an operator: definitions, cluster roles and custom resources that refer."""
    files: Files = {}
    group = "rbac.authorization.k8s.io"
    kinds = [f"Kind{number}" for number in range(15)]
    definitions, objects, rules = [], [], []
    for kind in kinds:
        plural = f"{kind.lower()}s"
        names = {"kind": kind, "plural": plural}
        definitions.append(
            {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": f"{plural}.example.com"},
                "spec": {"group": "example.com", "names": names, "scope": "Namespaced"},
            }
        )
        rules.append({"apiGroups": ["example.com"], "resources": [plural], "verbs": ["*"]})
        objects += [
            {
                "apiVersion": "example.com/v1",
                "kind": kind,
                "metadata": {"name": f"sample-{number}"},
                "spec": {"configRef": {"name": "operator"}, "image": "worker:1", "size": number},
            }
            for number in range(3)
        ]
    role = {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": "operator"}}
    files["crds.yaml"] = documents(*definitions)
    files["objects.yaml"] = documents(*objects, config("operator"))
    files["operator.yaml"] = documents(
        deployment("operator"), *rbac("operator"), {**role, "rules": rules}
    )
    specs = [{"path": "spec/configRef/name", "kind": kind} for kind in kinds]
    files["references.yaml"] = dump(
        {
            "nameReference": [{"kind": "ConfigMap", "version": "v1", "fieldSpecs": specs}],
            "images": [{"path": "spec/image", "kind": kind} for kind in kinds],
        }
    )
    top = {
        "resources": ["crds.yaml", "operator.yaml", "objects.yaml"],
        "configurations": ["references.yaml"],
        "images": [{"name": "worker", "newTag": "2"}],
        "namePrefix": "acme-",
        "namespace": "operators",
    }
    return {**files, "kustomization.yaml": dump(top)}, ""


@_tree
def patches_for_each_workload() -> tuple[Files, str]:
    """Sixty workloads with a patch file each: containers added, changed and deleted."""
    files: Files = {}
    names = [f"svc-{number}" for number in range(60)]
    patches = []
    for number, name in enumerate(names):
        files[f"base/{name}.yaml"] = documents(deployment(name))
        changes: list[dict[str, Any]] = [
            {"name": "main", "env": [{"name": "LOG_LEVEL", "value": f"debug-{number}"}]}
        ]
        if number % 3 == 0:
            changes.append({"name": "extra", "image": "extra:1"})
        if number % 7 == 0:
            changes = [{"name": "main", "$patch": "delete"}, {"name": "only", "image": "only:1"}]
        files[f"prod/{name}.yaml"] = documents(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": name, "annotations": {"patched": f"{number}"}},
                "spec": {"replicas": None, "template": {"spec": {"containers": changes}}},
            }
        )
        patches.append({"path": f"{name}.yaml"})
    files["base/kustomization.yaml"] = dump({"resources": [f"{name}.yaml" for name in names]})
    top = {"resources": ["../base"], "patches": patches, "sortOptions": {"order": "fifo"}}
    return {**files, "prod/kustomization.yaml": dump(top)}, "prod"


@_tree
def records_of_who_did_what() -> tuple[Files, str]:
    """Origins and transformations of every resource, over two layers and a component."""
    files: Files = {}
    names = [f"app-{number}" for number in range(9)]
    for name in names:
        _app(files, f"base/{name}", name, namePrefix="b-")
    files["base/kustomization.yaml"] = dump({"resources": names, "nameSuffix": "-s"})
    component = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
    files["part/kustomization.yaml"] = dump(
        {**component, "commonAnnotations": {"by": "part"}, "namespace": "records"}
    )
    metadata = ["originAnnotations", "transformerAnnotations", "managedByLabel"]
    top = {"resources": ["../base"], "components": ["../part"], "buildMetadata": metadata}
    return {**files, "top/kustomization.yaml": dump(top)}, "top"


@_tree
def deprecated_spellings() -> tuple[Files, str]:
    """Return a repository of years ago: bases, commonLabels, old patches, variables, image tags."""
    files: Files = {}
    names = [f"old-{number}" for number in range(12)]
    for name in names:
        _app(files, f"base/{name}", name)
    files["base/kustomization.yaml"] = dump({"bases": names, "commonLabels": {"era": "old"}})
    patch = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "old-3"},
        "spec": {"template": {"spec": {"containers": [{"name": "main", "args": ["$(HOST)"]}]}}},
    }
    reference = {"apiVersion": "v1", "kind": "Service", "name": "old-5"}
    target = {"group": "apps", "version": "v1", "kind": "Deployment", "name": "old-4"}
    operations = [{"op": "add", "path": "/spec/paused", "value": True}]
    top = {
        "bases": ["../base"],
        "patchesStrategicMerge": [dump(patch)],
        "patchesJson6902": [{"target": target, "patch": dump(operations)}],
        "vars": [{"name": "HOST", "objref": reference}],
        "imageTags": [{"name": "registry.example.com/shop/old-1", "newTag": "9"}],
        "namePrefix": "p-",
    }
    return {**files, "prod/kustomization.yaml": dump(top)}, "prod"
