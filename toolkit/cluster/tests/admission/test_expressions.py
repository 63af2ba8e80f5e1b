"""CEL over requests: what is known, what fails and how, and what the author may do."""

import pytest

from fluvial.cluster.expressions import CelError, EvaluationError, Expression, Scope
from fluvial.cluster.permissions import Permissions

JANE = {"username": "jane", "groups": ["dev"]}
ASKED = {"group": "", "resource": "pods", "subresource": "", "namespace": "n", "name": "p"}
POD = {
    "metadata": {"name": "p", "labels": {"a": "b"}},
    "spec": {"containers": [{"image": "x:1"}], "cpu": "500m"},
}


def scope(allows=lambda user, asked: False, **rest):  # noqa: ARG005 - by default nothing
    return Scope(POD, None, {"operation": "CREATE"}, Permissions(JANE, ASKED, allows), **rest)


@pytest.mark.parametrize(
    ("source", "expected", "reason"),
    [
        ("request.operation == 'CREATE' && oldObject == null", True, "a create has no old object"),
        ("object.metadata.?labels['a'].orValue('') == 'b'", True, "optional fields"),
        ("object.spec.containers.all(c, c.image.endsWith(':1'))", True, "macros"),
        ("quantity(object.spec.cpu).isLessThan(quantity('1'))", True, "Kubernetes' own types"),
        ("params == null && namespaceObject == null", True, "nothing given is null"),
        ("variables.x + 1", 3, "variables"),
        ("has(object.spec.nothing)", False, "what is not there"),
    ],
)
def test_values(source, expected, reason):
    assert Expression(source).run(scope(variables={"x": 2})) == expected, reason


@pytest.mark.parametrize(
    ("source", "text", "reason"),
    [
        ("object.nothing == 1", "no such key: nothing", "a missing field"),
        ("object.spec.containers[3].image == ''", "index out of bounds: 3", "a missing item"),
        ("variables.bad", 'composited variable "bad" fails to evaluate: why', "a failed variable"),
    ],
)
def test_failures_name_the_expression(source, text, reason):
    with pytest.raises(EvaluationError) as error:
        Expression(source).run(scope(failed={"bad": "why"}))
    assert str(error.value) == f"expression '{source}' resulted in error: {text}", reason


def test_names_that_are_not_given_do_not_compile():
    with pytest.raises(CelError, match="undeclared reference to 'params'"):
        Expression("params == null", ("object",))


@pytest.mark.parametrize(
    ("source", "expected", "reason"),
    [
        (
            "authorizer.group('apps').resource('deployments').namespace('n').name('d').check('get')",
            ("jane", {"group": "apps", "resource": "deployments", "namespace": "n", "name": "d"}),
            "a resource by its parts",
        ),
        (
            "authorizer.group('').resource('pods').subresource('log').check('get')",
            ("jane", {"group": "", "resource": "pods", "subresource": "log"}),
            "a subresource",
        ),
        ("authorizer.path('/healthz').check('get')", ("jane", {"path": "/healthz"}), "a path"),
        ("authorizer.requestResource.check('get')", ("jane", ASKED), "that of the request"),
        (
            "authorizer.serviceAccount('n', 's').group('').resource('pods').check('get')",
            ("system:serviceaccount:n:s", {"group": "", "resource": "pods"}),
            "somebody else",
        ),
    ],
)
def test_the_authorizer_is_asked(source, expected, reason):
    asked = []

    def allows(user, what):
        asked.append((user["username"], {k: v for k, v in what.items() if k != "verb"}))
        return what["verb"] == "get"

    assert Expression(f"{source}.allowed()").run(scope(allows)) is True, reason
    assert asked == [expected], reason


def test_variables_build_on_each_other_and_fail_alone():
    found = scope()
    found.define(
        [
            {"name": "images", "expression": "object.spec.containers.map(c, c.image)"},
            {"name": "count", "expression": "size(variables.images)"},
            {"name": "bad", "expression": "object.nothing"},
        ]
    )
    assert found.variables == {"images": ["x:1"], "count": 1}
    assert list(found.failed) == ["bad"]
