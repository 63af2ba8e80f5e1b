"""`fluvial cluster up|down|kubeconfig`: the embedded control plane, in the background."""

import argparse
import sys
from typing import TYPE_CHECKING

from fluvial.cli.cluster.process import ClusterFailed, LocalCluster

if TYPE_CHECKING:
    from collections.abc import Callable

    from fluvial.cli.commands import Commands

__all__ = ["add"]


def add(commands: "Commands") -> None:
    """Add the command."""
    text = "A Kubernetes API on this machine, to try things out; not for production."
    parser = commands.add_parser("cluster", help=text, description=text)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, run, text in (
        ("up", _up, "Start it, or go on with it where it was; print how to reach it."),
        ("down", _down, "Stop it; with --delete also forget everything in it."),
        ("kubeconfig", _kubeconfig, "Print the path of its kubeconfig."),
    ):
        command = verbs.add_parser(verb, help=text, description=text)
        command.add_argument("--name", default="default", help="which one (default: %(default)s)")
        command.set_defaults(run=run)
        if verb == "up":
            command.add_argument(
                "--gateway", action="store_true", help="serve Gateways with a real Envoy"
            )
            command.add_argument(
                "--no-crds",
                action="store_true",
                help="do not install the definitions of the Flux and Flagger kinds",
            )
        if verb == "down":
            command.add_argument("--delete", action="store_true", help="remove its data as well")


def _up(parsed: argparse.Namespace) -> int:
    def start(cluster: LocalCluster) -> str:
        started = cluster.up(gateway=parsed.gateway, definitions=not parsed.no_crds)
        state = "serves" if started else "serves already"
        return (
            f"{cluster.name} {state} at {cluster.url}\n"
            f"export KUBECONFIG={cluster.kubeconfig}\n"
            f"kubectl get namespaces\n"
        )

    return _run(parsed, "up", start)


def _down(parsed: argparse.Namespace) -> int:
    def stop(cluster: LocalCluster) -> str:
        stopped = cluster.down(delete=parsed.delete)
        state = "has stopped" if stopped else "did not run"
        return f"{cluster.name} {state}\n"

    return _run(parsed, "down", stop)


def _kubeconfig(parsed: argparse.Namespace) -> int:
    def show(cluster: LocalCluster) -> str:
        if not cluster.running:
            raise ClusterFailed(f"{cluster.name} does not run: fluvial cluster up")
        return f"{cluster.kubeconfig}\n"

    return _run(parsed, "kubeconfig", show)


def _run(parsed: argparse.Namespace, verb: str, act: "Callable[[LocalCluster], str]") -> int:
    try:
        sys.stdout.write(act(LocalCluster(parsed.name)))
    except ClusterFailed as error:
        sys.stderr.write(f"fluvial cluster {verb}: {error}\n")
        return 1
    return 0
