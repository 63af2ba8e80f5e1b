import pytest

from fluvial.canary.errors import InvalidSpec
from fluvial.canary.routers import OPT_OUT, GatewayRouter, InvalidRoute, RouteNotReady, Weights
from fluvial.toolkit.client import Conflict

PARENT = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "shared"}
ANY_PATH = {"path": {"type": "PathPrefix", "value": "/"}}


def backend(name, weight):
    return {"group": "", "kind": "Service", "name": name, "port": 9898, "weight": weight}


@pytest.fixture
def router(client):
    return GatewayRouter(client)


@pytest.fixture
def rules(api):
    return lambda: api.get("HTTPRoute", "podinfo")["spec"]["rules"]


async def test_the_route_is_created_with_all_traffic_at_the_primary(api, router, canary):
    service = {"hosts": ["app.example.com"], "timeout": "15s", "backendTimeout": "3s"}
    service["apex"] = {"labels": {"team": "a"}}
    await router.reconcile(canary(service=service))
    route = api.get("HTTPRoute", "podinfo")
    assert route["spec"] == {
        "parentRefs": [PARENT],
        "hostnames": ["app.example.com"],
        "rules": [
            {
                "matches": [ANY_PATH],
                "backendRefs": [backend("podinfo-primary", 100), backend("podinfo-canary", 0)],
                "timeouts": {"request": "15s", "backendRequest": "3s"},
            }
        ],
    }
    assert route["metadata"]["labels"] == {"team": "a"}
    assert route["metadata"]["annotations"] == OPT_OUT
    assert route["metadata"]["ownerReferences"][0]["uid"] == "u-1"


async def test_weights_are_read_back_as_they_were_set(router, canary):
    await router.reconcile(canary())
    assert await router.get(canary()) == Weights(100, 0)
    await router.set(canary(), Weights(70, 30))
    assert await router.get(canary()) == Weights(70, 30)


async def test_what_is_already_so_is_not_written(api, router, canary):
    await router.reconcile(canary())
    await router.reconcile(canary())
    await router.set(canary(), Weights(100, 0))
    assert [write.method for write in api.writes()] == ["POST"]


async def test_a_correction_keeps_weights_and_foreign_annotations(api, router, canary):
    await router.reconcile(canary())
    await router.set(canary(), Weights(60, 40))
    route = api.get("HTTPRoute", "podinfo")
    route["metadata"]["annotations"]["cloud/arn"] = "x"
    route["metadata"]["labels"] = {"stray": "x"}
    route["spec"]["hostnames"] = ["elsewhere.example.com"]
    route["spec"]["rules"][0]["matches"] = [{"path": {"type": "Exact", "value": "/stolen"}}]
    route["spec"]["rules"].append({"backendRefs": [backend("other", 1)]})
    api.put(route)
    await router.reconcile(canary())
    route = api.get("HTTPRoute", "podinfo")
    assert "hostnames" not in route["spec"]
    assert route["spec"]["rules"] == [
        {
            "matches": [ANY_PATH],
            "backendRefs": [backend("podinfo-primary", 60), backend("podinfo-canary", 40)],
        }
    ]
    assert route["metadata"]["labels"] == {}
    assert route["metadata"]["annotations"] == {**OPT_OUT, "cloud/arn": "x"}


async def test_weights_that_do_not_add_up_follow_the_status(api, router, canary):
    await router.reconcile(canary())
    route = api.get("HTTPRoute", "podinfo")
    route["spec"]["rules"][0]["backendRefs"][1]["weight"] = 77
    api.put(route)
    await router.reconcile(canary(status={"canaryWeight": 20}))
    assert await router.get(canary()) == Weights(80, 20)


async def test_a_write_that_another_one_overtook_is_refused(api, router, canary):
    await router.reconcile(canary())
    route = api.get("HTTPRoute", "podinfo")

    def overtake(request):
        if request.method == "PATCH":
            api.faults.clear()
            api.put(route | {"spec": {**route["spec"], "hostnames": ["late.example.com"]}})

    api.faults.append(overtake)
    with pytest.raises(Conflict):
        await router.set(canary(), Weights(50, 50))


