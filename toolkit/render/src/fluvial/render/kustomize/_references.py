"""Fixing the names that resources use for each other, after names have changed."""

from collections.abc import Callable
from typing import Any

from fluvial.render.kustomize._errors import TransformError
from fluvial.render.kustomize._fieldspec import FieldSpec
from fluvial.render.kustomize._ids import Gvk, text
from fluvial.render.kustomize._neighbours import Named, reach_from
from fluvial.render.kustomize._pathtree import Found, PathTree, Trail, pointer_of
from fluvial.render.kustomize._resource import Resource, Resources

__all__ = ["References", "fix_references"]

References = list[tuple[Gvk, list[FieldSpec]]]
_BY = "name reference"


def fix_references(resources: Resources, references: References) -> None:
    """Write the current name into every field that holds a name some resource had before.

    Raises TransformError when several resources could be meant.
    """
    for resource in resources:
        _subject_namespaces(resource)
    named = Named(resources)
    if not named:
        return
    plans: dict[Gvk, _Plan] = {}
    for referrer in resources:
        first = referrer.original.gvk
        plan = plans.get(first)
        if plan is None:
            plan = plans[first] = _Plan(first, references)
        plan.fix(referrer, named)
    resources.touch()


class _Plan:
    """Where the objects of a kind refer to others, in order."""

    def __init__(self, gvk: Gvk, references: References) -> None:
        self.entries = [
            (target, spec)
            for target, specs in references
            for spec in specs
            if spec.gvk.selects(gvk)
        ]
        self.paths = PathTree(spec.path for _, spec in self.entries)

    def fix(self, resource: Resource, named: Named) -> None:
        """Write current names into all of a resource's references."""
        referrer: _Referrer | None = None
        done = -1
        while True:
            found = self.paths.find(resource.data)
            for number in sorted(found):
                if number <= done:
                    continue
                referrer = referrer or _Referrer(resource, named)
                target, spec = self.entries[number]
                try:
                    grown = referrer.fix(found[number], target, spec)
                except TransformError as error:
                    raise TransformError(
                        f"considering field {spec.path!r} of object {resource}: {error.problem}"
                    ) from None
                done = number
                if grown:
                    break  # a path that is still to come may lead to what is new
            else:
                return


class _Referrer:
    """One resource whose references are looked at."""

    def __init__(self, resource: Resource, named: Named) -> None:
        self.resource = resource
        self.named = named
        self.namespace = resource.id.effective_namespace
        self.reach = reach_from(resource, _subject_namespaces(resource))

    def fix(self, found: list[Found | TransformError], target: Gvk, spec: FieldSpec) -> bool:
        """Write the names of one path; says whether a map has got a field that it had not."""
        grown = False
        for place in found:
            if isinstance(place, TransformError):
                raise place
            node, key, trail = place
            value = node[key]
            if isinstance(value, list):
                for index in range(len(value)):
                    grown |= self._set(Found(value, index, (trail, index)), target, spec)
            elif value is not None:
                grown |= self._set(place, target, spec)
        return grown

    def _set(self, place: Found, target: Gvk, spec: FieldSpec) -> bool:
        value = place.node[place.key]
        if isinstance(value, dict):
            return self._set_map(value, place.trail, target, spec)
        name = text(value)
        if name in self.named:
            found = self._choose(name, target, spec, None, _one_name)
            if found is not None and found.name != name:
                place.node[place.key] = found.name
                self._amend(place.trail)
                if place.node is self.resource.metadata:
                    self.named.forget()  # a configured path: the resource may be elsewhere now
        return False

    def _set_map(self, value: dict[str, Any], trail: Trail, target: Gvk, spec: FieldSpec) -> bool:
        if value.get("name") is None:
            place = pointer_of(trail)
            raise TransformError(f"path config error; no 'name' field in node at {place}")
        name = text(value["name"])
        namespace = value.get("namespace")
        found = self._choose(
            name, target, spec, None if namespace is None else text(namespace), _one_place
        )
        if found is None or (found.name == name and not found.namespace):
            return False
        value["name"] = found.name
        self._amend((trail, "name"))
        if not found.namespace:
            return False
        grown = "namespace" not in value
        value["namespace"] = found.namespace
        self._amend((trail, "namespace"))
        return grown

    def _amend(self, trail: Trail) -> None:
        if self.resource.ledger is not None:
            self.resource.amend(pointer_of(trail), _BY)

    def _candidates(self, name: str, namespace: str | None) -> list[Resource]:
        found = [item for item in self.named.find(name, self.reach) if item.data]
        if namespace is None or not found:
            return found
        # Upstream groups everything that can be referred to, so a namespace that any resource
        # came from hides the one that others moved to.
        if namespace in self.named.origins(self.reach):
            return [item for item in found if item.original.effective_namespace == namespace]
        return [item for item in found if item.id.effective_namespace == namespace]

    def _choose(
        self,
        name: str,
        target: Gvk,
        spec: FieldSpec,
        namespace: str | None,
        same: Callable[[list[Resource]], bool],
    ) -> Resource | None:
        role = _role(self.resource) if spec.path.endswith("roleRef/name") else None
        found = [
            item
            for item in self._candidates(name, namespace)
            if self.named.was(item, target)
            and (role is None or self.named.was(item, role))
            and (
                self.reach is None
                or item.id.cluster_scoped
                or item.gvk.kind == "ServiceAccount"
                or item.id.effective_namespace == self.namespace
            )
        ]
        if len(found) == 1:
            return found[0]
        found = [item for item in found if _same_chain(item, self.resource, lax=True)]
        if len(found) > 1:
            found = [item for item in found if _same_chain(item, self.resource, lax=False)]
        if not found:
            return None
        if len(found) == 1 or same(found):
            return found[0]
        raise TransformError(
            f"found multiple possible referrals for {name!r} in {self.resource}: "
            + ", ".join(str(item) for item in found)
        )


def _subject_namespaces(resource: Resource) -> set[str]:
    """Return the namespaces that a RoleBinding's service accounts live in.

    Raises TransformError when one of them is there but is no string.
    """
    subjects = resource.data.get("subjects")
    if resource.gvk.kind != "RoleBinding" or not isinstance(subjects, list):
        return set()
    found = set()
    for subject in subjects:
        if isinstance(subject, dict) and subject.get("kind") == "ServiceAccount":
            namespace = subject.get("namespace", "")
            if not isinstance(namespace, str):
                raise TransformError(f"namespace is blank for resource {resource}")
            found.add(namespace)
    return found - {""}


def _role(resource: Resource) -> Gvk | None:
    reference = resource.data.get("roleRef")
    if not isinstance(reference, dict) or not {"apiGroup", "kind"} <= reference.keys():
        return None
    return Gvk(group=text(reference["apiGroup"]), kind=text(reference["kind"]))


def _same_chain(one: Resource, other: Resource, *, lax: bool) -> bool:
    """Compare the ends of the prefix and suffix chains; `lax` lets empty ones match anything."""
    return all(
        (lax and (not left or not right)) or _same_end(left, right)
        for left, right in ((one.prefixes, other.prefixes), (one.suffixes, other.suffixes))
    )


def _same_end(left: list[str], right: list[str]) -> bool:
    length = min(len(left), len(right))
    if not length:
        return len(left) == len(right)
    return left[len(left) - length :] == right[len(right) - length :]


def _one_name(found: list[Resource]) -> bool:
    return len({item.name for item in found}) == 1


def _one_place(found: list[Resource]) -> bool:
    return len({(item.name, item.namespace) for item in found}) == 1
