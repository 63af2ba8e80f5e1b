"""MutatingAdmissionPolicies in force: what they change, in which order, and what fails."""

import base64
import json

import pytest

from fluvial.cluster.errors import StatusError

GROUP = "admissionregistration.k8s.io/v1"
MAPS = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
        "resources": ["configmaps"]}  # fmt: skip
DEPLOYMENTS = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"],
               "resources": ["deployments"]}  # fmt: skip


def configuration(expression):
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def patch(expression):
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


def appended(text):
    """Return a mutation that appends to the key `trail`."""
    before = "(has(object.data) && 'trail' in object.data ? object.data.trail : '')"
    return configuration(f"Object{{data: {{'trail': {before} + '{text}'}}}}")


@pytest.fixture
def install(api):
    """Give what creates a policy and its binding."""

    async def create(*mutations, name="p", rules=(MAPS,), again="Never", binding=None, **rest):
        spec = {
            "matchConstraints": {"resourceRules": list(rules)},
            "mutations": list(mutations),
            "reinvocationPolicy": again,
            **rest,
        }
        await api.create(
            {"apiVersion": GROUP, "kind": "MutatingAdmissionPolicy", "metadata": {"name": name},
             "spec": spec}
        )  # fmt: skip
        bound = {"policyName": name, **(binding or {})}
        await api.create(
            {"apiVersion": GROUP, "kind": "MutatingAdmissionPolicyBinding",
             "metadata": {"name": name}, "spec": bound}
        )  # fmt: skip

    return create


async def refusal(call):
    with pytest.raises(StatusError) as error:
        await call
    return error.value


async def test_a_configuration_is_merged_and_owned_by_nobody(api, install, config_map):
    await install(configuration("Object{data: {'by': 'policy', 'name': object.metadata.name}}"))
    made = await api.create(config_map(k="v"))
    assert made["data"] == {"k": "v", "by": "policy", "name": "a"}
    (entry,) = made["metadata"]["managedFields"]
    assert "f:by" not in entry["fieldsV1"]["f:data"]


async def test_items_of_keyed_lists_are_merged(api, install):
    container = "Object.spec.template.spec.containers{name: 'c', image: 'other'}"
    side = "Object.spec.template.spec.containers{name: 'side', image: 's'}"
    inner = f"Object.spec.template.spec{{containers: [{container}, {side}]}}"
    await install(
        configuration(f"Object{{spec: Object.spec{{template: Object.spec.template{{spec: {inner}"
                      "}}}"),
        rules=[DEPLOYMENTS],
    )  # fmt: skip
    template = {"metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "c", "image": "i", "args": ["x"]}]}}  # fmt: skip
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    made = await api.create(
        {"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec,
         "metadata": {"name": "d", "namespace": "default"}}
    )  # fmt: skip
    found = made["spec"]["template"]["spec"]["containers"]
    assert [(c["name"], c["image"], c.get("args")) for c in found] == [
        ("c", "other", ["x"]), ("side", "s", None),
    ]  # fmt: skip
    assert found[1]["imagePullPolicy"] == "Always"  # what is set is defaulted


async def test_a_patch_with_variables_and_parameters(api, install, config_map):
    meta = {"name": "given", "namespace": "default"}
    await api.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"k": "from params"}}
    )
    await install(
        patch("[JSONPatch{op: 'test', path: '/metadata/name', value: 'a'}, "
              "JSONPatch{op: 'add', path: '/data/' + variables.key, value: params.data.k}]"),
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        variables=[{"name": "key", "expression": "'x' + request.operation"}],
        binding={"paramRef": {"name": "given", "parameterNotFoundAction": "Deny"}},
    )  # fmt: skip
    assert (await api.create(config_map(k="v")))["data"] == {"k": "v", "xCREATE": "from params"}
    assert (await api.create(config_map("b", k="v")))["data"] == {"k": "v"}  # its test failed


async def test_mutations_follow_one_another(api, install, config_map):
    await install(appended("2"), appended("3"), name="b")
    await install(appended("1"), name="a")
    await install(appended("4"), name="c", matchConditions=[
        {"name": "seen", "expression": "object.data.trail == '123'"}])  # fmt: skip
    assert (await api.create(config_map(k="v")))["data"]["trail"] == "1234"


async def test_only_those_if_needed_are_called_again_and_once(api, install, config_map):
    await install(appended("n"), name="a", again="Never")
    await install(appended("i"), name="b", again="IfNeeded")
    await install(appended("x"), name="c", again="IfNeeded")
    # The change of c calls b again; c is the last of the first round, and b the only one after it.
    assert (await api.create(config_map(k="v")))["data"]["trail"] == "nixix"


async def test_a_webhook_that_changes_something_calls_policies_again(
    api, install, hook, register, config_map
):
    def answer(request):
        if "hook" in (request["object"].get("data") or {}):
            return {"allowed": True}
        change = [{"op": "add", "path": "/data/hook", "value": "yes"}]
        text = base64.b64encode(json.dumps(change).encode()).decode()
        return {"allowed": True, "patchType": "JSONPatch", "patch": text}

    hook.answer = answer
    await install(appended("p"), again="IfNeeded")
    await register(hook.config, mutating=True, reinvocationPolicy="IfNeeded")
    assert (await api.create(config_map(k="v")))["data"] == {"k": "v", "hook": "yes", "trail": "pp"}
    # The policy comes first; what it changes in the second round calls the webhook again.
    assert [review["object"]["data"].get("trail") for review in hook.reviews] == ["p", "pp"]


