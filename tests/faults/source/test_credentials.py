"""T5 and T6: credentials stay with their host, and are told to nobody."""

import pytest
from aiohttp import web

from fluvial.source.git.credentials import Access, Credentials
from fluvial.source.git.errors import AuthenticationRefused, CommandFailed, Redirected
from fluvial.source.git.reference import Reference

MAIN = Reference(branch="main")
HELD = [
    Credentials(username="ada", password="open-sesame"),
    Credentials(bearer_token="open-sesame"),
]


@pytest.mark.parametrize("held", HELD, ids=["basic", "bearer"])
async def test_t5_a_redirect_to_another_host_gets_no_credentials(mirror, serving, held):
    seen = []

    async def elsewhere(request):
        seen.append(request.headers.get("Authorization"))
        return web.Response(status=401, headers={"WWW-Authenticate": "Basic"})

    async with serving(elsewhere) as other:

        async def here(request):
            raise web.HTTPFound(f"{other}apps.git/info/refs?service=git-upload-pack")

        async with serving(here) as base:
            with pytest.raises(Redirected):
                await mirror.resolve(MAIN, Access.to(f"{base}apps.git", held))
    assert seen == []


@pytest.mark.parametrize("held", HELD, ids=["basic", "bearer"])
async def test_t5_a_redirect_within_the_host_is_followed(mirror, host, apps, serving, held):
    host.account, host.token = ("ada", "open-sesame"), "open-sesame"

    async def mover(request):
        if not request.path.startswith("/apps.git/"):
            raise web.HTTPMovedPermanently(f"/apps.git{request.path_qs.removeprefix('/apps')}")
        return await host._serve(request)

    async with serving(mover) as base:
        access = Access.to(f"{base}apps", held)
        [target] = await mirror.resolve(MAIN, access)
        assert target.commit == str(apps.references["refs/heads/main"].target)
        assert (await mirror.fetch(target, access)).commit == target.commit
    assert not list(mirror.path.rglob("*.trace"))


@pytest.mark.parametrize("held", HELD, ids=["basic", "bearer"])
async def test_t6_errors_do_not_repeat_credentials(mirror, serving, held):
    async def parrot(request):
        return web.Response(
            status=500, text=f"remote says {request.headers.get('Authorization')} open-sesame"
        )

    async with serving(parrot) as base:
        url = base.replace("://", "://ada:open-sesame@") if held.username else base
        with pytest.raises(CommandFailed) as caught:
            await mirror.resolve(MAIN, Access.to(f"{url}apps.git", held))
    assert "open-sesame" not in str(caught.value)


async def test_t6_a_refusal_names_the_remedy_and_no_secret(mirror, host, apps):
    host.account = ("ada", "open-sesame")
    with pytest.raises(AuthenticationRefused, match="refused the credentials") as caught:
        await mirror.resolve(
            MAIN, Access.to(host.url("apps.git"), Credentials("ada", "guessed-it"))
        )
    assert "guessed-it" not in str(caught.value)
