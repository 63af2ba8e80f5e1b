"""Discovery as clients keep it: they ask for it again by its ETag."""

import ssl

import aiohttp
import pytest

from fluvial.cluster.plane import ControlPlane


@pytest.mark.parametrize("path", ["/api", "/apis"])
async def test_what_a_client_has_is_not_sent_again(path):
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    async with ControlPlane() as plane:
        trust = ssl.create_default_context(cadata=plane.ca)
        headers = {"Authorization": f"Bearer {plane.token}", "Accept": accept}
        async with aiohttp.ClientSession(headers=headers) as session:
            async with session.get(plane.url + path, ssl=trust) as first:
                tag = first.headers["ETag"]
                assert first.status == 200
            asked = {"If-None-Match": tag}
            async with session.get(plane.url + path, ssl=trust, headers=asked) as again:
                assert (again.status, await again.read()) == (304, b"")
                assert "Content-Type" not in again.headers
