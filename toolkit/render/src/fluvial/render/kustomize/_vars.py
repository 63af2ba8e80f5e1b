"""The deprecated `$(NAME)` variables."""

import re
from contextlib import suppress
from typing import Any

from fluvial.render.kustomize._errors import TransformError
from fluvial.render.kustomize._fieldspec import FieldSpec, Plan, apply_spec
from fluvial.render.kustomize._ids import Gvk, ResourceId, split_group, text
from fluvial.render.kustomize._merge import MISSING
from fluvial.render.kustomize._model import Variable
from fluvial.render.kustomize._paths import lookup, split
from fluvial.render.kustomize._resource import Resource, Resources
from fluvial.render.yaml import Written, is_text

__all__ = ["expand", "register", "resolve_variables"]

_BY = "vars"
_INDEX = re.compile(r"\[(\d+)\]")


def register(resources: Resources, known: list[Variable], more: list[Variable]) -> list[Variable]:
    """Tie new variables to the resources they name, and return all of them.

    Raises TransformError when a name is taken or several resources match.
    """
    names = {variable.name for variable in known}
    for variable in more:
        if variable.name in names:
            raise TransformError(f"var {variable.name!r} already encountered")
        names.add(variable.name)
        reference = variable.objref
        group, version = split_group(reference.apiVersion)
        gvk = Gvk(reference.group or group, reference.version or version, reference.kind)
        wanted = ResourceId(gvk, reference.name, reference.namespace)
        found = resources.by_any_id(
            lambda one, wanted=wanted: (  # type: ignore[misc]  # bound by default on purpose
                (one.gvk, one.name) == (wanted.gvk, wanted.name)
                and wanted.namespace in {"", one.effective_namespace}
            ),
            name=wanted.name,
        )
        if len(found) > 1:
            raise TransformError(
                f"found {len(found)} resId matches for var {variable.name!r} "
                "(unable to disambiguate): name the namespace"
            )
        for resource in found:
            resource.variables.append(variable.name)
    return [*known, *more]


def _value(resources: Resources, variable: Variable) -> Any:
    path = variable.fieldref.fieldPath or "metadata.name"
    for resource in resources:
        if variable.name in resource.variables:
            value = lookup(resource.data, split(_INDEX.sub(r".\1", path)))
            if value is MISSING:
                raise TransformError(
                    f"field {path!r} specified in var {variable.name!r} not found in {resource}"
                )
            return _number(value, path, variable, resource)
    raise TransformError(
        f"var {variable.name!r} cannot be mapped to a field in the set of known resources"
    )


def _number(value: Any, path: str, variable: Variable, resource: Resource) -> Any:
    """Read a scalar by its text, as upstream does: numbers in decimal form only."""
    if not isinstance(value, Written) or value.style or isinstance(value.value, str):
        return str(value) if isinstance(value, Written) else value
    if isinstance(value.value, bool):
        return value.value
    read = int if isinstance(value.value, int) else float
    if "_" not in value:
        with suppress(ValueError):
            return read(str(value))
    raise TransformError(
        f"var {variable.name!r}: field {path!r} of {resource} holds {str(value)!r}: "
        "write the number in decimal form"
    )


def resolve_variables(
    resources: Resources, variables: list[Variable], specs: list[FieldSpec]
) -> None:
    """Write the values of variables into every field that may refer to one."""
    values = {variable.name: _value(resources, variable) for variable in variables}
    if not values:
        return
    plan = Plan(specs)
    for resource in resources:

        def setter(node: Any, key: Any, pointer: str, resource: Resource = resource) -> None:
            _expand_at(node, key, values)
            resource.amend(pointer, _BY)

        for spec in plan.of(resource.gvk):
            apply_spec(resource, spec, setter)
    resources.touch()


def _expand_at(node: Any, key: Any, values: dict[str, Any]) -> None:
    value = node[key]
    if is_text(value):
        node[key] = expand(str(value), values)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if not is_text(item):
                raise TransformError("invalid value type: variables stand in lists of strings only")
            value[index] = expand(str(item), values)
    elif isinstance(value, dict):
        for name, item in value.items():
            if is_text(item):
                value[name] = expand(str(item), values)


def expand(source: str, values: dict[str, Any]) -> Any:
    """Replace `$(NAME)`; `$$` is one `$`, unknown names stay, a lone reference keeps its type."""
    out: list[str] = []
    at = 0
    while at < len(source):
        char = source[at]
        if char != "$" or at + 1 == len(source):
            out.append(char)
            at += 1
        elif source[at + 1] == "(" and (end := source.find(")", at)) >= 0:
            name = source[at + 2 : end]
            value = values.get(name, MISSING)
            if value is MISSING or value is None or isinstance(value, dict | list):
                out.append(f"$({name})")
            elif source == f"$({name})":
                return value
            else:
                out.append(text(value))
            at = end + 1
        else:
            out.append("$" if source[at + 1] == "$" else f"${source[at + 1]}")
            at += 2
    return "".join(out)
