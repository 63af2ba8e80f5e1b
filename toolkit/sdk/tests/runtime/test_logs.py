import io
import json
import logging

import pytest

from fluvial.toolkit import logs
from fluvial.toolkit.redact import redact


@pytest.fixture
def output():
    """Give what is logged, and put the logging of the test run back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    access = logging.getLogger("aiohttp.access").level
    stream = io.StringIO()

    def start(level="info", encoding="json"):
        logs.configure(level, encoding, stream)
        return stream

    yield start
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("aiohttp.access").setLevel(access)
    for library in ("asyncio", "aiobotocore", "botocore"):
        logging.getLogger(library).setLevel(logging.NOTSET)


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("level", ["trace", "debug", "info", "error"])
def test_what_aws_answers_is_never_logged(output, level):
    stream = output(level)
    logging.getLogger("botocore.parsers").debug("Response body:\n%r", b"<SecretAccessKey>")
    assert stream.getvalue() == ""


def test_a_line_has_what_the_log_reader_needs(output):
    stream = output()
    log = logs.logger("controller", controllerKind="Kustomization").bind(
        {"Kustomization": {"name": "a", "namespace": "b"}}, name="a", namespace="b"
    )
    log.error("Reconciliation failed after 1s, next try in 750ms", error=ValueError("no"))
    (line,) = lines(stream)
    assert line.pop("ts")[-1] == "Z"
    assert line == {
        "level": "error",
        "logger": "controller",
        "msg": "Reconciliation failed after 1s, next try in 750ms",
        "error": "no",
        "controllerKind": "Kustomization",
        "Kustomization": {"name": "a", "namespace": "b"},
        "name": "a",
        "namespace": "b",
    }


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("trace", ["trace", "debug", "info", "error"]),
        ("debug", ["debug", "info", "error"]),
        ("info", ["info", "error"]),
        ("error", ["error"]),
    ],
)
def test_levels(output, level, shown):
    stream = output(level)
    log = logs.logger("x")
    for name in ("trace", "debug", "info", "error"):
        getattr(log, name)("m")
    assert [line["level"] for line in lines(stream)] == shown


@pytest.mark.parametrize(("level", "traced"), [("info", False), ("debug", True)])
def test_traces_only_where_a_developer_reads(output, level, traced):
    stream = output(level)
    logs.logger("x").error("failed", error=ValueError("no"))
    assert ("stacktrace" in lines(stream)[0]) is traced


def test_a_message_is_no_format(output):
    stream = output()
    logs.logger("x").info("100% of {} and %s")
    assert lines(stream)[0]["msg"] == "100% of {} and %s"


def test_other_libraries_log_alike(output):
    stream = output()
    logging.getLogger("other").warning("took %d s", 3)
    assert lines(stream)[0]["msg"] == "took 3 s"


def test_the_console_is_for_people(output):
    stream = output(encoding="console")
    logs.logger("x").info("hello", name="a")
    stamp, level, name, message, rest = stream.getvalue().rstrip().split("\t")
    assert (level, name, message, json.loads(rest)) == ("INFO", "x", "hello", {"name": "a"})
    assert stamp.endswith("Z")


@pytest.mark.parametrize(("level", "encoding"), [("loud", "json"), ("info", "xml")])
def test_what_is_not_offered_is_refused(level, encoding):
    with pytest.raises(ValueError, match=r"--log-(level|encoding)"):
        logs.configure(level, encoding)


@pytest.mark.parametrize(
    ("text", "expected", "reason"),
    [
        ("https://u:p@x.io/a", "https://*****@x.io/a", "userinfo"),
        ("https://ghp_token@x.io", "https://*****@x.io", "a token in the user's place"),
        ("Authorization: Bearer abcdefgh.ijk", "Authorization: Bearer *****", "bearer"),
        ("https://b/x?sv=1&sig=abc%2F&se=2", "https://b/x?sv=1&sig=*****&se=2", "Azure SAS"),
        ("?X-Amz-Signature=abc", "?X-Amz-Signature=*****", "S3"),
        ("AGE-SECRET-KEY-1ABC", "*****", "age"),
        ("-----BEGIN RSA PRIVATE KEY-----\nx\n", "*****", "a key without its end"),
        ("git@github.com:a/b", "git@github.com:a/b", "no secret"),
        ("mail a@b.c", "mail a@b.c", "no URL"),
        ("basic auth", "basic auth", "a plain word"),
    ],
)
def test_credentials_are_blanked(output, text, expected, reason):
    assert redact(text) == expected, reason
    stream = output()
    logs.logger("x").info("m", detail=text)
    assert lines(stream)[0]["detail"] == expected, reason