async def test_an_ab_test_splits_users_and_sends_the_others_to_the_primary(rules, router, canary):
    users = {"headers": {"x-canary": {"exact": "insider"}}}
    tested = canary(
        service={"match": [{"uri": {"prefix": "/api"}, "headers": {"x-v": {"exact": "1"}}}]},
        analysis={"match": [users], "iterations": 5},
    )
    await router.reconcile(tested)
    await router.set(tested, Weights(0, 100))
    path = {"type": "PathPrefix", "value": "/api"}
    insider = {"type": "Exact", "name": "x-canary", "value": "insider"}
    everyone = {"type": "Exact", "name": "x-v", "value": "1"}
    assert rules() == [
        {
            "matches": [{"path": path, "headers": [insider]}],
            "backendRefs": [backend("podinfo-primary", 0), backend("podinfo-canary", 100)],
        },
        {
            "matches": [{"path": path, "headers": [everyone]}],
            "backendRefs": [backend("podinfo-primary", 100)],
        },
    ]
    assert await router.get(tested) == Weights(0, 100)


async def test_mirroring_is_for_blue_green(rules, router, canary):
    mirrored = canary(analysis={"iterations": 3, "mirror": True})
    await router.reconcile(mirrored)
    await router.set(mirrored, Weights(100, 0, mirrored=True))
    target = {"group": "", "kind": "Service", "name": "podinfo-canary", "port": 9898}
    copy = {"type": "RequestMirror", "requestMirror": {"backendRef": target}}
    assert rules()[0]["filters"] == [copy]
    assert await router.get(mirrored) == Weights(100, 0, mirrored=True)


@pytest.mark.parametrize(
    ("phase", "kept", "reason"),
    [
        ("Progressing", True, "a running release goes on mirroring"),
        ("Succeeded", False, "a copy that is left over is drift"),
    ],
)
async def test_a_correction_keeps_mirroring_while_running(router, canary, phase, kept, reason):
    analysis = {"iterations": 3, "mirror": True}
    await router.reconcile(canary(analysis=analysis))
    await router.set(canary(analysis=analysis), Weights(100, 0, mirrored=True))
    await router.reconcile(canary(analysis=analysis, status={"phase": phase}))
    assert (await router.get(canary(analysis=analysis))).mirrored is kept, reason


async def test_a_weighted_canary_is_never_mirrored(rules, router, canary):
    await router.reconcile(canary())
    await router.set(canary(), Weights(100, 0, mirrored=True))
    assert "filters" not in rules()[0]


@pytest.mark.parametrize(
    ("parent", "condition", "ready", "reason"),
    [
        ({}, {"status": "True", "observedGeneration": 1}, True, "accepted as it is"),
        ({}, {"status": "False", "observedGeneration": 1}, False, "refused"),
        ({}, {"status": "True", "observedGeneration": 0}, False, "accepted an older one"),
        ({"name": "old"}, {"status": "False", "observedGeneration": 1}, True, "no parent of ours"),
        ({"sectionName": "x"}, {"status": "False"}, True, "another listener of the parent"),
    ],
)
async def test_weights_count_once_the_parent_accepted(  # noqa: PLR0917 - a table
    api, router, canary, parent, condition, ready, reason
):
    await router.reconcile(canary())
    route = api.get("HTTPRoute", "podinfo")
    accepted = {"type": "Accepted", **condition}
    route["status"] = {"parents": [{"parentRef": PARENT | parent, "conditions": [accepted]}]}
    api.put(route)
    if ready:
        assert await router.get(canary()) == Weights(100, 0), reason
    else:
        with pytest.raises(RouteNotReady, match=r"podinfo.default parent shared is not ready"):
            await router.get(canary())


async def test_a_route_without_the_backends_is_not_ready(api, router, canary):
    await router.reconcile(canary())
    route = api.get("HTTPRoute", "podinfo")
    route["spec"]["rules"] = []
    api.put(route)
    with pytest.raises(RouteNotReady, match="podinfo-primary and podinfo-canary"):
        await router.get(canary())


