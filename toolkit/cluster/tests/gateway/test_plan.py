"""The pure parts: host names, precedence, rewrites, weights, endpoints."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.cluster.gateway.attachment import common_hosts
from fluvial.cluster.gateway.backends import Backend, assignment
from fluvial.cluster.gateway.errors import UnresolvedError, UnsupportedError
from fluvial.cluster.gateway.files import ConfigFiles, Program
from fluvial.cluster.gateway.filters import header_fields, mirrors, rewrite
from fluvial.cluster.gateway.matches import envoy_match, precedence
from fluvial.cluster.gateway.routes import compile_route


@pytest.mark.parametrize(
    ("listener", "route", "wanted", "reason"),
    [
        (None, [], ("*",), "nobody names any"),
        ("a.example.com", [], ("a.example.com",), "the listener's own"),
        (None, ["a.org", "b.org"], ("a.org", "b.org"), "the route's own"),
        ("*.example.com", ["a.example.com", "a.org"], ("a.example.com",), "those it covers"),
        ("a.example.com", ["*.example.com"], ("a.example.com",), "the narrower one"),
        ("*.example.com", ["*.b.example.com"], ("*.b.example.com",), "the narrower wildcard"),
        ("*.example.com", ["example.com"], (), "a wildcard needs a label"),
        ("a.org", ["b.org"], (), "nothing in common"),
    ],
)
def test_host_names_in_common(listener, route, wanted, reason):
    assert common_hosts(listener, route) == wanted, reason


def path(kind, value, **more):
    return {"path": {"type": kind, "value": value}, **more}


def test_matches_are_tried_in_order_of_precedence():
    header = {"name": "a", "value": "b"}
    ordered = [
        path("Exact", "/a"),
        path("RegularExpression", "/a.*"),
        path("PathPrefix", "/a/b"),
        path("PathPrefix", "/a", method="GET"),
        path("PathPrefix", "/a", headers=[header], queryParams=[header]),
        path("PathPrefix", "/a", headers=[header]),
        path("PathPrefix", "/a", queryParams=[header]),
        {},
    ]
    keys = [precedence(each) for each in ordered]
    assert keys == sorted(keys)
    assert all(one < two for one, two in itertools.pairwise(keys))


@pytest.mark.parametrize(
    ("match", "wanted"),
    [
        ({}, {"prefix": "/"}),
        (path("PathPrefix", "/a/"), {"path_separated_prefix": "/a"}),
        (path("Exact", "/a/"), {"path": "/a/"}),
        (
            {"method": "GET"},
            {"prefix": "/", "headers": [{"name": ":method", "string_match": {"exact": "GET"}}]},
        ),
        (
            {"queryParams": [{"name": "q", "type": "RegularExpression", "value": "a+"}]},
            {
                "prefix": "/",
                "query_parameters": [
                    {"name": "q", "string_match": {"safe_regex": {"regex": "a+"}}}
                ],
            },
        ),
    ],
)
def test_matches_in_envoys_form(match, wanted):
    assert envoy_match(match, "m") == wanted


def prefix_rewrite(new):
    change = {"type": "ReplacePrefixMatch", "replacePrefixMatch": new}
    return [{"type": "URLRewrite", "urlRewrite": {"path": change, "hostname": "inner"}}]


@pytest.mark.parametrize(
    ("old", "new", "pattern", "replacement"),
    [
        ("/shop", "/", "^/shop/*", "/"),
        ("/shop/", "/v2/", "^/shop", "/v2"),
        ("/", "/v2", "^/*", "/v2/"),
        ("/a.b", "c", r"^/a\.b", "/c"),
    ],
)
def test_prefixes_are_replaced_at_slashes(old, new, pattern, replacement):
    found = rewrite(prefix_rewrite(new), path("PathPrefix", old), "m")
    assert found["host_rewrite_literal"] == "inner"
    wanted = {"pattern": {"regex": pattern}, "substitution": replacement}
    assert found["regex_rewrite"] == wanted


def test_a_filter_twice_is_refused():
    one = {"type": "ResponseHeaderModifier", "responseHeaderModifier": {}}
    with pytest.raises(UnsupportedError, match="may be there only once"):
        header_fields([one, one], "f")


def test_mirrors_take_their_share_and_missing_ones_are_told():
    def cluster(ref):
        if ref["name"] == "gone":
            raise UnresolvedError("BackendNotFound", "gone")
        return ref["name"]

    filters = [
        {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "a"}}},
        {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "b"}, "percent": 5}},
        {
            "type": "RequestMirror",
            "requestMirror": {
                "backendRef": {"name": "c"},
                "fraction": {"numerator": 1, "denominator": 8},
            },
        },
        {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "gone"}}},
    ]
    made, problems = mirrors(filters, cluster)
    shares = [
        (each["cluster"], each["runtime_fraction"]["default_value"]["numerator"]) for each in made
    ]
    assert shares == [("a", 1_000_000), ("b", 50_000), ("c", 125_000)]
    assert [each.reason for each in problems] == ["BackendNotFound"]


def compiled(**rule):
    route = {"metadata": {"name": "r", "namespace": "n"}, "spec": {"rules": [rule]}}
    return [each for entry in compile_route(route, _cluster).entries for each in entry.routes]


def _cluster(ref):
    if ref["name"].startswith("bad"):
        raise UnresolvedError("BackendNotFound", ref["name"])
    return ref["name"]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 1000)), max_size=6))
def test_every_request_gets_its_share(refs):
    rule = [
        {"name": f"{'ok' if good else 'bad'}{index}", "weight": weight}
        for index, (good, weight) in enumerate(refs)
    ]
    routes = compiled(backendRefs=rule)
    good = {each["name"]: each["weight"] for each in rule if each["name"].startswith("ok")}
    good = {name: weight for name, weight in good.items() if weight}
    failing = sum(each["weight"] for each in rule if each["name"].startswith("bad"))
    last = routes[-1]
    if not good:
        assert [each["direct_response"]["status"] for each in routes] == [500]
        return
    served = last["route"]["weighted_clusters"]["clusters"]
    assert {each["name"]: each["weight"] for each in served} == good
    if failing:
        share = routes[0]["match"]["runtime_fraction"]["default_value"]["numerator"]
        assert share == failing * 1_000_000 // (failing + sum(good.values()))
    assert len(routes) == (2 if failing else 1)


@pytest.mark.parametrize(
    ("timeouts", "wanted"),
    [
        ({}, "15.000s"),
        ({"request": "0s"}, "0.000s"),
        ({"request": "1m", "backendRequest": "250ms"}, "0.250s"),
        ({"request": "2s", "backendRequest": "0s"}, "2.000s"),
    ],
)
def test_the_shorter_timeout_applies(timeouts, wanted):
    (route,) = compiled(backendRefs=[{"name": "a"}], timeouts=timeouts)
    assert route["route"]["timeout"] == wanted


def test_only_ready_endpoints_of_the_named_port():
    service = {"spec": {"ports": [{"name": "http", "port": 80}, {"name": "admin", "port": 81}]}}
    ports = [{"name": "http", "port": 9898}, {"name": "admin", "port": 9999}]

    def endpoint(address, **conditions):
        return {"addresses": [address], "conditions": conditions}

    slices = [
        {
            "ports": ports,
            "endpoints": [
                endpoint("127.0.0.3", ready=True),
                endpoint("127.0.0.2", ready=False),
                endpoint("127.0.0.1"),
            ],
        },
        {"ports": ports, "endpoints": [endpoint("127.0.0.3", ready=True)]},
    ]
    found = assignment(Backend("n", "web", 80), service, slices)
    assert found["cluster_name"] == "n_web_80"
    places = [
        tuple(each["endpoint"]["address"]["socket_address"].values())
        for each in found["endpoints"][0]["lb_endpoints"]
    ]
    assert places == [("127.0.0.1", 9898), ("127.0.0.3", 9898)]


def test_files_are_replaced_only_when_they_change_and_go_when_unused(tmp_path):
    files = ConfigFiles(tmp_path)
    files.prepare()
    program = Program(routes={"a": {"name": "a"}}, endpoints={"b": {"cluster_name": "b"}})
    first = files.write(program)
    path: Path = files.path("routes", "a")
    before = path.stat().st_ino
    assert files.write(program) == first
    assert path.stat().st_ino == before
    program.routes["a"] = {"name": "a", "virtual_hosts": []}
    assert files.write(program)["http.a.rds.a"] != first["http.a.rds.a"]
    assert path.stat().st_ino != before
    files.write(Program())
    assert not path.exists()
    assert list((tmp_path / "endpoints").iterdir()) == []
