"""`fluvial build helmrelease FILE…`: the objects that a HelmRelease applies, without a cluster."""

from fluvial.cli.build.helmrelease.command import add

__all__ = ["add"]
