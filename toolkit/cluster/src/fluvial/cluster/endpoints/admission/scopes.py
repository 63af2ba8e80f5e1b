"""What expressions see of a request: objects in the version matched, and the author."""

from __future__ import annotations

from fluvial.cluster.endpoints.admission.attributes import Attributes
from fluvial.cluster.endpoints.admission.matching import Match
from fluvial.cluster.endpoints.admission.objects import Versions
from fluvial.cluster.expressions import CelError, EvaluationError, Scope, compiled
from fluvial.cluster.objects import Object
from fluvial.cluster.permissions import Allows, Permissions

__all__ = ["Scopes", "joined", "outcome"]


class Scopes:
    """Makes scopes for requests of one control plane; `allows` answers for `authorizer`."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self.allows: Allows = lambda user, asked: True  # noqa: ARG005 - until RBAC is there

    async def of(self, asked: Attributes, match: Match, parameters: Object | None = None) -> Scope:
        """Return the scope of a request; `parameters` are what a binding gives its policy."""
        resource = {
            "group": asked.resource.group,
            "resource": asked.resource.plural,
            "subresource": asked.subresource,
            "namespace": asked.namespace,
            "name": asked.name,
        }
        return Scope(
            await self._versions.shown(asked.object, match),
            await self._versions.shown(asked.old, match),
            asked.shown(match.resource, match.kind),
            Permissions(asked.user.info(), resource, self.allows),
            parameters,
        )


def outcome(conditions: list[Object], scope: Scope) -> tuple[bool, list[str]]:
    """Tell whether no match condition is false, and what is wrong with those that failed.

    One that is false decides, whatever is wrong with the others.
    """
    errors: list[str] = []
    for condition in conditions:
        try:
            if compiled(condition["expression"]).run(scope) is False:
                return False, []
        except CelError as error:
            errors.append(f"compilation error: compilation failed: {error}")
        except EvaluationError as error:
            errors.append(str(error))
    return True, errors


def joined(errors: list[str]) -> str:
    """Return several errors as one text, as Go prints an aggregate."""
    return errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