FAILURES = [
    (configuration("Object{data: Object.spec{}}"),
     ('type mismatch: unexpected type name "Object.spec", expected "Object.data", which matches '
     "field name path from root Object type"), "a type at the wrong place"),
    (configuration("Object{nope: 1}"),
     ("error applying patch: failed to convert patch object to typed object: .nope: field not "
     "declared in schema"), "a field that is not there"),
    (configuration("Object{data: {'k': object.nope}}"),
     "expression 'Object{data: {'k': object.nope}}' resulted in error: no such key: nope",
     "an expression that fails"),
]  # fmt: skip


@pytest.mark.parametrize(("mutation", "text", "reason"), FAILURES)
async def test_a_mutation_that_fails(api, install, config_map, *, mutation, text, reason):
    await install(mutation)
    found = await refusal(api.create(config_map(k="v")))
    assert (found.code, found.reason) == (403, "Invalid"), reason
    assert found.message == f"policy 'p' with binding 'p' denied request: {text}", reason
    assert found.details["causes"] == [{"message": found.message}], reason


async def test_a_failure_that_is_ignored_keeps_what_others_did(api, install, config_map):
    await install(appended("1"), configuration("Object{nope: 1}"), appended("2"),
                  failurePolicy="Ignore")  # fmt: skip
    assert (await api.create(config_map(k="v")))["data"]["trail"] == "12"


async def test_lists_that_are_replaced_as_a_whole_are_refused(api, install):
    spec = "Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{"
    spec += "tolerations: [Object.spec.template.spec.tolerations{key: 'x'}]}}}"
    await install(configuration(f"Object{{spec: {spec}}}"), rules=[DEPLOYMENTS])
    template = {"metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "c", "image": "i"}]}}  # fmt: skip
    body = {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "d", "namespace": "default"},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}}  # fmt: skip
    found = await refusal(api.create(body))
    assert found.message.endswith(
        "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or "
        "structs: .spec.template.spec.tolerations"
    )


async def test_a_missing_parameter_is_a_refusal_of_the_binding(api, install, config_map):
    await install(
        appended("x"),
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        binding={"paramRef": {"name": "gone", "parameterNotFoundAction": "Deny"}},
    )
    found = await refusal(api.create(config_map(k="v")))
    assert (found.code, found.reason) == (403, "Forbidden")
    assert found.message == (
        "policy 'p' with binding 'p' denied request: failed to configure binding: no params found "
        "for policy binding with `Deny` parameterNotFoundAction"
    )


async def test_deletions_and_other_resources_pass(api, install, config_map):
    await install(configuration("Object{nope: 1}"), rules=[DEPLOYMENTS])
    await api.create(config_map(k="v"))
    await api.delete("v1/configmaps", "default", "a")


STANZAS = [
    ({"mutations": []}, ["spec.mutations: Required value: mutations must contain at least one"],
     "something to do"),
    ({"reinvocationPolicy": ""}, ["spec.reinvocationPolicy: Required value"], "there is none"),
    ({"reinvocationPolicy": "Often"},
     ['spec.reinvocationPolicy: Unsupported value: "Often": supported values: "IfNeeded", "Never"'],
     "one of two"),
    ({"mutations": [{}]}, ["spec.mutations[0].patchType: Required value"], "of which type"),
    ({"mutations": [{"patchType": "Merge"}]},
     [('spec.mutations[0].patchType: Unsupported value: "Merge": supported values: '
      '"ApplyConfiguration", "JSONPatch"')], "of these types"),
    ({"mutations": [{"patchType": "JSONPatch", "applyConfiguration": {"expression": "Object{}"}}]},
     ['spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must not be',
      "spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch"],
     "the member of its type"),
    ({"mutations": [configuration(" ")]},
     ["spec.mutations[0].applyConfiguration.expression: Required value"], "an expression"),
    ({"mutations": [configuration("object")]},
     [('spec.mutations[0].applyConfiguration.expression: Invalid value: "object": must evaluate to '
      "Object but got dyn")], "of the right type"),
    ({"mutations": [patch("[1]")]},
     [('spec.mutations[0].jsonPatch.expression: Invalid value: "[1]": must evaluate to '
      "list(JSONPatch) but got list(int)")], "a list of operations"),
    ({"mutations": [configuration("Object{a: params.x}")]},
     [('spec.mutations[0].applyConfiguration.expression: Invalid value: "Object{a: params.x}": '
      "compilation failed: ERROR: <input>:1:17: undeclared reference to 'params")],
     "no parameters without a kind"),
    ({"matchConstraints": {"resourceRules": [{**MAPS, "operations": ["DELETE"]}]}},
     [('spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported '
      'values: "*", "CONNECT", "CREATE", "UPDATE"')], "a deletion has no object"),
    ({"paramKind": {"apiVersion": "a/b/c", "kind": "a.b"}},
     ['spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      'spec.paramKind.kind: Invalid value: "a.b": may have mixed case, but should otherwise'],
     "a kind that can be"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "causes", "reason"), STANZAS)
async def test_a_policy_is_checked(api, changed, causes, reason):
    spec = {"matchConstraints": {"resourceRules": [MAPS]}, "reinvocationPolicy": "Never",
            "mutations": [configuration("Object{}")], **changed}  # fmt: skip
    body = {"apiVersion": GROUP, "kind": "MutatingAdmissionPolicy", "metadata": {"name": "p"}}
    found = await refusal(api.create({**body, "spec": spec}))
    shown = [f"{cause['field']}: {cause['message']}" for cause in found.details["causes"]]
    assert len(shown) == len(causes), (reason, shown)
    for one, expected in zip(shown, causes, strict=True):
        assert one.startswith(expected), (reason, one)
