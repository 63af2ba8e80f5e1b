"""`fluvial build helm NAME CHART` prints what `helm template NAME CHART` does."""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fluvial.cli.build.capabilities import capabilities_of
from fluvial.cli.build.charts import FLAGS as CHART_FLAGS
from fluvial.cli.build.charts import ChartSettings, ChartUnavailable
from fluvial.cli.build.charts.loading import load, tell_deprecated, with_dependencies
from fluvial.cli.build.flags import Flag, FlagError, read_flags
from fluvial.cli.build.helm_output import print_files, print_text
from fluvial.cli.build.helm_provenance import check_form, print_provenance, template_origins
from fluvial.cli.build.helm_values import ValuesRefused, compose_values
from fluvial.cli.build.kustomize import repository
from fluvial.cli.build.template_cache import keep_templates
from fluvial.render.helm import (
    ChartError,
    HelmError,
    HelmVersion,
    ManifestError,
    Notice,
    Release,
    RenderedChart,
    RenderError,
    ValueLayers,
    check_installable,
    check_release_name,
    helm_version,
    kustomize_folder,
    post_render,
    release_name,
    render,
)
from fluvial.render.kustomize import DiskTree

if TYPE_CHECKING:
    from fluvial.cli.commands import Commands

__all__ = ["add"]

_FLAGS: Final = {
    **{name: Flag("bool") for name in (
        "include-crds", "is-upgrade", "no-hooks", "no-template-cache", "release-name", "skip-crds",
        "skip-schema-validation", "skip-tests",
    )},
    "generate-name": Flag("bool", "g"),
    "help": Flag("bool", "h"),
    "api-versions": Flag("words", "a"),
    "dry-run": Flag(bare="unset"),
    "helm-version": Flag(),
    "kube-version": Flag(),
    "name-template": Flag(),
    "namespace": Flag(short="n"),
    "output-dir": Flag(),
    "post-renderer-kustomize": Flag(),
    "provenance": Flag(bare="text"),
    **{name: Flag("texts") for name in (
        "set", "set-file", "set-json", "set-literal", "set-string",
    )},
    "show-only": Flag("texts", "s"),
    "values": Flag("words", "f"),
    **CHART_FLAGS,
}  # fmt: skip
_WITHOUT_EFFECT: Final = {
    **{name: Flag("bool") for name in (
        "create-namespace", "debug", "disable-openapi-validation", "force-conflicts",
        "force-replace", "kube-insecure-skip-tls-verify", "replace", "rollback-on-failure",
        "server-side", "take-ownership", "wait-for-jobs",
    )},
    **{name: Flag() for name in (
        "burst-limit", "color", "colour", "description", "kube-apiserver", "kube-as-user",
        "kube-ca-file", "kube-context", "kube-tls-server-name", "kube-token", "kubeconfig", "qps",
        "timeout",
    )},
    "kube-as-group": Flag("texts"),
    "labels": Flag("words", "l"),
    "wait": Flag(bare="watcher"),
}  # fmt: skip
_RENDER_AFTER: Final = (
    "no program is started; name a folder with --post-renderer-kustomize, or pipe the output into "
    "the post-renderer yourself"
)
_REFUSED: Final = {
    "enable-dns": (Flag("bool"), "templates never reach the network"),
    "post-renderer": (Flag(), _RENDER_AFTER),
    "post-renderer-args": (Flag("texts"), _RENDER_AFTER),
    "validate": (Flag("bool"), "no cluster is asked"),
}
_ALL_FLAGS: Final = _FLAGS | _WITHOUT_EFFECT | {name: flag for name, (flag, _) in _REFUSED.items()}
_USAGE: Final = "Usage:  helm template [NAME] [CHART] [flags]"


def add(engines: "Commands") -> None:
    """Add the command."""
    text = "Print the manifests of a chart, as `helm template` does with the same flags."
    parser = engines.add_parser("helm", help=text, description=text, verbatim=True)
    parser.set_defaults(run=_helm)


class _Refused(Exception):  # noqa: N818  (what the command does)
    """The command ends with this message, laid out as Helm's are."""


def _helm(parsed: argparse.Namespace) -> int:
    try:
        names, given = read_flags(parsed.arguments, _ALL_FLAGS)
        if given.get("help"):
            sys.stdout.write(_help())
            return 0
        _template(names, given)
    except (ChartUnavailable, FlagError, ValuesRefused, _Refused, HelmError) as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


def _tell(notice: Notice) -> None:
    sys.stderr.write(f"{notice}\n")


def _help() -> str:
    lines = []
    for name, flag in sorted(_FLAGS.items()):
        short = f"-{flag.short}, " if flag.short else "    "
        lines.append(f"  {short}--{name}{'' if flag.kind == 'bool' else ' ' + flag.kind}\n")
    return (
        "Print the manifests of a chart, as `helm template` does.\n\n"
        f"{_USAGE.replace('helm template', 'fluvial build helm')}\n\nFlags:\n{''.join(lines)}\n"
        "What only matters to a cluster is accepted and has no effect. --helm-version takes 3.21, "
        "4.2 or\n4.3, the default: the release of Helm that would print this. --provenance prints "
        "where each field\ncomes from instead, =json for programs. --no-template-cache parses all "
        "templates anew.\n--dependency-build fills charts/ with what the lock file names.\n"
    )


