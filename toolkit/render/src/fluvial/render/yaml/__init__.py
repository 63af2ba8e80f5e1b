"""YAML as Kubernetes, Helm and kustomize read and write it.

Two dialects are in use, often on the same file, so the dialect is always an explicit parameter:

- `Dialect.SIGS` is Go's sigs.k8s.io/yaml: `y n yes no on off` are booleans (also as keys), the
  last of two equal keys wins, keys become strings, `.inf` and `.nan` are errors, dates are strings.
- `Dialect.KYAML` is how kustomize reads resources: only `true` and `false` are booleans, equal
  keys are an error, dates become timestamps.

Errors: `YamlError(ValueError)` carries file, line, column and the offending line.
"""

from fluvial.render.yaml._depth import DeeperError, asking_for_depth, deeply
from fluvial.render.yaml._emit import dump, dump_all
from fluvial.render.yaml._errors import Position, YamlError, snippet
from fluvial.render.yaml._load import Blank, Document, load, load_all, load_documents
from fluvial.render.yaml._places import PLACE_BITS, pointers, position_of, size_of
from fluvial.render.yaml._repeated import repeated_keys
from fluvial.render.yaml._restyle import write_styled
from fluvial.render.yaml._scalars import Dialect, needs_quotes, resolve
from fluvial.render.yaml._styled import Spelled, bare, read_styled
from fluvial.render.yaml._unfolded import Layout, write_unfolded
from fluvial.render.yaml._written import (
    Written,
    is_text,
    meaning,
    plain_scalar,
    settled,
    written_places,
)

__all__ = [
    "PLACE_BITS",
    "Blank",
    "DeeperError",
    "Dialect",
    "Document",
    "Layout",
    "Position",
    "Spelled",
    "Written",
    "YamlError",
    "asking_for_depth",
    "bare",
    "deeply",
    "dump",
    "dump_all",
    "is_text",
    "load",
    "load_all",
    "load_documents",
    "meaning",
    "needs_quotes",
    "plain_scalar",
    "pointers",
    "position_of",
    "read_styled",
    "repeated_keys",
    "resolve",
    "settled",
    "size_of",
    "snippet",
    "write_styled",
    "write_unfolded",
    "written_places",
]
