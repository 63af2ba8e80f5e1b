"""ValidatingAdmissionPolicy: rules in CEL that bindings put into force."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec

from fluvial.cluster.endpoints.admission.attributes import Attributes
from fluvial.cluster.endpoints.admission.bindings import Bindings, Invocation, Problem, name_of
from fluvial.cluster.endpoints.admission.matching import exempt
from fluvial.cluster.endpoints.admission.registry import Registry
from fluvial.cluster.endpoints.admission.scopes import Scopes, joined, outcome
from fluvial.cluster.errors import StatusError, forbidden
from fluvial.cluster.expressions import (
    CelError,
    EvaluationError,
    Scope,
    compiled,
)
from fluvial.cluster.objects import Object

__all__ = ["Policies"]

_CODES = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413, "Invalid": 422}
_LONGEST_MESSAGE = 5 * 1024
"""Bytes of a computed message; a longer one is not used."""
_LONGEST_NOTE = 10 * 1024
"""Bytes of an audit annotation; the rest is left out."""
_FAILURE = "validation.policy.admission.k8s.io/validation_failure"


@dataclasses.dataclass(frozen=True, slots=True)
class _Denial:
    """One rule that does not hold; `reason` becomes that of the answer."""

    message: str
    reason: str = "Invalid"


class Policies:
    """Evaluates the validating policies of one control plane."""

    def __init__(self, registry: Registry, bindings: Bindings, scopes: Scopes) -> None:
        self._registry = registry
        self._bindings = bindings
        self._scopes = scopes

    async def validate(self, asked: Attributes) -> None:
        """Raise the first refusal; the actions Warn and Audit let a request pass.

        What is said to the audit log stands in the request's annotations: failures under one key
        (the first of them, as upstream), and what policies note under keys of theirs.
        """
        if exempt(asked):
            return
        refusals: list[StatusError] = []
        notes = _Notes()
        async for met in self._bindings.meeting(asked, self._registry.policies):
            if isinstance(met, Problem):
                if met.counts:
                    refusals.append(_refusal(met.policy, met.binding, _Denial(met.text), asked))
                continue
            actions = met.binding["spec"].get("validationActions") or []
            names = f"'{name_of(met.policy)}' with binding '{name_of(met.binding)}'"
            for index, denial in await self._denials(met, asked, notes):
                if index is None:  # a note that failed: not one of the rules
                    refusals.append(_refusal(met.policy, met.binding, denial, asked))
                    continue
                if "Audit" in actions:
                    asked.annotations.setdefault(_FAILURE, _failure(met, index, denial))
                if "Warn" in actions:
                    asked.warnings.append(
                        f"Validation failed for ValidatingAdmissionPolicy {names}: {denial.message}"
                    )
                if "Deny" in actions:
                    refusals.append(_refusal(met.policy, met.binding, denial, asked))
        asked.annotations.update(notes.texts())
        if refusals:
            raise refusals[0]

    async def _denials(
        self, met: Invocation, asked: Attributes, notes: _Notes
    ) -> list[tuple[int | None, _Denial]]:
        """Return the rules that do not hold or cannot be evaluated, by their index.

        None stands for notes to the audit log that cannot be made; those that can go to `notes`.
        """
        spec = met.policy["spec"]
        strict = spec.get("failurePolicy") != "Ignore"
        scope = await self._scopes.of(asked, met.match, met.parameters)
        applies, errors = outcome(spec.get("matchConditions") or [], scope)
        if errors:
            return [(0, _Denial(joined(errors)))] if strict else []
        if not applies:
            return []
        scope.namespace = self._bindings.namespace(asked)  # which match conditions do not see
        scope.define(spec.get("variables") or [])
        found: list[tuple[int | None, _Denial]] = []
        for index, rule in enumerate(spec.get("validations") or []):
            try:
                holds = compiled(rule["expression"]).run(scope) is True
            except (CelError, EvaluationError) as error:
                found += [(index, _Denial(_failed(error)))] * strict
            else:
                if not holds:
                    reason = rule.get("reason") or "Invalid"
                    found.append((index, _Denial(_message(rule, scope), reason)))
        for note in spec.get("auditAnnotations") or []:
            try:
                notes.add(name_of(met.policy), note, compiled(note["valueExpression"]).run(scope))
            except (CelError, EvaluationError) as error:
                found += [(None, _Denial(_failed(error)))] * strict
            except _NoteError as error:
                found.append((None, _Denial(str(error))))
        return found


class _NoteError(ValueError):
    """The value of a note to the audit log is no text."""


class _Notes:
    """What the policies of one request say to the audit log, by `policy/key`.

    Bindings that say the same say it once; what they say differently is joined.
    """

    def __init__(self) -> None:
        self._values: dict[str, list[str]] = {}

    def add(self, policy: str, note: Object, value: Any) -> None:
        """Add what an expression evaluated to; null and blanks say nothing."""
        if value is None:
            return
        if not isinstance(value, str):
            raise _NoteError(
                f"valueExpression '{note['valueExpression']}' resulted in unsupported return type: "
                f"{_type_of(value)}. Return type must be either string or null."
            )
        values = self._values.setdefault(f"{policy}/{note['key']}", [])
        text = _clipped(value.strip())
        if text and text not in values:
            values.append(text)

    def texts(self) -> dict[str, str]:
        """Return the annotations."""
        return {key: ", ".join(values) for key, values in self._values.items() if values}


def _clipped(text: str) -> str:
    return text.encode()[:_LONGEST_NOTE].decode(errors="ignore")


def _type_of(value: Any) -> str:
    """Return the type of a value as CEL names it."""
    names = {bool: "bool", int: "int", float: "double", list: "list", dict: "map", bytes: "bytes"}
    return names.get(type(value), type(value).__name__)


def _failed(error: Exception) -> str:
    """Return what is said of an expression that does not compile, or fails."""
    if isinstance(error, CelError):
        return f"compilation error: compilation failed: {error}"
    return str(error)


def _failure(met: Invocation, index: int, denial: _Denial) -> str:
    """Return the annotation for a rule that does not hold: a list with one failure, as upstream."""
    failure = {
        "message": denial.message,
        "policy": name_of(met.policy),
        "binding": name_of(met.binding),
        "expressionIndex": index,
        "validationActions": met.binding["spec"].get("validationActions") or [],
    }
    return msgspec.json.encode([failure]).decode()


def _message(rule: Object, scope: Scope) -> str:
    """Return what is said of a rule that does not hold."""
    text = ""
    if rule.get("messageExpression"):
        try:
            found = compiled(rule["messageExpression"]).run(scope)
        except (CelError, EvaluationError):
            found = None
        if isinstance(found, str):
            text = found.strip()
        if "\n" in text or len(text.encode()) > _LONGEST_MESSAGE:
            text = ""
    text = text or (rule.get("message") or "").strip()
    return text or f"failed expression: {rule['expression'].strip()}"


def _refusal(
    policy: Object, binding: Object | None, denial: _Denial, asked: Attributes
) -> StatusError:
    """Return the answer for a denial: worded as forbidden, with the reason of the rule."""
    where = "" if binding is None else f" with binding '{name_of(binding)}'"
    text = f"ValidatingAdmissionPolicy '{name_of(policy)}'{where} denied request: {denial.message}"
    meta = (asked.object or {}).get("metadata") or {}
    name = asked.name or meta.get("name") or meta.get("generateName") or "Unknown"
    error = forbidden(asked.resource.group, asked.resource.plural, name, text)
    assert error.details is not None
    error.reason, error.code = denial.reason, _CODES.get(denial.reason, 422)
    error.details["causes"] = [{"message": text}]
    return error