def _template(names: list[str], given: Mapping[str, Any]) -> None:
    """Load, render and print. Raises what `_helm` reports."""
    if not names:
        raise _Refused(f'"helm template" requires at least 1 argument\n\n{_USAGE}')
    for flag, (_, way_out) in _REFUSED.items():
        if given.get(flag):
            raise _Refused(f"--{flag} is not supported: {way_out}")
    rules = _rules(given)
    capabilities = capabilities_of(given, rules)
    _check_dry_run(given.get("dry-run", "client"))
    name, place = _name_and_chart(names, given)
    settings = ChartSettings.of(given)
    _check_provenance(given)
    loaded = load(place, settings, rules)
    layers = ValueLayers() if given.get("provenance") else None
    values = compose_values(given, rules, layers)
    keep_templates(off=given.get("no-template-cache", False))
    chart = loaded.chart
    tell_deprecated(chart)
    chart = with_dependencies(
        loaded,
        settings,
        rules,
        update=given.get("dependency-update", False),
        build=given.get("dependency-build", False),
    )
    check_installable(chart)
    check_release_name(name, _tell)
    release = Release(
        name=name,
        namespace=given.get("namespace") or os.environ.get("HELM_NAMESPACE") or "default",
        is_upgrade=given.get("is-upgrade", False),
        is_install=not given.get("is-upgrade", False),
    )
    skip_schema = given.get("skip-schema-validation", False)
    try:
        done = render(
            chart,
            values,
            release,
            capabilities,
            helm_version=rules,
            skip_schema=skip_schema,
            provenance=layers is not None,
            tell=_tell,
        )
        done = _post_rendered(done, given, rules)
    except (RenderError, ManifestError) as error:
        raise _Refused(_with_hint(error, given)) from None
    except ChartError as error:
        # Only the check of the cluster's version has a release to show.
        too_new = str(error).startswith("chart requires kubeVersion")
        raise _Refused(_with_hint(error, given) if too_new else str(error)) from None
    if given.get("output-dir"):
        print_files(done, given, name)
    if layers is not None:
        shown = print_provenance(done, given, template_origins(done, layers))
    else:
        shown = print_text(done, given, rules)
    if shown is None:
        return
    raise _Refused(f"could not find template {shown} in chart")


def _post_rendered(
    done: RenderedChart, given: Mapping[str, Any], rules: HelmVersion
) -> RenderedChart:
    """Send what was rendered through the folder's kustomization, if one is named."""
    folder = given.get("post-renderer-kustomize")
    if not folder:
        return done
    if given.get("output-dir") and not rules.hooks_post_rendered:
        return done  # Helm 3 writes its files before a post-renderer runs
    place = Path(folder).resolve()
    if not place.is_dir():
        raise _Refused(f"--post-renderer-kustomize: {folder} is not a folder")
    root = repository(place)
    renderer = kustomize_folder(DiskTree(root), place.relative_to(root).as_posix())
    return post_render(done, renderer, helm_version=rules)


def _with_hint(error: HelmError, given: Mapping[str, Any]) -> str:
    hint = "" if given.get("debug") else "\n\nUse --debug flag to render out invalid YAML"
    return f"{error}{hint}"


def _rules(given: Mapping[str, Any]) -> HelmVersion:
    """Return the release of Helm that is asked for, or the newest that is known."""
    try:
        return helm_version(given.get("helm-version") or "4")
    except ChartError as error:
        raise _Refused(f"--helm-version: {error}") from None


def _check_provenance(given: Mapping[str, Any]) -> None:
    if given.get("provenance") is None:
        return
    check_form(given["provenance"])
    for flag in ("include-crds", "output-dir", "post-renderer-kustomize"):
        if given.get(flag):
            raise _Refused(
                f"--{flag} does not go with --provenance, which tells of what templates print: "
                "leave one of them out"
            )


def _check_dry_run(wanted: str) -> None:
    if wanted == "server":
        raise _Refused("--dry-run=server is not supported: no cluster is asked")
    if wanted not in {"client", "none", "unset", "true", "false"}:
        raise _Refused(f'invalid dry-run value ("{wanted}"). Must be "none", "server", or "client"')


def _name_and_chart(names: list[str], given: Mapping[str, Any]) -> tuple[str, str]:
    if len(names) > 2:
        unexpected = ", ".join(names[2:])
        raise _Refused(f"expected at most two arguments, unexpected arguments: {unexpected}")
    template = given.get("name-template", "")
    if len(names) == 2:
        for flag in ("generate-name", "name-template"):
            if given.get(flag):
                raise _Refused(f"cannot set --{flag} and also specify a name")
        return names[0], names[1]
    return (release_name(template) if template else "release-name"), names[0]
