"""The kinds that answer questions and store nothing: token, access and self reviews."""

from __future__ import annotations

from fluvial.cluster import fielderrors
from fluvial.cluster.auth.rbac import Attributes, Authorizer
from fluvial.cluster.auth.tokens import ISSUER, TokenAuthority
from fluvial.cluster.endpoints import Target, User
from fluvial.cluster.errors import Cause, bad_request, invalid
from fluvial.cluster.objects import Object

__all__ = ["Reviews"]

_ONE_OF = "exactly one of nonResourceAttributes or resourceAttributes must be specified"


class Reviews:
    """Answers reviews; `handles` tells which resources are reviews."""

    def __init__(self, authorizer: Authorizer, tokens: TokenAuthority) -> None:
        self._authorizer = authorizer
        self._tokens = tokens

    @staticmethod
    def handles(target: Target) -> bool:
        """Tell whether a create on this endpoint is a question."""
        return target.resource.plural.endswith("reviews") and target.resource.group in (
            "authentication.k8s.io",
            "authorization.k8s.io",
        )

    def answer(self, target: Target, body: Object, user: User, now: str) -> Object:
        """Return the review with its status."""
        kind = target.resource.kind
        result: Object = {
            "kind": kind,
            "apiVersion": target.resource.api_version,
            "metadata": body["metadata"],
        }
        spec = dict(body.get("spec") or {})
        if kind == "SelfSubjectReview":
            meta = {"creationTimestamp": now}
            return {**result, "metadata": meta, "status": {"userInfo": user.info()}}
        if kind == "TokenReview":
            if not spec.get("token"):
                raise bad_request("token is required for TokenReview in authentication")
            return {**result, "spec": spec, "status": self._token(spec)}
        if kind == "SelfSubjectRulesReview":
            if not spec.get("namespace"):
                raise bad_request("no namespace on request")
            # Upstream answers with a review of its own, which has nothing of the question.
            return {**result, "metadata": {}, "spec": {}, "status": self._rules(user, spec)}
        self._check(kind, body, target.namespace)
        who = user if kind == "SelfSubjectAccessReview" else _subject(spec)
        return {**result, "spec": spec, "status": self._access(who, spec)}

    def _access(self, user: User, spec: Object) -> Object:
        resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
        if resource is not None:
            wanted = Attributes(
                resource.get("verb", ""),
                resource.get("group", ""),
                resource.get("resource", ""),
                resource.get("subresource", ""),
                resource.get("namespace", ""),
                resource.get("name", ""),
            )
        else:
            path = path or {}
            wanted = Attributes(path.get("verb", ""), path=path.get("path", ""))
        decision = self._authorizer.authorize(user, wanted)
        status: Object = {"allowed": decision.allowed}
        if decision.reason:
            status["reason"] = decision.reason
        return status

    @staticmethod
    def _check(kind: str, body: Object, namespace: str) -> None:
        """Refuse a question about access that is not well put."""
        spec = body.get("spec") or {}
        resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
        causes: list[Cause] = []
        if resource is not None and path is not None:
            text = "cannot be specified in combination with resourceAttributes"
            shown = {"Path": path.get("path", ""), "Verb": path.get("verb", "")}
            causes.append(fielderrors.invalid("spec.nonResourceAttributes", shown, text))
        if resource is None and path is None:
            causes.append(fielderrors.invalid("spec.resourceAttributes", None, _ONE_OF))
        if kind != "SelfSubjectAccessReview" and not spec.get("user") and not spec.get("groups"):
            text = "at least one of user or group must be specified"
            causes.append(fielderrors.invalid("spec.user", spec.get("user", ""), text))
        causes += _selector_causes((resource or {}).get("fieldSelector"), "fieldSelector")
        causes += _selector_causes((resource or {}).get("labelSelector"), "labelSelector")
        meta = {k: v for k, v in body["metadata"].items() if k != "managedFields"}
        local = kind == "LocalSubjectAccessReview"
        if meta.keys() - ({"namespace"} if local else set()):
            text = "must be empty except for namespace" if local else "must be empty"
            causes.append(fielderrors.invalid("metadata", body["metadata"], text))
        if local:
            given = (resource or {}).get("namespace", "")
            if resource is not None and given != namespace:
                text = "must match metadata.namespace"
                where = "spec.resourceAttributes.namespace"
                causes.append(fielderrors.invalid(where, given, text))
            if path is not None:
                text = "disallowed on this kind of request"
                shown = {"Path": path.get("path", ""), "Verb": path.get("verb", "")}
                causes.append(fielderrors.invalid("spec.nonResourceAttributes", shown, text))
        if causes:
            raise invalid("authorization.k8s.io", "", "", causes)

    def _token(self, spec: Object) -> Object:
        audiences = tuple(spec.get("audiences") or (ISSUER,))
        user = self._tokens.authenticate(spec.get("token", ""), audiences)
        if user is None:
            return {"user": {}, "error": "invalid bearer token"}
        return {"authenticated": True, "user": user.info(), "audiences": list(audiences)}

    def _rules(self, user: User, spec: Object) -> Object:
        resources, urls = [], []
        for rule in self._authorizer.rules(user, spec.get("namespace", "")):
            if rule.get("nonResourceURLs"):
                urls.append({"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]})
            else:
                keys = ("verbs", "apiGroups", "resources", "resourceNames")
                resources.append({key: rule[key] for key in keys if rule.get(key)})
        status: Object = {"resourceRules": resources, "nonResourceRules": urls, "incomplete": False}
        missing = self._authorizer.missing(user, spec.get("namespace", ""))
        return {**status, "evaluationError": missing} if missing else status


def _selector_causes(selector: Object | None, name: str) -> list[Cause]:
    """Return what is wrong with a selector beside the resource that a question is about."""
    if selector is None:
        return []
    where, causes = f"spec.resourceAttributes.{name}", []
    raw, terms = selector.get("rawSelector"), selector.get("requirements")
    if raw and terms:
        text = "may not specified at the same time as requirements"
        causes.append(fielderrors.invalid(f"{where}.rawSelector", raw, text))
    if not raw and not terms:
        text = f"when {where} is specified, requirements or rawSelector is required"
        causes.append(fielderrors.required(f"{where}.requirements", text))
    return causes


def _subject(spec: Object) -> User:
    extra = tuple((key, tuple(values)) for key, values in (spec.get("extra") or {}).items())
    return User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""), extra)
