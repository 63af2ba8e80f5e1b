"""What Flux's helm controller does around a rendering, without a cluster.

    found = [(ref, text_of(ref, read(ref), namespace)) for ref in obj.spec.values_from]
    done = render(chart, compose(found, obj.spec.values), release_of(obj), helm_version=HELM_4_2)
    renderer = post_renderer(labels_of(obj), steps_of(obj))
    done = post_render(done, renderer, strategy=obj.spec.post_render_strategy, …)

`compose` puts values together in upstream's steps, and on request tells a ValueLayers where each
was written. The rest fills in what a HelmRelease leaves open: names, labels, definitions.
"""

from fluvial.render.helm.flux._definitions import definitions_of
from fluvial.render.helm.flux._naming import (
    action_of,
    full_release_name,
    release_name,
    release_namespace,
    release_of,
    shorten,
    storage_namespace,
)
from fluvial.render.helm.flux._place import ReleasePlace
from fluvial.render.helm.flux._postrender import (
    Labels,
    labels_of,
    origin_labels,
    post_renderer,
    steps_of,
)
from fluvial.render.helm.flux._setting import set_path
from fluvial.render.helm.flux._traced import ReleaseOrigins, ReleaseTrace
from fluvial.render.helm.flux._values import Found, compose, text_of

__all__ = [
    "Found",
    "Labels",
    "ReleaseOrigins",
    "ReleasePlace",
    "ReleaseTrace",
    "action_of",
    "compose",
    "definitions_of",
    "full_release_name",
    "labels_of",
    "origin_labels",
    "post_renderer",
    "release_name",
    "release_namespace",
    "release_of",
    "set_path",
    "shorten",
    "steps_of",
    "storage_namespace",
    "text_of",
]
