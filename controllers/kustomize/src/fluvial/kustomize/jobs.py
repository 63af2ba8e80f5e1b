"""What runs in a worker process: building. Imports nothing of the network."""

from typing import Final

import msgspec

from fluvial.apis.kustomize import Kustomization
from fluvial.render.kustomize import DiskTree, KustomizeError
from fluvial.render.kustomize.flux import PostBuild, build_kustomization, digest_of, layers_of
from fluvial.render.objects import Rendered

__all__ = ["BUILD_JOB", "BuildError", "BuildReply", "BuildRequest", "build"]

BUILD_JOB: Final = "fluvial.kustomize.jobs:build"


class BuildError(Exception):
    """A build that cannot be done: the message has file and line, and never quotes one.

    What stands in a file may be the value of a Secret, and messages end up in a status.
    """


class BuildRequest(msgspec.Struct, kw_only=True):
    """Build `obj` from the tree at `root`.

    `path` is `spec.path` within the tree. `variables` None means that nothing is substituted;
    `strict` refuses variables that are not set.
    """

    root: str
    path: str
    obj: Kustomization
    variables: dict[str, str] | None
    strict: bool


class BuildReply(msgspec.Struct, kw_only=True):
    """The objects in the order of the build, and `sha256:<hex>` of all of them as YAML."""

    objects: list[Rendered]
    digest: str


def build(request: BuildRequest) -> BuildReply:
    """Build. Raises BuildError."""
    post_build = None
    if request.variables is not None:
        # Whether to substitute without any variable was decided when they were read.
        post_build = PostBuild(variables=request.variables, always=True, strict=request.strict)
    try:
        objects = build_kustomization(
            DiskTree(request.root), request.path, layers_of(request.obj.spec), post_build=post_build
        )
    except KustomizeError as error:
        # Every line but the first is a quote.
        raise BuildError(f"kustomize build failed: {str(error).partition(chr(10))[0]}") from error
    return BuildReply(objects=objects, digest=digest_of(objects))
