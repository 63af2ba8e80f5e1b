"""Whatever stands in a file: a build succeeds or fails with an error of ours."""

import contextlib
import json

import hypothesis.strategies as st
import pytest
from hypothesis import given

from fluvial.render.kustomize import KustomizeError, MemoryTree, SubstitutionError, build
from fluvial.render.kustomize._substitute import substitute
from fluvial.render.yaml import Dialect, YamlError, load_all

PIECES = st.sampled_from(
    ["a", "b: ", "- ", "\n", "  ", "? ", "{", "}", "[", "]", ",", "&x ", "*x", "<<: ", "|\n",
     ">-\n",
     "'", '"', "\\", "#", "---\n", "...\n", "!!int ", "!!binary ", "%YAML 1.1\n", "\t", "\ufeff",
     "1e3", "null", "$patch: delete", "apiVersion: v1\n", "kind: ConfigMap\n",
     "metadata: {name: a}\n", "patches:\n", "resources: [r.yaml]\n", "images:\n", "op: add\n",
     "path: /a/0\n", "value: 1\n", "labels:\n", "replacements:\n", "configMapGenerator:\n"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=24).map("".join))
RESOURCE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n"


@pytest.mark.fuzz
@given(TEXTS, st.sampled_from(Dialect))
def test_yaml(text: str, dialect: Dialect) -> None:
    with contextlib.suppress(YamlError):
        load_all(text, dialect=dialect)


@pytest.mark.fuzz
@given(TEXTS, TEXTS)
def test_kustomization_and_resource(text: str, resource: str) -> None:
    with contextlib.suppress(KustomizeError):
        build(MemoryTree({"kustomization.yaml": text, "r.yaml": resource}))


@pytest.mark.fuzz
@given(TEXTS)
def test_patch(text: str) -> None:
    top = "resources: [r.yaml]\npatches: [{path: p.yaml, target: {kind: ConfigMap}}]\n"
    with contextlib.suppress(KustomizeError):
        build(MemoryTree({"kustomization.yaml": top, "r.yaml": RESOURCE, "p.yaml": text}))


@pytest.mark.fuzz
@given(TEXTS, st.sampled_from(["a", "a.b", "a.0", "[a=b].c", "*.a"]), st.booleans())
def test_replacement_in_a_string(text: str, path: str, create: bool) -> None:
    top = {
        "resources": ["r.json"],
        "replacements": [
            {
                "sourceValue": text,
                "targets": [
                    {
                        "select": {"kind": "ConfigMap"},
                        "fieldPaths": [f"data.doc.{path}"],
                        "options": {"create": create},
                    }
                ],
            }
        ],
    }
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    files = {"kustomization.yaml": top, "r.json": {**config, "data": {"doc": text}}}
    with contextlib.suppress(KustomizeError):
        build(MemoryTree({name: json.dumps(value) for name, value in files.items()}))


@pytest.mark.fuzz
@given(st.text(alphabet="${}:-=+?#%/^,abAB_01\\*[]! \n", max_size=60))
def test_substitution(text: str) -> None:
    with contextlib.suppress(SubstitutionError):
        substitute(text, {"a": "value/of.a", "b": ""})
