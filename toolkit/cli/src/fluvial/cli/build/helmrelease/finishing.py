"""What becomes of a rendered release on its way out: definitions are added, secrets are masked."""

import dataclasses
import sys

import msgspec

from fluvial.apis.helm import HelmRelease
from fluvial.cli.build.finishing import add_entries, mask
from fluvial.cli.build.helmrelease.errors import ReleaseRefused
from fluvial.render.helm import File, RenderedChart
from fluvial.render.helm.flux import definitions_of, origin_labels
from fluvial.render.yaml import dump, dump_all, load

__all__ = ["finished"]


def finished(done: RenderedChart, obj: HelmRelease, *, definitions: bool) -> RenderedChart:
    """Return what is to be printed: with the files of `crds/` as they are applied, or without.

    What is no definition there is passed over, as the controller does, and told on standard error.
    In Secrets, what is encrypted is masked, as `fluvial build kustomization` does. Raises
    ReleaseRefused, YamlError and MaskingError.
    """
    return dataclasses.replace(
        done,
        crds=[_labelled(file, obj) for file in done.crds] if definitions else [],
        manifests=[
            msgspec.structs.replace(one, text=_masked(one.kind, one.text)) for one in done.manifests
        ],
        hooks=[
            msgspec.structs.replace(one, text=_masked(one.kind, one.text)) for one in done.hooks
        ],
    )


def _labelled(file: File, obj: HelmRelease) -> File:
    try:
        found, skipped = definitions_of([file])
    except UnicodeDecodeError:
        raise ReleaseRefused(f"{file.name} of the chart is no UTF-8") from None
    for name in skipped:
        sys.stderr.write(f'level=WARN msg="not a CustomResourceDefinition, skipped" file={name}\n')
    for definition in found:
        if not isinstance(definition.get("metadata"), dict):
            raise ReleaseRefused(f"{file.name} of the chart: a definition without metadata")
        add_entries(definition, "labels", origin_labels(obj))
    return File(file.name, dump_all(found).encode())


def _masked(kind: str, text: str) -> str:
    if kind != "Secret":
        return text
    before, after = load(text), load(text)
    mask(after)
    return text if before == after else dump(after)
