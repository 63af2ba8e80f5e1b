import pytest

from fluvial.canary.routers import GatewayRouter, InvalidRoute, Weights
from fluvial.canary.routers.affinity import Cookies, next_cookies, set_cookie

STICKY = {"cookieName": "fl", "primaryCookieName": "flp"}


def affine(canary, **changes):
    return canary(analysis={"sessionAffinity": {**STICKY, **changes}})


@pytest.fixture
def router(client):
    return GatewayRouter(client)


def cookie_of(rule):
    return rule["matches"][0]["headers"][0]


def shares(rule):
    return [ref["weight"] for ref in rule["backendRefs"]]


@pytest.mark.parametrize(
    ("before", "weight", "after", "reason"),
    [
        (Cookies(), 10, Cookies("fl=new", "flp=new"), "the first weight makes both"),
        (Cookies("fl=a", "flp=b"), 20, Cookies("fl=a", "flp=b"), "later ones keep them"),
        (Cookies("fl=a", "flp=b"), 0, Cookies("", "flp=b", "fl=a"), "the canary's has had its day"),
        (Cookies("", "flp=b", "fl=a"), 0, Cookies("", "flp=b", "fl=a"), "and stays the previous"),
        (Cookies("", "flp=b", "fl=a"), 5, Cookies("fl=new", "flp=b", "fl=a"), "the next release"),
    ],
)
def test_the_life_of_cookies(canary, before, weight, after, reason):
    affinity = affine(canary).spec.analysis.session_affinity
    assert next_cookies(affinity, before, weight, lambda: "new") == after, reason


def test_values_are_ten_letters_that_nobody_guesses(canary):
    affinity = affine(canary).spec.analysis.session_affinity
    values = {next_cookies(affinity, Cookies(), 1).canary.partition("=")[2] for _ in range(50)}
    assert len(values) == 50
    assert all(len(value) == 10 and value.isascii() and value.isalpha() for value in values)


def test_attributes_stand_in_upstreams_order(canary):
    everything = affine(
        canary,
        domain="example.com",
        httpOnly=True,
        partitioned=True,
        path="/",
        sameSite="Lax",
        secure=True,
        maxAge=60,
    )
    affinity = everything.spec.analysis.session_affinity
    assert set_cookie(everything, affinity, "fl=a", primary=False) == (
        "fl=a; Max-Age=60; Domain=example.com; HttpOnly; Partitioned; Path=/; SameSite=Lax; Secure"
    )
    assert set_cookie(everything, affinity, "flp=b", primary=True).startswith("flp=b; Max-Age=30;")


async def test_one_name_for_both_cookies_is_refused(router, canary):
    same = affine(canary, primaryCookieName="fl")
    await router.reconcile(canary())
    with pytest.raises(InvalidRoute, match="cookieName and primaryCookieName are the same"):
        await router.set(same, Weights(90, 10))


async def test_users_stay_where_they_were_answered(api, router, canary):
    released = affine(canary)
    await router.reconcile(released)
    await router.set(released, Weights(90, 10))
    fresh, primary = (
        released.status.session_affinity_cookie,
        released.status.primary_session_affinity_cookie,
    )
    canary_rule, primary_rule, weighted = api.get("HTTPRoute", "podinfo")["spec"]["rules"]
    value = fresh.partition("=")[2]
    assert cookie_of(canary_rule) == {
        "type": "RegularExpression",
        "name": "Cookie",
        "value": f".*fl.*{value}.*",
    }
    assert [shares(rule) for rule in (canary_rule, primary_rule, weighted)] == [
        [0, 100],
        [100, 0],
        [90, 10],
    ]
    handed = [
        ref["filters"][0]["responseHeaderModifier"]["add"][0] for ref in weighted["backendRefs"]
    ]
    assert handed == [
        {"name": "Set-Cookie", "value": f"{primary}; Max-Age=30"},
        {"name": "Set-Cookie", "value": f"{fresh}; Max-Age=86400"},
    ]
    assert await router.get(released) == Weights(90, 10)


async def test_without_a_primary_cookie_only_the_canary_is_sticky(api, router, canary):
    released = affine(canary, primaryCookieName="")
    await router.reconcile(released)
    await router.set(released, Weights(90, 10))
    rules = api.get("HTTPRoute", "podinfo")["spec"]["rules"]
    assert [shares(rule) for rule in rules] == [[0, 100], [90, 10]]
    assert "filters" not in rules[-1]["backendRefs"][0]


async def test_afterwards_the_cookie_is_taken_away(api, router, canary):
    released = affine(canary)
    await router.reconcile(released)
    await router.set(released, Weights(90, 10))
    old = released.status.session_affinity_cookie
    await router.set(released, Weights(100, 0))
    assert released.status.session_affinity_cookie == ""
    assert released.status.previous_session_affinity_cookie == old
    expiring, weighted = api.get("HTTPRoute", "podinfo")["spec"]["rules"]
    assert cookie_of(expiring)["value"] == f".*fl.*{old.partition('=')[2]}.*"
    added = expiring["filters"][-1]["responseHeaderModifier"]["add"]
    assert added == [{"name": "Set-Cookie", "value": f"{old}; Max-Age=-1"}]
    assert shares(weighted) == [100, 0]
    assert await router.get(released) == Weights(100, 0)


async def test_a_lost_status_write_keeps_the_users_cookies(router, canary):
    released = affine(canary)
    await router.reconcile(released)
    await router.set(released, Weights(90, 10))
    forgetful = affine(canary)
    await router.set(forgetful, Weights(80, 20))
    assert forgetful.status.session_affinity_cookie == released.status.session_affinity_cookie


async def test_a_correction_leaves_sticky_rules_alone(api, router, canary):
    released = affine(canary)
    await router.reconcile(released)
    await router.set(released, Weights(90, 10))
    writes = len(api.writes())
    await router.reconcile(released)
    assert len(api.writes()) == writes


async def test_taking_it_away_joins_the_users_own_headers(api, router, canary):
    released = canary(
        service={"headers": {"response": {"add": {"x-a": "1"}}}, "timeout": "5s"},
        analysis={"sessionAffinity": STICKY},
        status={"previousSessionAffinityCookie": "fl=old"},
    )
    await router.reconcile(released)
    await router.set(released, Weights(100, 0))
    expiring, weighted = api.get("HTTPRoute", "podinfo")["spec"]["rules"]
    (modifier,) = expiring["filters"]
    assert modifier["responseHeaderModifier"]["add"] == [
        {"name": "x-a", "value": "1"},
        {"name": "Set-Cookie", "value": "fl=old; Max-Age=-1"},
    ]
    assert weighted["filters"][0]["responseHeaderModifier"]["add"] == [
        {"name": "x-a", "value": "1"}
    ]
