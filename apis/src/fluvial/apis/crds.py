"""Writes the CustomResourceDefinitions: `python -m fluvial.apis.crds DIRECTORY [MODULE:KIND …]`.

Without names it writes those of Flux and Flagger; a name is that of a `Kind` of one's own.
"""

import importlib
import pathlib
import sys
from typing import Any

import yaml

from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import ALL, AnyKind, Column, Kind
from fluvial.apis.openapi import resource_schema

__all__ = ["crd", "file_name", "main", "text"]


class _Dumper(yaml.SafeDumper):
    """Writes every value where it stands; the schema repeats some objects."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never write an anchor."""
        del data
        return True


def file_name(kind: AnyKind) -> str:
    """Return `<group>_<plural>.yaml`."""
    return f"{kind.group}_{kind.plural}.yaml"


def crd(kind: AnyKind) -> Unstructured:
    """Return the CustomResourceDefinition of a kind."""
    names: Unstructured = {
        "categories": list(kind.categories),
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": kind.plural,
        "singular": kind.singular,
    }
    if kind.short_names:
        names["shortNames"] = list(kind.short_names)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"annotations": dict(kind.annotations), "name": kind.crd_name},
        "spec": {
            "group": kind.group,
            "names": names,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": [
                {
                    "additionalPrinterColumns": [_column(column) for column in kind.columns],
                    "name": kind.version,
                    "schema": {"openAPIV3Schema": resource_schema(kind.model)},
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                }
            ],
        },
    }


def text(kind: AnyKind) -> str:
    """Return the CustomResourceDefinition of a kind as YAML."""
    body = yaml.dump(crd(kind), Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True)
    return f"# Generated from the model by fluvial.apis.crds.\n---\n{body}"


def main(arguments: list[str]) -> int:
    """Write one file per kind; the exit status is 2 when the arguments are not understood."""
    if not arguments or not all(":" in name for name in arguments[1:]):
        sys.stderr.write("usage: python -m fluvial.apis.crds DIRECTORY [MODULE:KIND ...]\n")
        return 2
    directory = pathlib.Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    for kind in [_named(name) for name in arguments[1:]] or ALL:
        (directory / file_name(kind)).write_text(text(kind), encoding="utf-8")
    return 0


def _named(name: str) -> AnyKind:
    module, _, attribute = name.partition(":")
    found = getattr(importlib.import_module(module), attribute, None)
    if not isinstance(found, Kind):
        raise SystemExit(f"{name}: there is no Kind of that name in the module")
    return found


def _column(column: Column) -> Unstructured:
    entry: Unstructured = {"jsonPath": column.json_path, "name": column.name, "type": column.type}
    if column.priority:
        entry["priority"] = column.priority
    return entry


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
