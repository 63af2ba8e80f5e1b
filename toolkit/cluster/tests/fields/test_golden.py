"""Replays recorded steps of a real API server against the library, without a server.

The state between steps is the recorded answer itself, so each step is judged alone: what the
library makes of the object before and the request is compared with the answer.
"""

import json
import re
from copy import deepcopy

import pytest

from fluvial.cluster import fields
from fluvial.cluster.fields.quantity import parse_quantity
from fluvial.cluster.fields.values import equal

NOW = "2026-01-01T00:00:00Z"
KINDS = {(group, version, kind.lower()): kind for group, version, kind in fields.builtin_kinds()}
PATH = re.compile(
    r"^/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<plural>[^/]+)"
    r"(?:/(?P<name>[^/]+))?(?:/(?P<sub>[^/]+))?$"
)


class MismatchError(AssertionError):
    pass


class Replay:
    """One case: custom definitions and objects by path."""

    def __init__(self):
        self.custom = {}
        self.live = {}
        self.definition = None

    def schema(self, group, version, plural):
        if (group, version, plural) in self.custom:
            return self.custom[group, version, plural]
        for ending, singular in (("ies", "y"), ("sses", "ss"), ("ses", "ss"), ("s", "")):
            stem = plural.removesuffix(ending) + singular if plural.endswith(ending) else plural
            if kind := KINDS.get((group, version, stem)):
                return fields.schema_for_builtin(group, version, kind)
        return fields.deduced()

    def run(self, case):
        """Return how many steps were compared."""
        return sum(self.step(step) for step in _settled(case["steps"]) if "request" in step)

    def step(self, step):
        request, response = step["request"], step["response"]
        match = PATH.match(request["path"])
        if match is None:
            return 0
        group, version, plural = match["group"] or "", match["version"], match["plural"]
        name, sub = match["name"], match["sub"] or ""
        body, answer = request.get("body"), response.get("body")
        if isinstance(body, str):
            return 0  # what does not decode, or decodes specially, is the server's affair
        if plural == "namespaces" and request["method"] == "POST":
            return 0
        if plural == "customresourcedefinitions":
            return self.define(body, (request.get("headers") or {}).get("Content-Type", ""))
        if sub == "scale":
            return 0
        api_version = f"{group}/{version}" if group else version
        schema = self.schema(group, version, plural)
        key = (plural, name or (body or {}).get("metadata", {}).get("name"))
        old = self.live.get(key)
        manager = (request.get("query") or {}).get("fieldManager", "golden")
        media = (request.get("headers") or {}).get("Content-Type", "")
        known = {
            "manager": manager,
            "subresource": sub,
            "schema": schema,
            "now": NOW,
            "version": api_version,
        }
        settle = response["status"] < 300 and isinstance(answer, dict)
        settle = settle and answer.get("kind") not in {"Status", "Scale"}
        settle = settle and "creationTimestamp" in (answer.get("metadata") or {})
        dry = bool((request.get("query") or {}).get("dryRun"))
        compared = 0
        if request["method"] == "GET":
            if settle:
                self.live[key] = answer
            return 0
        if request["method"] == "DELETE":
            self.live.pop(key, None)
            return 0
        if "apply-patch" in media and isinstance(body, dict):
            force = (request.get("query") or {}).get("force") == "true"
            compared = self.applied(
                old, body, force=force, response=response, known=known, settle=settle
            )
            if response["status"] < 300 and not settle and not dry:
                self.live[key] = fields.apply(old, body, force=force, **known)
        elif settle and request["method"] in {"POST", "PUT", "PATCH"}:
            new = deepcopy(answer)
            new["metadata"].pop("managedFields", None)
            requested = self.requested(old, body)
            if requested is not None:
                new["metadata"]["managedFields"] = requested
            if old is not None or request["method"] == "POST":
                compared += self.content(
                    old, body, media=media, method=request["method"], response=response, known=known
                )
                got = fields.track_update(old, new, **known)
                _same_managers(got, answer)
                compared += 1
        elif response["status"] in {400, 422, 500} and request["method"] in {"POST", "PATCH"}:
            compared = self.content(
                old, body, media=media, method=request["method"], response=response, known=known
            )
        if settle and not dry:
            self.live[key] = answer
        return compared

    def define(self, body, media):
        if "apply" not in media and self.definition is not None and "patch" in media:
            body = _written(self.definition, body, media, None)
        if not isinstance(body, dict) or "kind" not in (body.get("spec") or {}).get("names", ()):
            return 0
        self.definition = body
        for version in body["spec"]["versions"]:
            if "schema" not in version:
                continue
            schema = fields.schema_from_crd(
                version["schema"]["openAPIV3Schema"],
                kind=body["spec"]["names"]["kind"],
                api_version=f"{body['spec']['group']}/{version['name']}",
                status_subresource="status" in (version.get("subresources") or {}),
            )
            key = (body["spec"]["group"], version["name"], body["spec"]["names"]["plural"])
            self.custom[key] = schema
        return 0

    def content(self, old, body, *, media, method, response, known):
        """Compare what a write makes of an object, or what is wrong with it."""
        schema, sub, answer = known["schema"], known["subresource"], response["body"]
        custom = isinstance(schema, fields.CustomSchema)
        if old is None and method != "POST":
            return 0
        try:
            new = _written(old, body, media, schema)
        except fields.FieldsError as error:
            if (response["status"], answer.get("message")) != (error.status, str(error)):
                raise MismatchError(f"{error.status} {error}: not as {answer}") from error
            return 1
        if not isinstance(new, dict) or not isinstance(new.get("metadata"), dict):
            return 0
        if not custom:
            if response["status"] < 300 and not sub and method == "PATCH":
                _within(_clean(schema, new), answer)
                return 1
            return 0
        if sub == "status":
            new = {**old, "status": new.get("status")}
        elif ("f:status",) in schema.reset.get("", ()):
            new = {**new, "status": (old or {}).get("status")}
            new = {k: v for k, v in new.items() if k != "status" or v is not None}
        schema.prune(new)
        schema.default(new)
        check = schema.validate_status if sub == "status" else schema.validate
        causes = sorted((e.type, e.message, e.field) for e in check(new, old))
        details = answer.get("details") or {} if response["status"] == 422 else {}
        wanted = sorted(
            (c["reason"], c["message"], c["field"])
            for c in details.get("causes", ())
            if not c["field"].startswith(("metadata.resourceVersion", ".spec"))
        )
        if response["status"] in {200, 201, 422} and causes != wanted:
            raise MismatchError(f"causes\n have {causes}\n want {wanted}")
        if response["status"] < 300:
            for name in set(new) - {"metadata"} | set(answer) - {"metadata"}:
                if not equal(new.get(name), answer.get(name)):
                    raise MismatchError(f"{name}: {new.get(name)} instead of {answer.get(name)}")
        return 1

    def requested(self, old, body):
        """Return the managedFields that a request sends, None when it sends none."""
        if isinstance(body, dict) and "metadata" in body:
            return (body["metadata"] or {}).get("managedFields")
        if isinstance(body, list) and old is not None:
            doc = fields.patch_json(old, body)
            return doc["metadata"].get("managedFields")
        return None

    def applied(self, old, body, *, force, response, known, settle):
        status, answer = response["status"], response.get("body") or {}
        try:
            got = fields.apply(old, body, force=force, **known)
        except fields.FieldsError as error:
            if status < 300:
                raise MismatchError(f"refused: {error}") from error
            if str(error) != answer.get("message"):
                raise MismatchError(f"{error} instead of {answer.get('message')}") from error
            if isinstance(error, fields.ApplyConflict):
                causes = [(c.message, c.field) for c in error.causes]
                wanted = [(c["message"], c["field"]) for c in answer["details"]["causes"]]
                if sorted(causes) != sorted(wanted):
                    raise MismatchError(f"{causes} instead of {wanted}") from error
            return 1
        if status in {409, 500} and "conflict" in answer.get("message", ""):
            raise MismatchError(f"applied instead of: {answer['message']}")
        if not settle:
            return 0
        _same_managers(got, answer)
        for path in known["schema"].reset.get(known["subresource"], ()):
            _drop(got, path)
        _within(got, answer)
        return 1