@pytest.mark.parametrize(
    ("service", "analysis", "message"),
    [
        ({"gatewayRefs": []}, {}, "spec.service.gatewayRefs is empty"),
        ({"match": [{"uri": {}}]}, {}, r"spec.service.match\[0\].uri: give one of"),
        (
            {"match": [{"method": {"prefix": "G"}}]},
            {},
            r"spec.service.match\[0\].method: the Gateway API matches methods by exact only",
        ),
        (
            {},
            {"match": [{"headers": {"x": {"prefix": "a"}}}]},
            r"spec.analysis.match\[0\].headers\[x\]: the Gateway API matches by exact and regex",
        ),
        ({}, {"match": [{"sourceLabels": {"a": "b"}}]}, "names no header and no query parameter"),
        ({"mirror": [{}]}, {}, r"spec.service.mirror\[0\].backendRef is missing"),
        (
            {"corsPolicy": {"allowOrigins": [{"exact": "a"}]}},
            {},
            "corsPolicy.allowOrigins: the Gateway API knows no patterns",
        ),
        ({"corsPolicy": {"maxAge": "a day"}}, {}, "corsPolicy.maxAge: not a duration"),
        (
            {},
            {"match": [{"headers": {"x": {"exact": "a"}}}], "sessionAffinity": {"cookieName": "c"}},
            "give only one of them",
        ),
    ],
)
async def test_what_cannot_be_expressed_is_refused_by_field(  # noqa: PLR0917 - a table
    api, router, canary, service, analysis, message
):
    with pytest.raises(InvalidRoute, match=message) as error:
        await router.reconcile(canary(service=service, analysis=analysis))
    assert isinstance(error.value, InvalidSpec)
    assert api.all("HTTPRoute") == []


async def test_parents_are_written_as_given(api, router, canary):
    mesh = {"group": "", "kind": "Service", "name": "podinfo", "namespace": "apps", "port": 80}
    listener = {"name": "edge", "sectionName": "https"}
    await router.reconcile(canary(service={"gatewayRefs": [mesh, listener]}))
    refs = api.get("HTTPRoute", "podinfo")["spec"]["parentRefs"]
    assert refs == [mesh, {**PARENT, **listener}]


async def test_filters_stand_in_upstreams_order(rules, router, canary):
    service = {
        "headers": {
            "request": {"add": {"x-b": "2", "x-a": "1"}, "remove": ["x-c"]},
            "response": {"set": {"x-d": "3"}},
        },
        "rewrite": {"uri": "/v2", "authority": "inner", "type": "ReplacePrefixMatch"},
        "mirror": [{"backendRef": {"name": "shadow", "port": 80}}],
        "corsPolicy": {"allowOrigin": ["https://a"], "maxAge": "1h", "allowCredentials": True},
    }
    await router.reconcile(canary(service=service))
    assert rules()[0]["filters"] == [
        {
            "type": "RequestHeaderModifier",
            "requestHeaderModifier": {
                "add": [{"name": "x-a", "value": "1"}, {"name": "x-b", "value": "2"}],
                "remove": ["x-c"],
            },
        },
        {
            "type": "ResponseHeaderModifier",
            "responseHeaderModifier": {"set": [{"name": "x-d", "value": "3"}]},
        },
        {
            "type": "URLRewrite",
            "urlRewrite": {
                "hostname": "inner",
                "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v2"},
            },
        },
        {
            "type": "RequestMirror",
            "requestMirror": {
                "backendRef": {"group": "", "kind": "Service", "name": "shadow", "port": 80}
            },
        },
        {
            "type": "CORS",
            "cors": {"allowOrigins": ["https://a"], "allowCredentials": True, "maxAge": 3600},
        },
    ]


async def test_a_rewrite_replaces_the_full_path_unless_told_otherwise(rules, router, canary):
    await router.reconcile(canary(service={"rewrite": {"uri": "/v2"}}))
    rewrite = rules()[0]["filters"][0]["urlRewrite"]
    assert rewrite == {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/v2"}}


async def test_matches_are_translated(rules, router, canary):
    match = [
        {"uri": {"regex": "/a.*"}, "method": {"exact": "GET"}},
        {"queryParams": {"q": {"regex": "x+"}}},
        {"sourceNamespace": "apps"},
    ]
    await router.reconcile(canary(service={"match": match}))
    assert rules()[0]["matches"] == [
        {"path": {"type": "RegularExpression", "value": "/a.*"}, "method": "GET"},
        {**ANY_PATH, "queryParams": [{"type": "RegularExpression", "name": "q", "value": "x+"}]},
    ]
