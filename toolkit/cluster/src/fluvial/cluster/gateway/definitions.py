"""The reduced definitions of GatewayClass, Gateway and HTTPRoute."""

from __future__ import annotations

from pathlib import Path

from fluvial.cluster.objects import Object
from fluvial.render import yaml

__all__ = ["definitions", "definitions_yaml"]

_FILE = Path(__file__).with_name("definitions.yaml")


def definitions() -> list[Object]:
    """Return the three CustomResourceDefinitions, ready to be created or applied."""
    loaded: list[Object] = yaml.load_all(_FILE.read_bytes(), dialect=yaml.Dialect.SIGS)
    return loaded


def definitions_yaml() -> str:
    """Return them as one YAML stream, without anchors."""
    return yaml.dump_all(definitions())
