import asyncio

import pytest

from fluvial.toolkit.client import UnknownKind


def aggregated(*groups):
    return {
        "kind": "APIGroupDiscoveryList",
        "items": [
            {
                "metadata": {"name": name},
                "versions": [
                    {
                        "version": version,
                        "resources": [
                            {
                                "resource": plural,
                                "responseKind": {"kind": kind},
                                "scope": "Namespaced",
                                "verbs": ["get", "list", "watch"],
                                "subresources": [{"subresource": "status"}],
                            }
                        ],
                    }
                    for version, plural, kind in versions
                ],
            }
            for name, versions in groups
        ],
    }


APPS = ("apps", [("v1", "deployments", "Deployment"), ("v1beta1", "deployments", "Deployment")])
EXTRA = ("example.com", [("v1", "things", "Thing")])


@pytest.fixture
def discovery(connect, answer, failure, impatient):
    """Serve documents by path; a callable is asked each time, None is a failing group."""

    async def start(documents):
        asked = []

        async def handler(request):
            asked.append(request.path)
            found = documents.get(request.path)
            if callable(found):
                found = found()
            return failure(503) if found is None else answer(found)

        client = await connect(handler, clock=impatient)
        return client.mapper, asked

    return start


async def test_the_preferred_version_comes_first(discovery):
    mapper, asked = await discovery({"/api": aggregated(), "/apis": aggregated(APPS)})
    found = await mapper.resource("apps", "Deployment")
    assert (found.version, found.plural, found.namespaced) == ("v1", "deployments", True)
    assert found.subresources == {"status"}
    assert (await mapper.resource("apps", "Deployment", "v1beta1")).version == "v1beta1"
    assert (await mapper.by_plural("apps", "deployments")).kind == "Deployment"
    assert sorted(asked) == ["/api", "/apis"], "one discovery serves all lookups"


async def test_an_unknown_kind_is_looked_for_once_more(discovery):
    answers = iter([aggregated(APPS), aggregated(APPS, EXTRA), aggregated(APPS, EXTRA)])
    mapper, asked = await discovery({"/api": aggregated(), "/apis": lambda: next(answers)})
    await mapper.resource("apps", "Deployment")
    assert (await mapper.resource("example.com", "Thing")).plural == "things"
    with pytest.raises(UnknownKind, match=r'no matches for kind "Nothing" in example\.com/v1'):
        await mapper.resource("example.com", "Nothing", "v1")
    assert asked.count("/apis") == 3


async def test_lookups_at_the_same_time_share_a_refresh(discovery):
    mapper, asked = await discovery({"/api": aggregated(), "/apis": aggregated(APPS)})
    await asyncio.gather(*(mapper.resource("apps", "Deployment") for _ in range(20)))
    assert asked.count("/apis") == 1


async def test_servers_without_aggregated_discovery(discovery):
    mapper, _ = await discovery(
        {
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/api/v1": {
                "groupVersion": "v1",
                "resources": [
                    {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["get"]},
                    {"name": "pods/status", "kind": "Pod", "namespaced": True},
                ],
            },
            "/apis": {
                "kind": "APIGroupList",
                "groups": [
                    {
                        "name": "apps",
                        "versions": [{"groupVersion": "apps/v1beta1"}, {"groupVersion": "apps/v1"}],
                        "preferredVersion": {"groupVersion": "apps/v1"},
                    },
                    {"name": "down.io", "versions": [{"groupVersion": "down.io/v1"}]},
                ],
            },
            "/apis/apps/v1": {
                "groupVersion": "apps/v1",
                "resources": [{"name": "deployments", "kind": "Deployment", "namespaced": True}],
            },
            "/apis/apps/v1beta1": {
                "groupVersion": "apps/v1beta1",
                "resources": [{"name": "deployments", "kind": "Deployment", "namespaced": True}],
            },
            "/apis/down.io/v1": None,
        }
    )
    assert (await mapper.resource("", "Pod")).subresources == {"status"}
    assert (await mapper.resource("apps", "Deployment")).version == "v1"
