"""Type checks of validating policies, as their status tells them.

A policy is in force whatever its types: its author is told of expressions that some of the kinds it
matches cannot satisfy. Same as upstream, `apiserver/pkg/admission/plugin/policy/validating/
typechecking.go`, as far as fields go that are not there (`fields.celpaths`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fluvial.cluster import schemas
from fluvial.cluster.fields import Schema, undefined_fields
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource

__all__ = ["expression_warnings"]

_MOST_TYPES = 10


def expression_warnings(policy: Object, resources: Iterable[Resource]) -> list[Object]:
    """Return the `expressionWarnings` of a policy; `resources` is what is served."""
    served = list(resources)
    spec = policy["spec"]
    kinds, params = _matched(spec, served), _params(spec, served)
    warnings: list[Object] = []
    for index, rule in enumerate(spec.get("validations") or []):
        for member in ("expression", "messageExpression"):
            text = "\n".join(
                f"{kind.api_version}, Kind={kind.kind}: {complaint}"
                for kind in kinds
                if (complaint := "\n".join(_complaints(rule.get(member) or "", kind, params)))
            )
            if text:
                place = f"spec.validations[{index}].{member}"
                warnings.append({"fieldRef": place, "warning": text})
    return warnings


def _matched(spec: Object, served: list[Resource]) -> list[Resource]:
    """Return the kinds that rules name, without wildcards; by group, version and kind."""
    found: dict[tuple[str, str, str], Resource] = {}
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or []:
        groups, versions = rule.get("apiGroups") or [], rule.get("apiVersions") or []
        if any("*" in text for text in (*groups, *versions)):
            continue
        for each in served:
            named = each.plural in (rule.get("resources") or [])
            if named and each.group in groups and each.version in versions:
                found[each.group, each.version, each.kind] = each
    return [found[key] for key in sorted(found)][:_MOST_TYPES]


def _params(spec: Object, served: list[Resource]) -> Resource | None:
    """Return the kind of the parameters, if it is known."""
    kind = spec.get("paramKind")
    if not kind:
        return None
    group, _, version = kind["apiVersion"].rpartition("/")
    wanted = (group, version, kind["kind"])
    return next((each for each in served if (each.group, each.version, each.kind) == wanted), None)


def _complaints(expression: str, kind: Resource, params: Resource | None) -> Iterator[str]:
    schema: Schema = schemas.of(kind)
    roots = {"object": schema, "oldObject": schema}
    if params is not None:
        roots["params"] = schemas.of(params)
    return undefined_fields(expression.strip(), roots, _field)


def _field(schema: Schema, name: str) -> Schema | None:
    """Return the schema of a field; KeyError when the type has none of that name."""
    if schema.values is not None or not schema.fields:
        return None
    return schema.fields[name]
