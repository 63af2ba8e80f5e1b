"""`fluvial build helmrelease FILE…` prints what the helm controller would apply.

Nothing is read from a cluster: the HelmRelease, the ConfigMaps and Secrets of its `valuesFrom` and
the sources of its chart come out of files, folders or standard input.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fluvial.apis.helm import HelmRelease, Upgrade
from fluvial.cli.build.capabilities import capabilities_of
from fluvial.cli.build.charts import FLAGS as CHART_FLAGS
from fluvial.cli.build.charts import ChartUnavailable
from fluvial.cli.build.charts.loading import load, tell_deprecated, with_dependencies
from fluvial.cli.build.finishing import MaskingError
from fluvial.cli.build.flags import Flag, FlagError, read_flags
from fluvial.cli.build.helm_output import print_text
from fluvial.cli.build.helm_provenance import all_layers, check_form, print_provenance
from fluvial.cli.build.helmrelease.errors import ReleaseRefused
from fluvial.cli.build.helmrelease.finishing import finished
from fluvial.cli.build.helmrelease.manifests import Manifests
from fluvial.cli.build.helmrelease.releases import choose, find_values
from fluvial.cli.build.helmrelease.sources import locate
from fluvial.cli.build.helmrelease.values_files import replace_values
from fluvial.cli.build.template_cache import keep_templates
from fluvial.render.helm import (
    HELM_4_2,
    Chart,
    HelmError,
    RenderedChart,
    ValueLayers,
    check_installable,
    check_release_name,
    post_render,
    render,
)
from fluvial.render.helm.flux import (
    ReleasePlace,
    ReleaseTrace,
    action_of,
    compose,
    labels_of,
    post_renderer,
    release_of,
    steps_of,
)
from fluvial.render.yaml import YamlError

__all__ = ["run"]

_FLAGS: Final[dict[str, tuple[Flag, str]]] = {
    "name": (Flag(), "the HelmRelease to build, where there are several"),
    "namespace": (Flag(short="n"), "its namespace; also of one that says none (else: default)"),
    "chart": (Flag(), "the chart, as `fluvial build helm` takes it, in place of its source"),
    "source": (Flag(), "the folder that a GitRepository or Bucket holds"),
    "is-upgrade": (Flag("bool"), "render an upgrade (the second revision), not an install"),
    "skip-crds": (Flag("bool"), "leave out what is in crds/"),
    "no-hooks": (Flag("bool"), "leave out hooks, tests too"),
    "skip-tests": (Flag("bool"), "leave out tests"),
    "show-only": (Flag("texts", "s"), "only what this template prints; may be repeated"),
    "kube-version": (Flag(), "the cluster's version, as templates see it"),
    "api-versions": (Flag("words", "a"), "more API versions for templates to see"),
    "provenance": (Flag(bare="text"), "where each field comes from instead; =json for programs"),
    "no-template-cache": (Flag("bool"), "parse all templates anew"),
    "help": (Flag("bool", "h"), "print this"),
}
_ALL_FLAGS: Final = CHART_FLAGS | {name: flag for name, (flag, _) in _FLAGS.items()}
_USAGE: Final = "Usage:  fluvial build helmrelease FILE… [flags]"
_COMMAND: Final = "fluvial build helmrelease"


def run(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status: 0 done, 1 failed, 2 not understood."""
    try:
        files, given = read_flags(arguments, _ALL_FLAGS)
        if given.get("help"):
            sys.stdout.write(_help())
            return 0
        _build(files, given)
    except FlagError as error:
        sys.stderr.write(f"{_COMMAND}: {error}\n")
        return 2
    except (ChartUnavailable, ReleaseRefused, MaskingError, HelmError) as error:
        sys.stderr.write(f"{_COMMAND}: {error}\n")
        return 1
    except YamlError as error:
        # Every line but the first is a quote, perhaps of a Secret.
        problem = str(error).partition("\n")[0]
        sys.stderr.write(f"{_COMMAND}: {problem}\n")
        return 1
    return 0


