"""What the status of a validating policy says of fields that its kinds do not have."""

import pytest

from fluvial.cluster.resources import builtin_resources
from fluvial.cluster.typechecking import expression_warnings

APPS = {"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments", "replicasets"]}
DEPLOYMENTS = {**APPS, "resources": ["deployments"]}
MAPS = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}


def warned(rule, *rules, **spec):
    """Return the warnings of a policy with one validation, by the place of the expression."""
    constraints = {"resourceRules": list(rules or [DEPLOYMENTS])}
    policy = {"spec": {"matchConstraints": constraints, "validations": [rule], **spec}}
    found = expression_warnings(policy, builtin_resources())
    return {each["fieldRef"]: each["warning"] for each in found}


@pytest.mark.parametrize(
    ("expression", "place", "reason"),
    [
        ("object.spec.replicas > 1", None, "a field that is there"),
        ("object.replicas > 1", "1:7: undefined field 'replicas'", "one that is not"),
        ("true &&\n  object.spec.template.spec.containrs.all(c, true)",
         "2:28: undefined field 'containrs'", "deep inside, in its line"),
        ("has(oldObject.spec.x)", "1:19: undefined field 'x'", "whether it is there is a question"),
        ("object.metadata.labels.anything == ''", None, "maps have any key"),
        ("object.spec.?x.hasValue()", None, "optional fields are not followed"),
        ("object.spec.template.spec.containers[0].x == ''", None, "nor are items of lists"),
        ("'object.nope' == ''", None, "strings are no paths"),
        ("request.object.nope == 1", None, "nor are fields of others"),
        ("object.spec.replicas.nope()", None, "nor are calls"),
        ("object.spec.replicas.x == 1", None, "what has no fields has none that is missing"),
    ],
)  # fmt: skip
def test_fields(expression, place, reason):
    found = warned({"expression": expression})
    if place is None:
        assert found == {}, reason
    else:
        (text,) = found.values()
        assert text.startswith(f"apps/v1, Kind=Deployment: ERROR: <input>:{place}\n | "), reason


def test_every_kind_that_lacks_it_is_named():
    rule = {"expression": "true", "messageExpression": "string(object.spec.strategy)"}
    pointer = " | string(object.spec.strategy)\n | ..................^"
    assert warned(rule, APPS, MAPS) == {
        "spec.validations[0].messageExpression": (
            "v1, Kind=ConfigMap: ERROR: <input>:1:14: undefined field 'spec'\n"
            " | string(object.spec.strategy)\n | .............^\n"
            f"apps/v1, Kind=ReplicaSet: ERROR: <input>:1:19: undefined field 'strategy'\n{pointer}"
        )
    }


@pytest.mark.parametrize(
    "rule",
    [
        {**DEPLOYMENTS, "apiGroups": ["*"]},
        {**DEPLOYMENTS, "apiVersions": ["*"]},
        {**DEPLOYMENTS, "resources": ["*"]},
        {**DEPLOYMENTS, "resources": ["deployments/scale"]},
    ],
)
def test_rules_that_name_no_kind_are_not_checked(rule):
    assert warned({"expression": "object.nope"}, rule) == {}


def test_parameters_have_types_too():
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    (text,) = warned({"expression": "params.dat.k == ''"}, paramKind=kind).values()
    assert "undefined field 'dat'" in text
