"""Downloads: bounds, deadlines, redirects, and who gets to see credentials."""

import asyncio
import contextlib

import pytest
from aiohttp import web

from fluvial.toolkit.testing.web import FileServer
from fluvial.toolkit.web import (
    AnswerTooLarge,
    Refused,
    Unreachable,
    UrlInvalid,
    WebClient,
    WebError,
    basic,
)

SECRET = basic("me", "secret")


@pytest.fixture
async def files():
    async with FileServer({"/a": b"content"}) as server:
        yield server


@pytest.fixture
async def elsewhere():
    async with FileServer({"/b": b"other"}) as server:
        yield server


@pytest.fixture
async def client():
    async with WebClient(authorization=SECRET, timeout=20) as client:
        yield client


def seen(server):
    return [request.headers.get("Authorization", "") for request in server.requests]


@contextlib.asynccontextmanager
async def serving(handle):
    """Run one handler for every path; give its URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_file(files, client):
    answer = await client.get(f"{files.url}/a", largest=7, accept="text/plain")
    assert answer.body == b"content"
    headers = files.requests[0].headers
    assert headers["Accept"] == "text/plain"
    assert headers["Accept-Encoding"] == "identity"
    assert headers["Authorization"] == SECRET


async def test_blanks_and_other_scripts_in_an_address(files, client):
    files.files["/a b/caf\u00e9+%41.tgz"] = b"content"
    for path in ("/a b/caf\u00e9+%2541.tgz", "/a%20b/caf%C3%A9%2B%2541.tgz"):
        assert (await client.get(f"{files.url}{path}", largest=9)).body == b"content"
    assert files.requests[0].path == "/a%20b/caf%C3%A9+%2541.tgz"


async def test_line_breaks_do_not_leave_the_address(client):
    heads = []

    async def answer(reader, writer):
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await client.get(f"http://127.0.0.1:{port}/a\r\nX-More: b", largest=9)
    assert heads[0].startswith(b"GET /a%0D%0AX-More:%20b HTTP/1.1\r\n")
    assert b"\r\nX-More" not in heads[0]


async def test_too_large(files, client):
    with pytest.raises(AnswerTooLarge, match="larger than 6 bytes"):
        await client.get(f"{files.url}/a", largest=6)


async def test_an_error_in_helms_words(files, client):
    with pytest.raises(Refused, match=r"failed to fetch http://127.*/x : 404 Not Found$") as caught:
        await client.get(f"{files.url}/x", largest=9)
    assert caught.value.status == 404


async def test_credentials_in_the_address_win_and_are_not_shown(files, client):
    url = files.url.replace("://", "://you:p%40ss@")
    with pytest.raises(Refused) as caught:
        await client.get(f"{url}/x", largest=9)
    assert seen(files) == [basic("you", "p@ss")]
    assert "p%40ss" not in str(caught.value)


async def test_a_redirect_on_the_same_host_keeps_credentials(files, client):
    files.redirects["/old"] = "/a"
    answer = await client.get(f"{files.url}/old", largest=9)
    assert answer.body == b"content"
    assert answer.url == f"{files.url}/a"
    assert seen(files) == [SECRET, SECRET]


async def test_a_redirect_to_another_host_never_carries_credentials(files, elsewhere, client):
    files.redirects["/old"] = f"{elsewhere.url}/b"
    assert (await client.get(f"{files.url}/old", largest=9)).body == b"other"
    assert seen(elsewhere) == [""]


async def test_nor_does_the_way_back(files, elsewhere, client):
    files.redirects["/old"] = f"{elsewhere.url}/there"
    elsewhere.redirects["/there"] = f"{files.url}/a"
    assert (await client.get(f"{files.url}/old", largest=9)).body == b"content"
    assert seen(files) == [SECRET, ""]


async def test_a_redirect_cannot_bring_its_own_credentials(files, elsewhere, client):
    files.redirects["/old"] = elsewhere.url.replace("://", "://x:y@") + "/b"
    assert (await client.get(f"{files.url}/old", largest=9)).body == b"other"
    assert seen(elsewhere) == [""]


async def test_a_circle_of_redirects_ends(files, client):
    files.redirects["/a"] = "/a"
    with pytest.raises(Unreachable, match="stopped after 10 redirects"):
        await client.get(f"{files.url}/a", largest=9)
    assert len(files.requests) == 11


async def test_a_redirect_to_another_protocol(files, client):
    files.redirects["/a"] = "file:///etc/passwd"
    with pytest.raises(UrlInvalid):
        await client.get(f"{files.url}/a", largest=9)


@pytest.mark.parametrize("url", ["ftp://a/b", "/a", "", "http://", "http://a:b/"])
async def test_what_is_no_address(client, url):
    with pytest.raises(UrlInvalid):
        await client.get(url, largest=9)


async def test_no_server(client):
    async with FileServer() as gone:
        pass
    with pytest.raises(Unreachable) as caught:
        await client.get(f"{gone.url}/a", largest=9)
    said = f'Get "{gone.url}/a": dial tcp {gone.host}: connect: connection refused'
    assert str(caught.value) == said


async def test_a_server_that_hangs():
    async def hang(request):
        await asyncio.sleep(30)

    async with serving(hang) as url, WebClient(timeout=0.05) as client:
        with pytest.raises(Unreachable, match=r"gave no answer within 0.05 s"):
            await client.get(url, largest=9)


async def test_a_connection_that_breaks_off():
    async def abort(request):
        response = web.StreamResponse(headers={"Content-Length": "9"})
        await response.prepare(request)
        await response.write(b"half")
        request.transport.abort()
        return response

    async with serving(abort) as url, WebClient() as client:
        with pytest.raises(Unreachable):
            await client.get(url, largest=9)


@pytest.mark.parametrize(
    ("status", "retry_after", "waited", "reason"),
    [
        (503, "", [1.0, 2.0], "twice as long each time"),
        (429, "7", [7.0, 7.0], "as long as the server asks for"),
        (429, "9000", [30.0, 30.0], "but not for ever"),
        (429, "Wed, 21 Oct 2026 07:28:00 GMT", [1.0, 2.0], "a date is no number"),
    ],
)
async def test_tries(status, retry_after, waited, reason):
    slept = []

    async def busy(request):
        if len(slept) < 2:
            return web.Response(status=status, headers={"Retry-After": retry_after})
        return web.Response(body=b"done")

    async def sleep(seconds):
        slept.append(seconds)

    async with serving(busy) as url, WebClient(tries=3, sleep=sleep) as client:
        assert (await client.get(url, largest=9)).body == b"done", reason
    assert slept == waited


async def test_a_connection_that_broke_off_is_tried_again():
    seen = []

    async def flaky(request):
        seen.append(request.path)
        if len(seen) == 1:
            request.transport.abort()
        return web.Response(body=b"done")

    async def sleep(seconds):
        pass

    async with serving(flaky) as url, WebClient(tries=2, sleep=sleep) as client:
        assert (await client.get(url, largest=9)).body == b"done"
    assert len(seen) == 2


async def test_a_server_that_is_not_there_is_not_tried_again():
    async def sleep(seconds):
        raise AssertionError("must not wait")

    async with FileServer() as gone:
        pass
    async with WebClient(tries=3, sleep=sleep) as client:
        with pytest.raises(Unreachable):
            await client.get(gone.url, largest=9)


async def test_an_error_that_stays_is_not_tried_again(files):
    async with WebClient(tries=3) as client:
        with pytest.raises(Refused):
            await client.get(f"{files.url}/x", largest=9)
    assert len(files.requests) == 1


async def test_proxies_of_the_environment(files, monkeypatch):
    monkeypatch.setenv("http_proxy", files.url)
    files.files["/a"] = b"by proxy"
    async with WebClient() as client:
        answer = await client.get("http://charts.invalid/a", largest=9)
        assert answer.body == b"by proxy"
        monkeypatch.setenv("no_proxy", "charts.invalid")
        with pytest.raises(WebError):
            await client.get("http://charts.invalid/a", largest=9)


async def test_a_proxy_of_ones_own(files, elsewhere, monkeypatch):
    monkeypatch.setenv("http_proxy", elsewhere.url)
    files.files["/a"] = b"by proxy"
    proxy = files.url.replace("http://", "http://ada:secret@")
    async with WebClient(proxy=proxy) as client:
        answer = await client.get("http://charts.invalid/a", largest=9)
    assert answer.body == b"by proxy"
    assert files.requests[0].headers["Proxy-Authorization"] == basic("ada", "secret")


async def test_what_is_asked_directly_is_asked_of_no_proxy(files, elsewhere, monkeypatch):
    monkeypatch.setenv("http_proxy", files.url)
    # No proxy is ever asked for this machine; by this address it is not known as such.
    url = elsewhere.url.replace("127.0.0.1", "0.0.0.0")
    async with WebClient(proxy="") as client:
        assert (await client.get(f"{url}/b", largest=9)).body == b"other"
    assert not files.requests