def _written(old, body, media, schema):
    body = deepcopy(body)
    if "json-patch" in media:
        return fields.patch_json(old, body)
    if "strategic" in media:
        return fields.patch_strategic(old, body, schema)
    if "merge-patch" in media:
        return fields.patch_merge(old, body)
    return body


def _clean(schema, item):
    """Drop what decoding drops: unknown fields, nulls."""
    unknown = set(schema.unknown_fields(item))
    return {
        name: value for name, value in item.items() if name not in unknown and value is not None
    }


def _settled(steps):
    """Return the steps with one fixed time, and what `$repeat` stands for."""
    text = json.dumps(steps).replace("$time", NOW)
    text = re.sub(r'"\$nodePort(\d)"', r"3000\1", text)
    text = re.sub(r"\$repeat\((.*?),(\d+)\)", lambda m: m[1] * int(m[2]), text)
    return json.loads(text)


def _same_managers(got, answer):
    have = got["metadata"].get("managedFields", [])
    want = answer["metadata"].get("managedFields", [])
    if have != want:
        raise MismatchError(f"managedFields\n have {json.dumps(have)}\n want {json.dumps(want)}")


def _drop(item, path):
    """Take out what the server takes out of a write, such as status."""
    *parents, last = (element.removeprefix("f:") for element in path)
    for name in parents:
        item = item.get(name, {})
    item.pop(last, None)


