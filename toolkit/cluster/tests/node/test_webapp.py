import json
import os
import re
import socket
import subprocess
import sys
import time

import pytest

from fluvial.cluster.node.images import SAMPLE_IMAGES
from fluvial.cluster.node.sample.webapp import Metrics, Settings, WebApp

COMMAND = SAMPLE_IMAGES["fluvial.dev/sample/webapp"]


def app(**environment):
    environment.setdefault("FLUVIAL_ROOT", "/nowhere")
    return WebApp(Settings(environment), "pod-1", "1.0")


def body(answer):
    return json.loads(answer[2])


def test_the_page_says_what_is_running():
    running = app(VERSION="2", COLOR="green", MESSAGE="Hi")
    code, kind, _ = answer = running.answer("GET", "/")
    assert (code, kind) == (200, "application/json")
    expected = {"version": "2", "color": "green", "message": "Hi", "pod": "pod-1"}
    assert body(answer) == expected
    assert body(running.answer("GET", "/version?x=1")) == expected


def test_the_image_tag_is_the_version_unless_told_otherwise():
    assert body(app().answer("GET", "/"))["version"] == "1.0"


@pytest.mark.parametrize(
    ("environment", "path", "code"),
    [
        ({}, "/healthz", 200),
        ({}, "/readyz", 200),
        ({"FAULT_NOT_READY": "true"}, "/readyz", 503),
        ({"FAULT_NOT_READY": "true"}, "/healthz", 200),
        ({"FAULT_ERROR_RATE": "1"}, "/healthz", 200),
        ({"FAULT_ERROR_RATE": "1"}, "/", 500),
        ({"FAULT_ERROR_RATE": "nonsense"}, "/", 200),
        ({"FAULT_ERROR_RATE": "nan"}, "/", 200),
        ({}, "/missing", 404),
        ({}, "/metrics", 200),
        ({"METRICS": "off"}, "/metrics", 404),
    ],
)
def test_codes(environment, path, code):
    assert app(**environment).answer("GET", path)[0] == code


@pytest.mark.parametrize(
    ("rate", "bad"),
    [("0.2", [5, 10, 15, 20]), ("0.25", [4, 8, 12, 16, 20]), ("0.1", [10, 20]), ("0", [])],
)
def test_errors_are_even_and_repeatable(rate, bad):
    running = app(FAULT_ERROR_RATE=rate)
    codes = [running.answer("GET", "/")[0] for _ in range(20)]
    assert [index for index, code in enumerate(codes, 1) if code == 500] == bad


def test_a_delay_shows_in_the_histogram_and_only_there():
    running = app(FAULT_DELAY_MS="30")
    start = time.perf_counter()
    running.answer("GET", "/")
    assert time.perf_counter() - start >= 0.03
    text = running.answer("GET", "/metrics")[2].decode()
    assert 'path="root",status="200",le="0.025"} 0\n' in text
    assert 'path="root",status="200",le="10"} 1\n' in text
    assert "metrics" not in re.findall(r'path="(\w+)"', text)


def test_exposition():
    metrics = Metrics()
    for path, status, seconds in (("/", 200, 0.004), ("/", 200, 0.3), ("/a/b-c", 500, 20.0)):
        metrics.observe("GET", path, status, seconds)
    lines = metrics.text().splitlines()
    root = 'method="GET",path="root",status="200"'
    name = "http_request_duration_seconds"
    assert f"# TYPE {name} histogram" in lines
    assert f'{name}_bucket{{{root},le="0.005"}} 1' in lines
    assert f'{name}_bucket{{{root},le="0.25"}} 1' in lines
    assert f'{name}_bucket{{{root},le="0.5"}} 2' in lines
    assert f'{name}_bucket{{{root},le="+Inf"}} 2' in lines
    assert f"{name}_count{{{root}}} 2" in lines
    assert f"{name}_sum{{{root}}} 0.304" in lines
    deep = 'method="GET",path="a_b_c",status="500"'
    assert f'{name}_bucket{{{deep},le="10"}} 0' in lines
    assert f'{name}_bucket{{{deep},le="+Inf"}} 1' in lines
    assert 'http_requests_total{status="200"} 2' in lines
    assert 'http_requests_total{status="500"} 1' in lines


