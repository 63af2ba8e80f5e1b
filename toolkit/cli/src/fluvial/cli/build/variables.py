"""The variables of a Kustomization's `postBuild`, out of documents at hand."""

import base64
import binascii

from fluvial.apis.ids import Unstructured
from fluvial.apis.kustomize import Kustomization

__all__ = ["VariablesError", "load_variables"]


class VariablesError(Exception):
    """A Secret's value that is no text."""


def load_variables(obj: Kustomization, documents: list[Unstructured]) -> dict[str, str] | None:
    """Return the variables; None means that nothing is substituted.

    ConfigMaps and Secrets that are not among `documents` count as empty; in a dry run, as upstream
    has it, there are none. Later entries of `substituteFrom` win over earlier ones, and
    `substitute` over all; line breaks go out of every value. Raises VariablesError.
    """
    spec = obj.spec.post_build
    if spec is None:
        return None
    variables: dict[str, str] = {}
    for reference in spec.substitute_from:
        for document in documents:
            metadata = document.get("metadata") or {}
            if (
                document.get("kind") == reference.kind
                and metadata.get("name") == reference.name
                and metadata.get("namespace", obj.metadata.namespace) == obj.metadata.namespace
            ):
                variables.update(_values(document))
    variables.update(spec.substitute)
    if not variables and spec.substitute_strategy != "Always":
        return None
    return {name: value.replace("\n", "") for name, value in variables.items()}


def _values(document: Unstructured) -> dict[str, str]:
    data = {key: str(value) for key, value in (document.get("data") or {}).items()}
    if document["kind"] == "ConfigMap":
        return data
    values = {}
    for key, value in data.items():
        try:
            values[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            name = document["metadata"]["name"]
            raise VariablesError(f"substitute from Secret {name!r}: key {key} is no text") from None
    written = document.get("stringData") or {}
    return {**values, **{key: str(value) for key, value in written.items()}}
