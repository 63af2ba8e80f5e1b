"""YAML as Kubernetes, Helm and kustomize read and write it.

Two dialects are in use, often on the same file, so the dialect is always an explicit parameter:

- `Dialect.SIGS` is Go's sigs.k8s.io/yaml: `y n yes no on off` are booleans (also as keys), the
  last of two equal keys wins, keys become strings, `.inf` and `.nan` are errors, dates are strings.
- `Dialect.KYAML` is how kustomize reads resources: only `true` and `false` are booleans, equal
  keys are an error, dates become timestamps.

Errors: `YamlError(ValueError)` carries file, line, column and the offending line.
"""

from fluvial.render.yaml._emit import dump, dump_all
from fluvial.render.yaml._errors import Position, YamlError, snippet
from fluvial.render.yaml._load import Blank, Document, load, load_all, load_documents
from fluvial.render.yaml._scalars import Dialect, needs_quotes, resolve

__all__ = [
    "Blank",
    "Dialect",
    "Document",
    "Position",
    "YamlError",
    "dump",
    "dump_all",
    "load",
    "load_all",
    "load_documents",
    "needs_quotes",
    "resolve",
    "snippet",
]