def _within(got, answer, path=""):
    """Require that everything the library set is in the answer (which has defaults besides)."""
    skipped = {".metadata.managedFields", ".metadata.resourceVersion", ".metadata.generation"}
    if path in skipped:
        return
    if isinstance(got, dict) and isinstance(answer, dict):
        for name, value in got.items():
            where = f"{path}.{name}"
            if where in skipped or value in (None, {}, []):
                continue
            if name not in answer:
                raise MismatchError(f"{where} is not in the answer")
            _within(value, answer[name], where)
    elif isinstance(got, list) and isinstance(answer, list) and len(got) == len(answer):
        for index, (one, other) in enumerate(zip(got, answer, strict=True)):
            _within(one, other, f"{path}[{index}]")
    elif got != answer and not _same_quantity(got, answer):
        raise MismatchError(f"{path}: {got!r} instead of {answer!r}")


def _same_quantity(got, answer):
    try:
        return parse_quantity(got) == parse_quantity(answer)
    except (TypeError, ValueError):
        return False


# What the server does around the library decides these; the HTTP replay covers them.
SERVER_SIDE = {
    "apply/other-api-version": "versions of one kind are converted into each other",
    "apply/secret-stringdata": "stringData becomes data",
    "apply/server-set-metadata": "what is immutable in metadata",
    "apply/service-type-switch": "node ports are given back",
    "patch/field-validation": "duplicate fields in the body",
    "crd/versions": "objects are stored in the storage version",
}


def test_recorded(recorded):
    if recorded["name"] in SERVER_SIDE:
        with pytest.raises(MismatchError):
            Replay().run(recorded)
    else:
        Replay().run(recorded)


def test_the_replay_compares_something():
    from_step = Replay()
    case = {
        "steps": [
            {
                "request": {
                    "method": "PATCH",
                    "path": "/api/v1/namespaces/x/configmaps/a",
                    "query": {"fieldManager": "m"},
                    "headers": {"Content-Type": "application/apply-patch+yaml"},
                    "body": {
                        "apiVersion": "v1",
                        "kind": "ConfigMap",
                        "metadata": {"name": "a"},
                        "data": {"k": "1"},
                    },
                },
                "response": {
                    "status": 201,
                    "body": {
                        "kind": "ConfigMap",
                        "metadata": {"creationTimestamp": "$time", "name": "a"},
                        "data": {"k": "1"},
                    },
                },
            }
        ]
    }
    with pytest.raises(MismatchError, match="managedFields"):
        from_step.run(case)
