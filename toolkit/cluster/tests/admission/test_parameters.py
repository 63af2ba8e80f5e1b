"""Who may name parameters in policies: who may read them."""

import pytest

from fluvial.cluster.auth.parameters import ParameterGuard
from fluvial.cluster.auth.rbac import Authorizer
from fluvial.cluster.endpoints import User
from fluvial.cluster.errors import StatusError

GROUP = "admissionregistration.k8s.io/v1"
JANE = User("jane", ("dev",))
CONFIG_MAPS = {"apiVersion": "v1", "kind": "ConfigMap"}
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["secrets"]}
NAMED = {"name": "a", "namespace": "default", "parameterNotFoundAction": "Allow"}
SELECTED = {"selector": {}, "parameterNotFoundAction": "Allow"}


def policy(kind=CONFIG_MAPS, name="p"):
    spec = {"matchConstraints": {"resourceRules": [RULE]}, "validations": [{"expression": "true"}]}
    if kind is not None:
        spec["paramKind"] = kind
    meta = {"name": name}
    return {
        "apiVersion": GROUP, "kind": "ValidatingAdmissionPolicy", "metadata": meta, "spec": spec,
    }  # fmt: skip


def binding(reference):
    spec = {"policyName": "p", "validationActions": ["Deny"]}
    if reference is not None:
        spec["paramRef"] = reference
    meta = {"name": "b"}
    return {
        "apiVersion": GROUP, "kind": "ValidatingAdmissionPolicyBinding", "metadata": meta,
        "spec": spec,
    }  # fmt: skip


@pytest.fixture
async def guarded(endpoints, api):
    """Guard parameters; gives what lets Jane do something with ConfigMaps."""
    endpoints.guard_roles = ParameterGuard(endpoints, Authorizer(endpoints)).guard

    async def allow(verbs, kind="ClusterRole", namespace=None):
        meta = {"name": "r", **({"namespace": namespace} if namespace else {})}
        version = "rbac.authorization.k8s.io/v1"
        rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs}]
        await api.create({"apiVersion": version, "kind": kind, "metadata": meta, "rules": rules})
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "r"}
        subject = {"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}
        await api.create(
            {"apiVersion": version, "kind": f"{kind}Binding", "metadata": meta,
             "roleRef": reference, "subjects": [subject]}
        )  # fmt: skip

    return allow


async def refused(call):
    with pytest.raises(StatusError) as error:
        await call
    (cause,) = error.value.details["causes"]
    assert (error.value.code, cause["reason"]) == (422, "FieldValueForbidden")
    return f"{cause['field']}: {cause['message']}"


POLICIES = [
    (CONFIG_MAPS, [], False, "no right at all"),
    (CONFIG_MAPS, ["list"], False, "another right"),
    (CONFIG_MAPS, ["get"], True, "the right one"),
    (None, [], True, "no parameters"),
    ({"apiVersion": "v1", "kind": "Nothing"}, ["get"], False, "a kind that may be any"),
]


@pytest.mark.parametrize(("kind", "verbs", "may", "reason"), POLICIES)
async def test_a_policy_needs_get_on_all_objects(api, guarded, *, kind, verbs, may, reason):
    await guarded(verbs or ["watch"])
    jane = api.acting(JANE, "jane")
    if may:
        await jane.create(policy(kind))
        return
    text = (
        'spec.paramKind: Forbidden: user &{jane  [dev] map[]} must have "get" permission on all '
        f"objects of the referenced paramKind (kind={kind['kind']}, apiVersion=v1)"
    )
    assert await refused(jane.create(policy(kind))) == text, reason


async def test_who_changes_something_else_needs_nothing(api, guarded):
    await guarded(["watch"])
    await api.create(policy())
    change = {"metadata": {"labels": {"a": "b"}}}
    resource = f"{GROUP}/validatingadmissionpolicies"
    await api.acting(JANE, "jane").patch_merge(resource, None, "p", change)


BINDINGS = [
    (NAMED, ["get"], True, "one by name"),
    (NAMED, ["list"], False, "which a list does not give"),
    (SELECTED, ["list"], True, "those that are selected"),
    (SELECTED, ["get"], False, "which a get does not give"),
    (None, ["watch"], True, "none"),
]


@pytest.mark.parametrize(("reference", "verbs", "may", "reason"), BINDINGS)
async def test_a_binding_needs_what_it_refers_to(api, guarded, *, reference, verbs, may, reason):
    await guarded(verbs)
    await api.create(policy())
    jane = api.acting(JANE, "jane")
    if may:
        await jane.create(binding(reference))
        return
    verb = "get" if "name" in reference else "list"
    assert await refused(jane.create(binding(reference))) == (
        f'spec.paramRef: Forbidden: user &{{jane  [dev] map[]}} does not have "{verb}" permission '
        "on the object referenced by paramRef"
    ), reason


async def test_the_right_in_the_namespace_of_the_parameter_is_enough(api, guarded):
    await guarded(["get"], "Role", "default")
    await api.create(policy())
    await api.acting(JANE, "jane").create(binding(NAMED))


async def test_masters_may_do_everything(api, guarded):
    await guarded(["watch"])
    await api.create(policy())
    await api.create(binding(NAMED))