def _help() -> str:
    lines = []
    for name, (flag, text) in _FLAGS.items():
        short = f"-{flag.short}, " if flag.short else "    "
        taken = "" if flag.kind == "bool" else "[=text|json]" if flag.bare else f" {name.upper()}"
        lines.append(f"  {short}--{name + taken:<28} {text}\n")
    charts = ", ".join(f"--{name}" for name in sorted(CHART_FLAGS))
    return (
        "Print the objects that a HelmRelease applies, without a cluster.\n\n"
        f"{_USAGE}\n\nFILE is a file or a folder with HelmReleases, their ConfigMaps and Secrets, "
        "and the sources of\ntheir charts; - is standard input.\n\nFlags:\n"
        f"{''.join(lines)}\nWhere charts come from, as of `fluvial build helm`:\n{charts}\n"
    )


def _build(files: list[str], given: Mapping[str, Any]) -> None:
    """Read, compose, render and print. Raises what `run` reports."""
    if not files:
        raise FlagError(f"name the file of a HelmRelease, or - for standard input\n\n{_USAGE}")
    if given.get("provenance") is not None:
        check_form(given["provenance"])
    capabilities = capabilities_of(given, HELM_4_2)
    manifests = Manifests.read(files)
    manifest, obj = choose(manifests, given.get("name", ""), given.get("namespace", ""))
    upgrade = given.get("is-upgrade", False)
    action = action_of(obj, upgrade=upgrade)
    if isinstance(action, Upgrade) and action.preserve_values:
        raise ReleaseRefused(
            "spec.upgrade.preserveValues: an upgrade starts from the values of the release before, "
            "which are in the cluster: leave --is-upgrade out"
        )
    layers = ValueLayers() if given.get("provenance") else None
    found = find_values(manifests, obj)
    chart = _chart(manifests, obj, given, layers)
    place = ReleasePlace(manifest.file, manifest.document, manifest.inside)
    values = compose(found, obj.spec.values, layers, namespace=obj.metadata.namespace, place=place)
    keep_templates(off=given.get("no-template-cache", False))
    release = release_of(obj, 2 if upgrade else 1, upgrade=upgrade)
    check_release_name(release.name)
    done = render(
        chart,
        values,
        release,
        capabilities,
        helm_version=HELM_4_2,
        skip_schema=action.disable_schema_validation,
        provenance=layers is not None,
    )
    if layers is not None:
        missed = _explain(done, ReleaseTrace(obj, place), layers, given)
    else:
        missed = _print(done, obj, given, definitions=action.crds != "Skip")
    if missed is not None:
        raise ReleaseRefused(f"could not find template {missed} in chart")


def _explain(
    done: RenderedChart, trace: ReleaseTrace, layers: ValueLayers, given: Mapping[str, Any]
) -> str | None:
    """Print the origin of every field; return the first `--show-only` that nothing matches."""
    strategy = trace.obj.spec.post_render_strategy
    final = post_render(done, trace.renderer(), strategy=strategy, helm_version=HELM_4_2)
    return print_provenance(final, given, trace.explain(done, all_layers(done, layers)).of)


def _print(
    done: RenderedChart, obj: HelmRelease, given: Mapping[str, Any], *, definitions: bool
) -> str | None:
    """Print the objects; return the first `--show-only` that nothing matches."""
    renderer = post_renderer(labels_of(obj), steps_of(obj))
    strategy = obj.spec.post_render_strategy
    final = post_render(done, renderer, strategy=strategy, helm_version=HELM_4_2)
    wanted = definitions and not given.get("skip-crds", False)
    final = finished(final, obj, definitions=wanted)
    return print_text(final, {**given, "include-crds": True}, HELM_4_2)


def _chart(
    manifests: Manifests, obj: HelmRelease, given: Mapping[str, Any], layers: ValueLayers | None
) -> Chart:
    """Load the chart with all that it needs. Raises ReleaseRefused, ChartUnavailable, HelmError."""
    place = locate(manifests, obj, given)
    loaded = load(place.place, place.settings, HELM_4_2)
    tell_deprecated(loaded.chart)
    chart = with_dependencies(
        loaded,
        place.settings,
        HELM_4_2,
        update=given.get("dependency-update", False),
        build=given.get("dependency-build", False),
    )
    check_installable(chart)
    replace_values(chart, place, HELM_4_2, layers)
    return chart
