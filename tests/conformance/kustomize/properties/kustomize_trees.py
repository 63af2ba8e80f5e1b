"""Random trees of bases, overlays and components, as a hypothesis strategy."""

import random
from typing import Any

import hypothesis.strategies as st
from kustomize_fields import (
    Known,
    configuration,
    generator,
    image,
    label,
    merge_patch,
    operations,
    patch,
    replacement,
    transformer,
    variable,
)
from kustomize_manifests import (
    NAMES,
    NAMESPACES,
    VERSIONS,
    WORKLOADS,
    manifest,
    some,
    texts,
    written,
)

from fluvial.render.yaml import dump

KINDS = [*VERSIONS, *WORKLOADS, "ConfigMap", "ConfigMap", "Deployment", "Secret", "Service"]


class _Layer:
    """One folder that is being made up."""

    def __init__(self, rng: random.Random, files: dict[str, str], at: str, depth: int) -> None:
        self.rng = rng
        self.files = files
        self.at = at
        self.depth = depth
        self.known: Known = []
        self.made: dict[str, str] = {}
        self.fields: dict[str, Any] = {}

    def chance(self, probability: float) -> bool:
        return some(self.rng, probability)

    def manifests(self, most: int) -> None:
        """Add resource files."""
        names = []
        for number in range(self.rng.randrange(1, most)):
            texts_of_file = []
            for _ in range(self.rng.randrange(1, 4)):
                one = (
                    self.rng.choice(KINDS),
                    self.rng.choice(NAMES),
                    self.rng.choice(NAMESPACES),
                )
                if one[:2] in {known[:2] for known in self.known} and self.chance(0.97):
                    continue
                self.known.append(one)
                texts_of_file.append(written(self.rng, manifest(self.rng, *one)))
            if texts_of_file:
                name = f"file-{number}.yaml"
                self.files[f"{self.at}{name}"] = "---\n".join(texts_of_file)
                names.append(name)
        self.fields["resources"] = [*self.fields.get("resources", []), *names]

    def children(self) -> None:
        """Add bases and components below."""
        rng = self.rng
        for number in range(rng.randrange(1, 3) if self.depth else 0):
            name = f"base{number}"
            child = _Layer(rng, self.files, f"{self.at}{name}/", self.depth - 1)
            child.fill(top=False)
            self.fields.setdefault("resources", []).append(name)
            self.known += child.known
            self.made |= child.made
        if self.depth and self.chance(0.3):
            part = _Layer(rng, self.files, f"{self.at}part/", 0)
            part.known = self.known
            part.made = self.made
            part.fill(top=False, component=True)
            self.fields["components"] = ["part"]

    def fill(self, *, top: bool, component: bool = False) -> None:
        """Write the folder's files."""
        self.children()
        if not self.depth or self.chance(0.5):
            self.manifests(2 if component else 4)
        self.names()
        self.metadata()
        self.patches()
        self.generators()
        self.workloads()
        self.seldom()
        if component:
            self.fields |= {
                "apiVersion": "kustomize.config.k8s.io/v1alpha1",
                "kind": "Component",
            }
        if top:
            self.output()
        self.files[f"{self.at}kustomization.yaml"] = dump(self.fields)

    def names(self) -> None:
        rng = self.rng
        if self.chance(0.25):
            self.fields["namespace"] = rng.choice(["one", "prod", "default"])
        if self.chance(0.3):
            self.fields["namePrefix"] = rng.choice(["pre-", "x"])
        if self.chance(0.2):
            self.fields["nameSuffix"] = "-suf"

    def metadata(self) -> None:
        rng = self.rng
        if self.chance(0.25):
            self.fields["labels"] = [label(rng) for _ in range(rng.randrange(1, 3))]
        if self.chance(0.15):
            self.fields["commonLabels"] = texts(rng)
        if self.chance(0.2):
            self.fields["commonAnnotations"] = texts(rng)

    def patches(self) -> None:
        rng = self.rng
        if self.chance(0.4):
            self.fields["patches"] = [
                patch(rng, self.known, self.files, self.at) for _ in range(rng.randrange(1, 3))
            ]
        if self.chance(0.08):
            self.fields["patchesStrategicMerge"] = [dump(merge_patch(rng, self.known))]
        if self.chance(0.06) and self.known:
            kind, name, _ = rng.choice(self.known)
            group, _, version = VERSIONS[kind].rpartition("/")
            target = {"group": group, "version": version, "kind": kind, "name": name}
            self.fields["patchesJson6902"] = [
                {"target": target, "patch": dump(operations(rng, kind))}
            ]

    def generators(self) -> None:
        rng = self.rng
        for field in ("configMapGenerator", "secretGenerator"):
            if self.chance(0.25):
                taken = self.made.get(field)
                self.fields[field] = [generator(rng, self.files, self.at, taken)]
                self.made[field] = self.fields[field][0]["name"]
        if self.chance(0.15):
            self.fields["generatorOptions"] = {
                rng.choice(["disableNameSuffixHash", "immutable"]): True,
                rng.choice(["labels", "annotations"]): texts(rng),
            }

    def workloads(self) -> None:
        rng = self.rng
        if self.chance(0.25):
            self.fields["images"] = [image(rng) for _ in range(rng.randrange(1, 3))]
        scaled = [name for kind, name, _ in self.known if kind in {"Deployment", "StatefulSet"}]
        if self.chance(0.15) and scaled:
            self.fields["replicas"] = [{"name": rng.choice(scaled), "count": rng.randrange(9)}]
        if self.chance(0.25):
            self.fields["replacements"] = [
                replacement(rng, self.known) for _ in range(rng.randrange(1, 3))
            ]

    def seldom(self) -> None:
        rng = self.rng
        if self.chance(0.1):
            self.fields["vars"] = [variable(rng, self.known)]
        if self.chance(0.12):
            self.files[f"{self.at}config.yaml"] = dump(configuration(rng))
            self.fields["configurations"] = ["config.yaml"]
        if self.chance(0.12):
            self.fields["transformers"] = [dump(transformer(rng))]
        if self.chance(0.06):
            body = {"apiVersion": "builtin", "kind": "ConfigMapGenerator", "literals": ["g=1"]}
            self.fields["generators"] = [dump({**body, "metadata": {"name": "from-plugin"}})]
        if self.chance(0.04):
            self.fields["openapi"] = {"version": "v1.21.2"}
        if self.chance(0.04):
            self.fields["bases"] = self.fields.pop("resources", [])

    def output(self) -> None:
        rng = self.rng
        if self.chance(0.25):
            self.fields["buildMetadata"] = rng.sample(
                ["originAnnotations", "transformerAnnotations", "managedByLabel"], 2
            )
        if self.chance(0.25):
            options: dict[str, Any] = {"order": rng.choice(["fifo", "legacy"])}
            if options["order"] == "legacy" and self.chance(0.4):
                first, last = rng.sample(KINDS[:20], 3), ["Namespace"]
                options["legacySortOptions"] = {"orderFirst": first, "orderLast": last}
            self.fields["sortOptions"] = options


def make(rng: random.Random, depth: int) -> dict[str, str]:
    """Return the files of a random tree by path; the top is the root."""
    files: dict[str, str] = {}
    _Layer(rng, files, "", depth).fill(top=True)
    return files


trees = st.builds(make, st.randoms(use_true_random=False), st.integers(0, 2))
"""Trees of at most three layers."""
