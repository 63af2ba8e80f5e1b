"""ExternalArtifact: an artifact that someone else makes and stores."""

# ruff: noqa: RUF012 -- msgspec gives every instance its own copy of an empty default

import msgspec

from fluvial.apis.meta import (
    Artifact,
    Condition,
    NamespacedObjectKindReference,
    Resource,
)
from fluvial.apis.schema import Model, always
from fluvial.apis.source.shared import API_VERSION

__all__ = ["ExternalArtifact", "ExternalArtifactSpec", "ExternalArtifactStatus"]


class ExternalArtifactSpec(Model, kw_only=True):
    """Who makes the artifact."""

    source_ref: NamespacedObjectKindReference | None = None
    """The object on whose behalf the artifact is made."""


class ExternalArtifactStatus(Model, kw_only=True):
    """What its maker reports."""

    artifact: Artifact | None = None
    """The last artifact that was stored."""
    conditions: list[Condition] = []
    """The aspects of the object's state, Ready among them."""


class ExternalArtifact(Resource, kw_only=True):
    """An artifact of a third party, who writes its status."""

    api_version: str = always(API_VERSION)
    kind: str = always("ExternalArtifact")
    spec: ExternalArtifactSpec = msgspec.field(default_factory=ExternalArtifactSpec)
    """Who makes it."""
    status: ExternalArtifactStatus = msgspec.field(default_factory=ExternalArtifactStatus)
    """What was made."""