def test_files_configure_too_and_are_read_again(tmp_path):
    directory = tmp_path / "etc" / "webapp"
    directory.mkdir(parents=True)
    settings = Settings({"FLUVIAL_ROOT": str(tmp_path), "COLOR": "red"})
    assert settings.get("MESSAGE", "none") == "none"
    (directory / "message").write_text("from a file\n")
    (directory / "COLOR").write_text("green")
    assert settings.get("MESSAGE", "none") == "from a file"
    assert settings.get("COLOR", "blue") == "red", "the environment wins"
    fresh = directory / ".message.new"
    fresh.write_text("changed")
    os.utime(directory, ns=(1, 1))
    fresh.replace(directory / "message")
    assert settings.get("MESSAGE", "none") == "changed"


@pytest.fixture
def server(tmp_path):
    """Start the image as the node does; returns a function that connects to it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {"PORT": str(port), "FLUVIAL_ROOT": str(tmp_path), "DRAIN_MS": "100"}
    process = subprocess.Popen(COMMAND, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == f"listening on 127.0.0.1:{port}\n"
    process.port = port
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def exchange(connection, *lines):
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head)[1])
    while len(rest) < length and not lines[0].startswith("HEAD"):
        rest += connection.recv(65536)
    return head.decode(), rest


def test_over_the_wire(server):
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head, page = exchange(connection, "GET / HTTP/1.1", "Host: a")
        assert head.startswith("HTTP/1.1 200 OK\r\n")
        assert "connection: keep-alive" in head
        assert json.loads(page)["version"] == "dev"
        head, page = exchange(connection, "HEAD / HTTP/1.1", "Host: a")
        assert (head.startswith("HTTP/1.1 200"), page) == (True, b"")
        head, _ = exchange(connection, "POST / HTTP/1.1", "Content-Length: 4", "", "body")
        assert head.startswith("HTTP/1.1 200")


@pytest.mark.parametrize(
    "lines",
    [
        ("GET /",),
        ("GET / HTTP/1.1", "Content-Length: x"),
        ("GET / HTTP/1.1", "Transfer-Encoding: chunked"),
    ],
    ids=["no version", "bad length", "chunked"],
)
def test_what_it_does_not_speak_is_refused(server, lines):
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head, _ = exchange(connection, *lines)
        assert head.startswith("HTTP/1.1 400")
        assert connection.recv(1) == b""


def test_it_serves_a_thousand_requests_a_second_on_one_connection(server):
    count = 500
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        best = 0.0
        for _ in range(5):
            start = time.perf_counter()
            for _ in range(count):
                exchange(connection, "GET / HTTP/1.1", "Host: a")
            best = max(best, count / (time.perf_counter() - start))
    assert best >= 1000


def test_it_drains_before_it_ends(server):
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        exchange(connection, "GET / HTTP/1.1", "Host: a")
        server.terminate()
        # Both the open connection and a new one are still served, and told to close.
        deadline = time.monotonic() + 10
        while True:
            with socket.create_connection(("127.0.0.1", server.port)) as late:
                head, _ = exchange(late, "GET / HTTP/1.1", "Host: a")
            if "connection: close" in head:
                break
            assert time.monotonic() < deadline
        head, _ = exchange(connection, "GET / HTTP/1.1", "Host: a")
        assert "connection: close" in head
    assert server.wait(10) == 0
    assert server.stdout.read() == "stopped\n"


def test_it_can_be_run_as_a_module(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "fluvial.cluster.node.sample.webapp"],
        env={**os.environ, "PORT": "not a number"},
        stderr=subprocess.PIPE,
        text=True,
    )
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "not a number" in errors
