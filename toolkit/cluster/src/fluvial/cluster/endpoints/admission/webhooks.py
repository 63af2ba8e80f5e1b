"""Mutating webhooks one after the other, validating ones all at once."""

from __future__ import annotations

import asyncio
import dataclasses

from fluvial.cluster.endpoints.admission.attributes import Attributes
from fluvial.cluster.endpoints.admission.calls import Caller, CallError
from fluvial.cluster.endpoints.admission.matching import Match, Matcher, exempt, selects_object
from fluvial.cluster.endpoints.admission.objects import Versions
from fluvial.cluster.endpoints.admission.registry import Hook, Registry
from fluvial.cluster.endpoints.admission.review import Answer, ReviewError, read, review
from fluvial.cluster.endpoints.admission.rounds import Turn
from fluvial.cluster.endpoints.admission.scopes import Scopes, joined, outcome
from fluvial.cluster.errors import StatusError, bad_request, forbidden, internal
from fluvial.cluster.fields import FieldsError, RejectedPatch, patch_json
from fluvial.cluster.objects import Object

__all__ = ["Webhooks"]


class _CallingError(Exception):
    """A webhook could not be asked, which its failure policy decides about."""

    def __init__(self, hook: Hook, reason: str) -> None:
        super().__init__(f'failed calling webhook "{hook.name}": {reason}')


class Webhooks:
    """Asks the webhooks of one control plane."""

    def __init__(
        self,
        registry: Registry,
        matcher: Matcher,
        versions: Versions,
        scopes: Scopes,
        caller: Caller,
    ) -> None:
        self._registry = registry
        self._matcher = matcher
        self._versions = versions
        self._scopes = scopes
        self._caller = caller

    async def mutate(self, asked: Attributes, turn: Turn) -> Object | None:
        """Return the object as the mutating webhooks want it, after one round of them."""
        hooks = [] if exempt(asked) else self._registry.mutating
        obj = asked.object
        turn.begin(obj)
        for hook in hooks:
            if turn.skips(hook.key):
                continue
            obj, changed, called = await self._one(hook, dataclasses.replace(asked, object=obj))
            if changed:
                turn.mutated()
            if called and hook.spec.get("reinvocationPolicy") == "IfNeeded":
                turn.called(hook.key)
        turn.end(obj)
        return obj

    async def _one(self, hook: Hook, asked: Attributes) -> tuple[Object | None, bool, bool]:
        """Ask one mutating webhook; returns the object, and whether it changed and was asked."""
        match = await self._match(hook, asked)
        if match is None:
            return asked.object, False, False
        try:
            answer = await self._ask(hook, asked, match)
            if not answer.patch:
                return asked.object, False, True
            changed = await self._patched(hook, asked, match, answer)
        except _CallingError as error:
            self._fail(hook, error)
            return asked.object, False, True
        return changed, changed != asked.object, True

    async def validate(self, asked: Attributes) -> None:
        """Ask every validating webhook that matches; the first refusal by order is raised."""
        hooks = [] if exempt(asked) else self._registry.validating
        found = [(hook, await self._match(hook, asked)) for hook in hooks]
        matched = [(hook, match) for hook, match in found if match is not None]
        if not matched:
            return
        async with asyncio.TaskGroup() as group:
            calls = [
                group.create_task(self._checked(hook, asked, match)) for hook, match in matched
            ]
        for call in calls:
            refusal = call.result()
            if refusal is not None:
                raise refusal

    async def _checked(self, hook: Hook, asked: Attributes, match: Match) -> StatusError | None:
        try:
            await self._ask(hook, asked, match)
        except _CallingError as error:
            if not hook.ignores_failure:
                return internal(str(error))
        except StatusError as error:
            return error
        return None

    @staticmethod
    def _fail(hook: Hook, error: _CallingError) -> None:
        if not hook.ignores_failure:
            raise internal(str(error)) from None

    async def _match(self, hook: Hook, asked: Attributes) -> Match | None:
        """Return how a webhook's rules take a request; None when it is not to be called."""
        spec = hook.spec
        refusal = self._matcher.namespace_refusal(spec.get("namespaceSelector") or {}, asked)
        if refusal is True or not selects_object(spec.get("objectSelector") or {}, asked):
            return None
        match = self._matcher.rule(
            spec.get("rules") or [], spec.get("matchPolicy") or "Equivalent", asked
        )
        if match is None:
            return None
        if isinstance(refusal, StatusError):
            raise refusal
        conditions = spec.get("matchConditions") or []
        if conditions and not await self._conditions(hook, conditions, asked, match):
            return None
        return match

    async def _conditions(
        self, hook: Hook, conditions: list[Object], asked: Attributes, match: Match
    ) -> bool:
        """Tell whether all conditions hold; one that fails is up to the failure policy."""
        holds, errors = outcome(conditions, await self._scopes.of(asked, match))
        if errors and not hook.ignores_failure:
            resource = asked.resource
            raise forbidden(resource.group, resource.plural, asked.name, joined(errors))
        return holds and not errors

    async def _ask(self, hook: Hook, asked: Attributes, match: Match) -> Answer:
        """Call a webhook; raises `_CallingError`, or StatusError when it refuses."""
        spec = hook.spec
        if asked.dry_run and spec.get("sideEffects") not in ("None", "NoneOnDryRun"):
            raise bad_request(f'admission webhook "{hook.name}" does not support dry run')
        sent = review(
            asked,
            match,
            await self._versions.shown(asked.object, match),
            await self._versions.shown(asked.old, match),
            spec.get("admissionReviewVersions") or [],
        )
        if sent is None:
            raise _CallingError(
                hook,
                "could not create admission objects: webhook does not accept known "
                "AdmissionReview versions (v1, v1beta1)",
            )
        try:
            body = await self._caller.call(
                spec["clientConfig"], sent.body, int(spec.get("timeoutSeconds") or 10)
            )
            answer = read(sent, body, mutating=hook.mutating)
        except CallError as error:
            raise _CallingError(hook, f"failed to call webhook: {error}") from None
        except ReviewError as error:
            raise _CallingError(hook, f"received invalid webhook response: {error}") from None
        asked.warnings.extend(text for text in answer.warnings if text not in asked.warnings)
        for key, text in answer.annotations.items():
            asked.annotations.setdefault(f"{hook.name}/{key}", text)
        if not answer.allowed:
            raise _denied(hook, answer.status)
        return answer

    async def _patched(self, hook: Hook, asked: Attributes, match: Match, answer: Answer) -> Object:
        """Return the object with a webhook's patch, decoded and defaulted again."""
        if asked.object is None:
            raise internal(
                f'admission webhook "{hook.name}" attempted to modify the object, which is not '
                "supported for this operation"
            )
        shown = await self._versions.shown(asked.object, match)
        try:
            patched = patch_json(shown, answer.patch)
        except RejectedPatch as error:
            raise internal(error.detail) from None
        except FieldsError as error:
            raise internal(str(error)) from None
        if not isinstance(patched, dict):
            raise internal("the patched object is no JSON object")
        return await self._versions.taken(patched, asked, match)


def _denied(hook: Hook, status: Object | None) -> StatusError:
    """Return the refusal of a webhook; its Status may name code, reason and details."""
    found = status or {}
    text = f'admission webhook "{hook.name}" denied the request'
    message, reason = found.get("message") or "", found.get("reason") or ""
    text += f": {message or reason}" if message or reason else " without explanation"
    code = int(found.get("code") or 0)
    details = found.get("details")
    return StatusError(max(code, 400), reason, text, details if isinstance(details, dict) else None)
