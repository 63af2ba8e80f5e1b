"""What is to be done with one object, decided by reads and a dry-run."""

import re
from dataclasses import dataclass, field

import msgspec

from fluvial.apis.ids import ObjectId, Unstructured
from fluvial.toolkit.apply.changes import Action, Change
from fluvial.toolkit.apply.drift import differences, drifted, mask, rivals
from fluvial.toolkit.apply.errors import ObjectError
from fluvial.toolkit.apply.ignoring import IgnoreRules, remove, settle
from fluvial.toolkit.apply.managers import cleanup_patch
from fluvial.toolkit.apply.options import ApplyOptions
from fluvial.toolkit.apply.owner import Owner
from fluvial.toolkit.apply.policy import Policy
from fluvial.toolkit.apply.tracking import Claim
from fluvial.toolkit.apply.undeclared import drop, named
from fluvial.toolkit.client import (
    ApiError,
    Client,
    ClientError,
    Invalid,
    NotFound,
    Resource,
    TransportError,
    UnknownKind,
)
from fluvial.toolkit.store import Key

__all__ = ["Plan", "Planner", "readable"]

_IMMUTABLE = re.compile(
    r"immutable"
    r"|may not (?:be )?change"
    r"|cannot change roleRef"
    r"|updates to .+ (?:are )?forbidden"
    r"|cannot be changed",
    re.IGNORECASE,
)
_SHORTEST_SECRET = 4


@dataclass(slots=True)
class Plan:
    """One object's part of a stage; `change` is complete but for the answer to the write.

    `live` is None where there is no object, and where it was not looked at: it is unmoved.
    """

    resource: Resource
    payload: bytes
    change: Change
    live: Unstructured | None = None
    cleanup: bool = False
    obj: Unstructured = field(default_factory=dict)


class Planner:
    """Reads, dry-runs and compares, without any write; `options` are those of the run.

    With a `claim` it passes over what is known to be unmoved, and notes what is as it should be.
    """

    def __init__(
        self,
        client: Client,
        manager: str,
        owner: Owner,
        options: ApplyOptions,
        claim: Claim | None = None,
    ) -> None:
        self._client = client
        self._manager = manager
        self._owner = owner
        self.options = options
        self._rules = IgnoreRules(options.ignore)
        self._claim = claim

    async def plan(self, obj: Unstructured) -> Plan:
        """Decide about a normalised object. Raises ObjectError."""
        identity = ObjectId.from_object(obj)
        try:
            resource = await self._client.resource_of(obj)
        except (UnknownKind, ApiError, TransportError) as error:
            raise ObjectError.dry_run(identity, error) from error
        if not resource.namespaced:
            obj["metadata"].pop("namespace", None)
            identity = identity._replace(namespace="")
        elif not identity.namespace:
            raise ObjectError(
                identity,
                f"{identity} namespace not specified: {resource} are namespaced",
            )
        plan = Plan(
            resource, msgspec.json.encode(obj), Change(identity, resource.version, Action.UNCHANGED)
        )
        plan.obj = obj
        claim, key = self._claim, Key(identity.namespace, identity.name)
        if claim is not None and claim.unmoved(resource, key):
            return plan
        epoch = claim.begin(resource, key) if claim is not None else 0
        try:
            await self._decide(plan, identity)
        except (ApiError, TransportError) as error:
            if isinstance(error, NotFound) and not error.reason:
                await self._check_served(identity, resource)
            raise ObjectError.dry_run(identity, error, readable(error, obj)) from error
        if claim is not None and plan.live is not None and plan.change.action is Action.UNCHANGED:
            # Which rules of `ignore` are for an object may depend on what others write to it.
            exact = bool(self.options.ignore)
            claim.verified(resource, plan.live, plan.obj, epoch, exact=exact)
        return plan

    async def _check_served(self, identity: ObjectId, resource: Resource) -> None:
        """Raise ObjectError that says so when the kind is no longer served.

        Discovery is remembered, and a path that is not served is answered by a bare 404.
        """
        try:
            await self._client.mapper.refresh()
            await self._client.mapper.resource(resource.group, resource.kind, resource.version)
        except (UnknownKind, ApiError, TransportError) as error:
            raise ObjectError.dry_run(identity, error) from error

    async def _decide(self, plan: Plan, identity: ObjectId) -> None:
        plan.live = live = await self._get(plan.resource, identity)
        change = plan.change
        change.metadata = live["metadata"] if live else None
        policy = Policy(self._owner.group, plan.obj, live)
        if policy.skipped:
            change.action = Action.SKIPPED
            return
        try:
            answer = await self._dry_run(plan, identity)
        except Invalid as error:
            forced = self.options.force or policy.forced
            if live is None or not forced or not _is_immutable(error):
                raise
            change.action, change.recreated = Action.CONFIGURED, True
            return
        if live is None:
            change.action = Action.CREATED
            return
        paths = self._rules.paths(answer)
        if () in paths:
            return
        self._compare(plan, live, answer, paths)
        if not policy.merged:
            plan.cleanup = bool(cleanup_patch(live, self._manager, self.options.override_managers))
        if plan.cleanup:
            change.action = Action.CONFIGURED
        if change.changed and paths:
            settled = settle(plan.obj, live, answer, self._manager, paths)
            plan.payload = msgspec.json.encode(settled)

    def _compare(
        self,
        plan: Plan,
        live: Unstructured,
        answer: Unstructured,
        paths: list[tuple[str | int, ...]],
    ) -> None:
        live_seen, answer_seen = remove(live, paths), remove(answer, paths)
        if drifted(live_seen, answer_seen):
            found = differences(live_seen, answer_seen)
            plan.change.action = Action.CONFIGURED
            plan.change.fields = mask(plan.obj, found)
            plan.change.managers = rivals(live, self._manager, found)

    async def _get(self, resource: Resource, identity: ObjectId) -> Unstructured | None:
        try:
            return await self._client.get(resource, identity.name, identity.namespace or None)
        except NotFound:
            return None

    async def _dry_run(self, plan: Plan, identity: ObjectId) -> Unstructured:
        try:
            return await self._apply_dry(plan, identity)
        except ApiError as error:
            paths = [path for path in named(error, plan.obj) if drop(plan.obj, path)]
            if not paths:
                raise
        # All of them are named at once.
        plan.change.dropped = tuple(paths)
        plan.payload = msgspec.json.encode(plan.obj)
        return await self._apply_dry(plan, identity)

    async def _apply_dry(self, plan: Plan, identity: ObjectId) -> Unstructured:
        return await self._client.patch(
            plan.resource,
            identity.name,
            plan.payload,
            identity.namespace or None,
            type="apply",
            field_manager=self._manager,
            force=True,
            dry_run=True,
        )


def _is_immutable(error: Invalid) -> bool:
    """Whether immutable fields are all that the server objects to.

    With any other finding beside them the object would be deleted and could not be created again.
    """
    if error.code != 422:
        return False
    texts = [cause.message for cause in error.causes] or [error.message]
    return all(_IMMUTABLE.search(text) for text in texts)


def readable(error: ClientError, obj: Unstructured) -> str:
    """Return the error's text, without the values of a Secret."""
    text = str(error)
    if obj.get("kind") == "Secret":
        for field_name in ("data", "stringData"):
            for value in (obj.get(field_name) or {}).values():
                if isinstance(value, str) and len(value) >= _SHORTEST_SECRET:
                    text = text.replace(value, "***")
    return text
