"""What policies and webhooks say to the audit log: failures, and notes of their own."""

import json
import ssl

import aiohttp
import pytest

from fluvial.cluster.endpoints import Target, WriteOptions
from fluvial.cluster.errors import StatusError
from fluvial.cluster.plane import ControlPlane, Options
from fluvial.cluster.resources import Gvr

GROUP = "admissionregistration.k8s.io/v1"
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}
FAILURE = "validation.policy.admission.k8s.io/validation_failure"
HOLDS, FAILS = {"expression": "true"}, {"expression": "false", "message": "no"}


async def install(api, actions=("Audit",), name="p", binding=None, **spec):
    """Create a policy with its binding."""
    spec = {"matchConstraints": {"resourceRules": [RULE]}, **spec}
    bound = {"policyName": name, "validationActions": list(actions), **(binding or {})}
    for kind, content in (("", spec), ("Binding", bound)):
        await api.create(
            {
                "apiVersion": GROUP,
                "kind": f"ValidatingAdmissionPolicy{kind}",
                "metadata": {"name": name},
                "spec": content,
            }
        )


@pytest.fixture
def written(endpoints, config_map):
    """Give what creates a ConfigMap and returns what the audit log is told of it."""

    async def write(**data):
        resource = endpoints.catalog.find(Gvr.parse("v1/configmaps"))
        options = WriteOptions()
        await endpoints.create(Target(resource, "default"), config_map(**data), options)
        return options.annotations

    return write


def note(key, expression):
    return {"key": key, "valueExpression": expression}


NOTES = [
    ([note("k", "'  name is ' + object.metadata.name")], {"p/k": "name is a"}, "without blanks"),
    ([note("k", "null")], {}, "null says nothing"),
    ([note("k", "' '")], {}, "nor do blanks"),
    ([note("k", "'1'"), note("l", "'2'")], {"p/k": "1", "p/l": "2"}, "several"),
]  # fmt: skip


@pytest.mark.parametrize(("notes", "expected", "reason"), NOTES)
async def test_notes(api, written, notes, expected, reason):
    await install(api, auditAnnotations=notes)
    assert await written() == expected, reason


async def test_bindings_say_the_same_once(api, written, config_map):
    await api.create(config_map("one", k="x"))
    await api.create(config_map("two", k="x"))
    await api.create(config_map("three", k="y"))
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    reference = {"selector": {}, "parameterNotFoundAction": "Deny"}
    notes = [note("k", "params.data.k")]
    await install(api, auditAnnotations=notes, paramKind=kind, binding={"paramRef": reference})
    assert await written() == {"p/k": "x, y"}


async def test_a_failure_is_told_and_passes(api, written):
    await install(api, validations=[HOLDS, FAILS, {"expression": "1 == 2"}])
    (failure,) = json.loads((await written())[FAILURE])
    assert failure == {
        "message": "no",
        "policy": "p",
        "binding": "p",
        "expressionIndex": 1,
        "validationActions": ["Audit"],
    }


@pytest.mark.parametrize(
    ("expression", "policy", "text"),
    [
        ("object.nope", "Fail", "expression 'object.nope' resulted in error: no such key: nope"),
        ("object.nope", "Ignore", None),
        ("dyn(1)", "Ignore", ("valueExpression 'dyn(1)' resulted in unsupported return type: int. "
         "Return type must be either string or null.")),
    ],
)  # fmt: skip
async def test_a_note_that_fails_refuses_whatever_the_actions(
    api, written, expression, policy, text
):
    await install(api, auditAnnotations=[note("k", expression)], failurePolicy=policy)
    if text is None:
        assert await written() == {}
        return
    with pytest.raises(StatusError) as error:
        await written()
    assert error.value.message.endswith(f"denied request: {text}")


STANZAS = [
    ([note("", "'x'")], 'spec.auditAnnotations[0].key: Invalid value: "p/": name part must be non',
     "a key"),
    ([note("a b", "'x'")], 'spec.auditAnnotations[0].key: Invalid value: "p/a b": name part must',
     "of a name"),
    ([note("k", " ")], "spec.auditAnnotations[0].valueExpression: Required value", "an expression"),
    ([note("k", "1")], ('spec.auditAnnotations[0].valueExpression: Invalid value: "1": must evalua'
     "te to one of [string null_type] but got int"), "of a text"),
    ([note("k", "'x'"), note("k", "'y'")], 'spec.auditAnnotations[1].key: Duplicate value: "k"',
     "once"),
    ([note(f"k{n}", "'x'") for n in range(21)], "spec.auditAnnotations: Invalid value", "not many"),
]  # fmt: skip


@pytest.mark.parametrize(("notes", "cause", "reason"), STANZAS)
async def test_notes_are_checked(api, notes, cause, reason):
    with pytest.raises(StatusError) as error:
        await install(api, auditAnnotations=notes)
    found = error.value.details["causes"][0]
    assert f"{found['field']}: {found['message']}".startswith(cause), (reason, found)


async def test_webhooks_have_something_to_say_too(hook, register, written):
    hook.answer = lambda request: {"allowed": True, "auditAnnotations": {"k": request["name"]}}
    await register(hook.config)
    assert await written() == {"h.example.com/k": "a"}


async def test_the_log_has_the_annotations_of_a_request(tmp_path, config_map):
    log = tmp_path / "audit.jsonl"
    async with ControlPlane(Options(audit_log=log)) as plane:
        await install(plane.api, auditAnnotations=[note("k", "'said'")])
        trust = ssl.create_default_context(cadata=plane.ca)
        headers = {"Authorization": f"Bearer {plane.token}"}
        url = f"{plane.url}/api/v1/namespaces/default/configmaps"
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(url, json=config_map(), ssl=trust) as response,
        ):
            assert response.status == 201
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line.get("annotations") for line in lines] == [{"p/k": "said"}]
