import asyncio

import pytest

from fluvial.cluster.node.probes import check, port_number, run_probe

PORTS = [{"name": "http", "containerPort": 8080}, {"name": "admin", "containerPort": 9090}]


@pytest.mark.parametrize(
    ("port", "expected"), [(80, 80), ("http", 8080), ("admin", 9090), ("7070", 7070)]
)
def test_ports_by_number_and_name(port, expected):
    assert port_number(port, PORTS) == expected


def test_an_unknown_port_name_is_named():
    with pytest.raises(ValueError, match="no port of the container is named 'metrics'"):
        port_number("metrics", PORTS)


@pytest.fixture
async def server():
    """Answer every request with the bytes in `answers`; `requests` are what came."""

    class Server:
        answer = b"HTTP/1.1 200 OK\r\n\r\n"
        requests: list = []  # noqa: RUF012  one fixture, one class

    held = Server()
    held.requests = []

    async def serve(reader, writer):
        head = await reader.read(4096)
        if head:
            held.requests.append(head.decode())
            writer.write(held.answer)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    held.port = listening.sockets[0].getsockname()[1]
    yield held
    listening.close()
    await listening.wait_closed()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 302 Found\r\n\r\n", True),
        (b"HTTP/1.1 399 Odd\r\n\r\n", True),
        (b"HTTP/1.1 400 Bad\r\n\r\n", False),
        (b"HTTP/1.1 503 Busy\r\n\r\n", False),
        (b"SSH-2.0-OpenSSH\r\n", False),
        (b"", False),
    ],
)
async def test_what_an_http_probe_accepts(server, answer, expected):
    server.answer = answer
    probe = {"httpGet": {"port": server.port, "path": "/healthz?full=1"}}
    assert await check(probe, "127.0.0.1", []) is expected
    assert server.requests[0].startswith("GET /healthz?full=1 HTTP/1.1\r\n")


async def test_headers_of_the_spec_are_sent(server):
    headers = [{"name": "Host", "value": "shop.example"}, {"name": "X-A", "value": "b"}]
    probe = {"httpGet": {"port": server.port, "httpHeaders": headers}}
    assert await check(probe, "127.0.0.1", [])
    assert "\r\nhost: shop.example\r\n" in server.requests[0]
    assert "\r\nx-a: b\r\n" in server.requests[0]


async def test_a_tcp_probe_wants_a_connection_only(server):
    probe = {"tcpSocket": {"port": server.port}}
    assert await check(probe, "127.0.0.1", [])
    assert not await check({"tcpSocket": {"port": 1}}, "127.0.0.1", [])


async def test_commands_are_never_run(tmp_path):
    marker = tmp_path / "ran"
    assert await check({"exec": {"command": ["touch", str(marker)]}}, "127.0.0.1", [])
    assert not marker.exists()


class Steps:
    """A timer whose sleeps take no time; stops the probe after so many."""

    def __init__(self, server, answers):
        self._server = server
        self._answers = iter(answers)
        self.slept = []

    async def sleep(self, seconds):
        self.slept.append(seconds)
        answer = next(self._answers, None)
        if answer is None:
            raise asyncio.CancelledError
        code = b"200 OK" if answer else b"500 No"
        self._server.answer = b"HTTP/1.1 " + code + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("answers", "thresholds", "verdicts", "reason"),
    [
        ([1, 1, 1], {}, [True], "told once, not at every success"),
        ([0, 0, 0, 0], {}, [False], "the third failure counts by default"),
        ([0, 0, 1, 0, 0], {}, [True], "a success starts the count anew"),
        ([1, 0, 0, 0, 1], {}, [True, False, True], "down and up again"),
        ([0], {"failureThreshold": 1}, [False], "one failure is enough when told so"),
        ([1, 1, 0, 1], {"successThreshold": 2}, [True], "two successes in a row"),
    ],
)
async def test_thresholds(server, answers, thresholds, verdicts, reason):
    told = []
    timer = Steps(server, [bool(answer) for answer in answers])
    probe = {"httpGet": {"port": server.port}, "periodSeconds": 7, **thresholds}
    with pytest.raises(asyncio.CancelledError):
        await run_probe(probe, "127.0.0.1", [], timer, told.append)
    assert told == verdicts, reason
    assert set(timer.slept[1:]) <= {7.0}
